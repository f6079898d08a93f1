"""Templates that a person can read: short lines, and one block-level tag a line.

An own check of two rules instead of a formatter: formatters of templates put whitespace between inline elements, which
shows on the page (“95 %” becomes “95 % ”, a link gains an underlined blank), and cannot see which of them it changes.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "templates"
LONGEST = 160
# A list item, row or section that starts behind another one on its line.
TWO = re.compile(r"</(li|tr|section|article|ul|ol|table|thead|tbody|nav|form|header|figure|dl)>\s*<(?!/)[a-z]")


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_short_lines_and_one_block_a_line(path):
    lines = path.read_text().splitlines()
    too_long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST]
    assert not too_long, f"lines of more than {LONGEST} characters: {too_long}"
    assert not [n for n, line in enumerate(lines, 1) if TWO.search(line)]
    # One of two lines is no comment to Django, but text that readers see.
    assert not [n for n, line in enumerate(lines, 1) if line.count("{#") != line.count("#}")]
