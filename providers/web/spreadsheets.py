"""Cells of CSV files that people open in a spreadsheet."""

from __future__ import annotations

import re

FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # also in full width, which some spreadsheets read likewise


def safe_cell(text: str) -> str:
    """The text; with a quote in front where a spreadsheet would run it as a formula. A second time changes nothing."""
    return f"'{text}" if FORMULA.match(text) else text
