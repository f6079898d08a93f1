"""Text of others in Markdown, which programs and people read as it is and render as HTML."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape

register = template.Library()

_SPECIAL = re.compile(r"([\\`*\[\]|~])")


@register.filter
def md(text: object) -> str:
    """One line of plain text: no markup, no link and no HTML, whatever it says."""
    line = " ".join(str(text).split())
    return _SPECIAL.sub(r"\\\1", escape(line).replace("&#x27;", "'").replace("&quot;", '"'))


@register.filter
def md_code(text: object) -> str:
    """The inside of a code span, which nothing in the text can end."""
    return " ".join(str(text).split()).replace("`", "'")
