"""A place as pages say it, in the reader's language; files, feeds and the API have the words of `Place` itself."""

from __future__ import annotations

from django.utils.translation import gettext

from leaderboard.board.translation import translated
from leaderboard.rating.place import Place, sure


def text(place: Place) -> str:
    """In running text: first of 31 (98% sure); 3–8 of 31; tied 1–8 of 8; not rated yet."""
    values = {"place": place.bounds, "of": place.of}
    if not place.is_known:
        return gettext("not rated yet")
    if place.is_first and place.best is not None:
        return gettext("first of %(of)s (%(chance)s sure)") % {**values, "chance": translated(sure(place.best))}
    if place.is_first:
        return gettext("first of %(of)s") % values
    return (gettext("tied %(place)s of %(of)s") if place.is_tied_with_all else gettext("%(place)s of %(of)s")) % values


def bounds(place: Place) -> str:
    """The first line of a table's cell: 1st, 31, 3–8, –."""
    return gettext("1st") if place.is_first else place.bounds


def detail(place: Place) -> str:
    """The second line of a table's cell: 98% sure; of 31; of 8, tied; unrated."""
    if not place.is_known:
        return gettext("unrated")
    if place.is_first and place.best is not None:
        return gettext("%(chance)s sure") % {"chance": translated(sure(place.best))}
    return (gettext("of %(of)s, tied") if place.is_tied_with_all else gettext("of %(of)s")) % {"of": place.of}
