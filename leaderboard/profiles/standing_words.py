"""A model's places and what they rest on, in words of the active language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext

from leaderboard.board import place_words
from leaderboard.board.standings import Standing
from leaderboard.board.translation import translated
from leaderboard.rating.number_words import both
from providers.web.numbers import whole

SHOWN = 3  # boards; more are counted


def of_places(name: str, standings: Sequence[Standing], competitions: int) -> str:
    """Two sentences; "" for a model without ratings. `competitions` is in how many it has votes cast here."""
    shown, more = standings[:SHOWN], len(standings) - SHOWN
    if not shown:
        return ""
    places = translated(both([_place(standing) for standing in shown]))
    if more > 0:
        places = gettext("%(places)s and rated in %(more)s more categories") % {"places": places, "more": more}
    is_placed = gettext(
        "%(name)s is %(places)s, where people pick the better of two images without knowing whose they are."
    )
    votes = ", ".join(_votes(standing) for standing in shown)
    if more > 0:
        votes = gettext("%(votes)s and more") % {"votes": votes}
    values = {"source": _source(standings, competitions), "votes": votes}
    return " ".join([is_placed % {"name": name, "places": places}, gettext("Based on %(source)s: %(votes)s.") % values])


def _place(standing: Standing) -> str:
    rating = standing.rating
    values = {
        "place": place_words.text(standing.place), "category": rating.category.name, "elo": f"{rating.elo:.0f}",
        "low": f"{rating.lower:.0f}", "high": f"{rating.upper:.0f}",
    }  # fmt: skip
    if not standing.place.is_known:
        return gettext("%(place)s in %(category)s") % values
    return gettext("%(place)s in %(category)s with an Elo of %(elo)s (%(low)s–%(high)s)") % values


def _votes(standing: Standing) -> str:
    rating = standing.rating
    return ngettext("%(votes)s vote in %(category)s", "%(votes)s votes in %(category)s", rating.votes) % {
        "votes": whole(rating.votes), "category": rating.category.name,
    }  # fmt: skip


def _source(standings: Sequence[Standing], competitions: int) -> str:
    if all(standing.rating.category.source_name for standing in standings):
        return gettext("imported votes")
    if not competitions:  # those of a retired model are not shown
        return gettext("blind votes")
    text = ngettext("%(n)s blind-vote competition", "%(n)s blind-vote competitions", competitions)
    return text % {"n": whole(competitions)}
