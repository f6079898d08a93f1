"""Ids of battles begin with their month, and image tokens with their battle's: 00000000-2612-8…, and 2612….

So the rows of a month lie together in every index, and tables of many years can be partitioned by month
(docs/capacity.md). The month, and not the time: published votes name their battle and no more than its day. What was
stored before has a random id, "without a month".

Pure: no Django.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from uuid import UUID

WITHOUT_MONTH = "0000"
ABOVE_MONTHS = UUID("00000001-0000-0000-0000-000000000000")  # greater than all ids with a month
_VERSION = 8  # of a UUID whose maker says what its bits mean; 74 of them are random here
MONTH = len(WITHOUT_MONTH)  # characters at the start of a token
_TOKEN_BYTES = 13  # 104 random bits


def new_id(at: datetime | None = None) -> UUID:
    """The id of a battle that is made `at` a time, by default now."""
    month = (at or datetime.now(UTC)).astimezone(UTC).strftime("%y%m")
    random = UUID(bytes=secrets.token_bytes(16), version=4).hex  # for the bits of its variant
    return UUID(f"00000000{month}{_VERSION}{random[13:]}")


def month_of(battle: UUID) -> str:
    """Year and month as four digits."""
    return str(battle)[9:13] if battle < ABOVE_MONTHS and battle.version == _VERSION else WITHOUT_MONTH


def new_token(battle: UUID) -> str:
    """22 characters for the URL of one of the battle's images; as base64 they are 16 bytes, as ballots pack them."""
    return month_of(battle) + secrets.token_urlsafe(_TOKEN_BYTES)


def ids_of(token: str) -> tuple[UUID, UUID]:
    """The least and the greatest id with a month that a battle of this token may have. Old tokens are random, so they
    may belong to any battle without a month as well."""
    month = token[:MONTH] if re.match("[0-9]{4}", token) else WITHOUT_MONTH
    return UUID(f"00000000-{month}-0000-0000-000000000000"), UUID(f"00000000-{month}-ffff-ffff-ffffffffffff")
