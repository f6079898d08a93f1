"""Days and times as the axes of charts write them. Pure: pages write other dates by Django's formats."""

from __future__ import annotations

from datetime import date, datetime

from providers.web.sentence import sentence

_MONTHS = (
    sentence("Jan"), sentence("Feb"), sentence("Mar"), sentence("Apr"), sentence("May"), sentence("Jun"),
    sentence("Jul"), sentence("Aug"), sentence("Sep"), sentence("Oct"), sentence("Nov"), sentence("Dec"),
)  # fmt: skip


def hour(at: datetime) -> str:
    """14:05"""
    return f"{at:%H:%M}"


def short(at: date) -> str:
    """3 Nov"""
    return sentence("%(day)s %(month)s", day=at.day, month=_MONTHS[at.month - 1])


def month(at: datetime) -> str:
    """Nov 2026"""
    return sentence("%(month)s %(year)s", month=_MONTHS[at.month - 1], year=str(at.year))


def full(at: datetime) -> str:
    """3 Nov 2026"""
    return sentence("%(day)s %(month)s %(year)s", day=at.day, month=_MONTHS[at.month - 1], year=str(at.year))
