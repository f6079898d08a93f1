"""What a vote, a battle and a call take in the database: python -m benchmarks.capacity

Fills a database of its own with so many votes as the site casts them, and prints the bytes a row of each table with its
indexes, and what 100 million votes would take. docs/capacity.md is made of these figures.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.load.database import database
from benchmarks.load.references import raw
from benchmarks.programs import with_services

TABLES = ("arena_vote", "arena_battle", "arena_voter", "arena_voterprogress", "arena_tally")
PROJECTED = 100_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--votes", type=int, default=20_000)
    options = parser.parse_args()
    with_services()
    with database():
        from django.db import connection

        rate = raw(options.votes)
        print(f"{rate:.0f} votes a second into it", file=sys.stderr)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            print(f"{'table':<22}{'rows':>10}{'heap B/row':>12}{'index B/row':>13}{'B/row':>8}{'at 1e8 votes':>14}")
            for table in TABLES:
                cursor.execute(
                    f"SELECT (SELECT count(*) FROM {table}), pg_table_size(%s), pg_indexes_size(%s)", [table, table]
                )
                rows, heap, indexes = cursor.fetchone()
                share = rows / options.votes  # of a vote; a tally's cells do not grow with votes
                per_row = (heap + indexes) / max(rows, 1)
                projected = per_row * share * PROJECTED if table != "arena_tally" else heap + indexes
                print(f"{table:<22}{rows:>10}{heap / max(rows, 1):>12.0f}{indexes / max(rows, 1):>13.0f}"
                      f"{per_row:>8.0f}{projected / 1e9:>11.1f} GB")  # fmt: skip
            cursor.execute(
                "SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes "
                "WHERE relname IN ('arena_vote', 'arena_battle') ORDER BY 2 DESC LIMIT 12"
            )
            for name, size in cursor.fetchall():
                print(f"  {name:<50}{size / options.votes:>8.1f} B a vote")


if __name__ == "__main__":
    main()
