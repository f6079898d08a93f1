"""What the frame of every page needs: a block's words in two places, as a title stands in the tab and on the card."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


class Capture(template.Node):
    child_nodelists = ("nodelist",)  # blocks inside are found here, so that templates can extend them

    def __init__(self, nodelist: NodeList, name: str) -> None:
        self.nodelist = nodelist
        self.name = name

    def render(self, context: Context) -> SafeString:
        # What was rendered is escaped already.
        context[self.name] = mark_safe(" ".join(self.nodelist.render(context).split()))  # noqa: S308 – what Django rendered
        return mark_safe("")


@register.simple_tag
def name_of_site() -> str:
    """For pages that come without any context."""
    return str(settings.SITE_NAME)


@register.tag
def capture(parser: Parser, token: Token) -> Capture:
    """{% capture name %}…{% endcapture %}: what it contains becomes a variable, on one line."""
    try:
        _, name = token.split_contents()
    except ValueError as error:
        raise template.TemplateSyntaxError("capture takes the name of a variable") from error
    nodelist = parser.parse(("endcapture",))
    parser.delete_first_token()
    return Capture(nodelist, name)
