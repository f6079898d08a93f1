"""Battles and votes in a partition for each month, for tables that are too large to be maintained in one piece.

Ids of battles begin with their month (arena/battle_ids.py), and a vote's key is its battle's: both tables are
partitioned by ranges of it. What there was becomes the partition "rest", as it stands: nothing is copied, and nothing
is read under a lock that anybody waits for. From `first` on, each month has a table of its own.

What no index can span any more is refused all the same. A month's votes refer to the battles of that month. Image
tokens begin with their battle's month, by a CHECK, and are unique within it. A pair that a voter has met in another
month is found by a trigger.
"""

from config.operations.partitions.conversion import CannotPartition, add_months, convert
from config.operations.partitions.layout import Layout, read

__all__ = ["CannotPartition", "Layout", "add_months", "convert", "read"]
