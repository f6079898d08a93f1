"""The rows of a board as its page and its CSV show them: standings, joined with what the models cost and take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext, ngettext

from leaderboard.board.standings import Standing
from leaderboard.board_page import filters
from leaderboard.model_facts import price_and_speed as facts
from leaderboard.model_facts import rights


def rows(
    standings: Sequence[Standing], mode: str, known: dict[int, facts.Facts] | None = None, *, imported: bool = False
) -> list[filters.BoardRow]:
    """One row per standing, in the same order, except that models without an interval come last: they have no place.

    `known` are the facts of these models, where somebody has them already. Where votes came from elsewhere and none
    was “both bad”, nobody was asked that, so the share of usable images is unknown.
    """
    if known is None:
        known = facts.of_models([standing.rating.image_model_id for standing in standings], mode)
    board_rows = [_row(standing, known.get(standing.rating.image_model_id, facts.Facts())) for standing in standings]
    if imported and not any(standing.rating.both_bad for standing in standings):
        board_rows = [replace(row, keeper_rate=None) for row in board_rows]
    return sorted(board_rows, key=lambda row: not row.is_placed)


def _row(standing: Standing, facts: facts.Facts) -> filters.BoardRow:
    rating, model = standing.rating, standing.rating.image_model
    return filters.BoardRow(
        is_placed=standing.half_width is not None,
        slug=model.export_name,
        name=model.name,
        elo=rating.elo,
        votes=rating.votes,
        status=rating.status,
        best=rating.best,
        lab=model.lab.slug if model.lab else "",
        lab_name=model.lab.name if model.lab else "",
        licence=model.licence,
        commercial=rights.of_licence(model.licence).answer,
        open_weights=model.open_weights,
        released_on=model.released_on,
        keeper_rate=standing.keeper_rate,
        price=facts.price,
        seconds=facts.seconds,
        providers=facts.providers,
        standing=standing,
        facts=facts,
    )


def at_provider(board: Sequence[filters.BoardRow], provider: str) -> list[filters.BoardRow]:
    """The rows with what their models cost and take at this provider, where it sells them; unchanged for ""."""
    return [_at(row, provider) if provider in row.providers else row for row in board]


def _at(row: filters.BoardRow, provider: str) -> filters.BoardRow:
    there = row.facts.at(provider)
    return replace(row, price=there.price, seconds=there.seconds, facts=there)


def without(board: Sequence[filters.BoardRow], asked: filters.Filters) -> tuple[str, int] | None:
    """The one filter without which most rows pass, by its name, and how many; None where it takes more than one.
    `board` has all its rows, before `at_provider`."""
    counts = {}
    for name in asked.names:
        others = asked.without(name)
        counts[name] = len(filters.shown(at_provider(board, others.provider), others))
    name = max(counts, key=lambda name: counts[name], default="")
    return (name, counts[name]) if counts.get(name) else None


def unknown(rows: Sequence[filters.BoardRow]) -> list[str]:
    """The columns in which no row has anything to say, as those of prices on a board of imported votes."""
    said = {
        "keeper": any(row.keeper_rate is not None for row in rows),
        "price": any(row.price is not None for row in rows),
        "seconds": any(row.seconds is not None for row in rows),
        "licence": any(row.licence or row.open_weights for row in rows),
    }
    return [column for column, has in said.items() if not has]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows under one line of the table; no line with an empty title."""

    title: str
    note: str
    rows: Sequence[filters.BoardRow]


def groups(
    board: Sequence[filters.BoardRow], shown: Sequence[filters.BoardRow], chosen: filters.Filters
) -> list[RowGroup]:
    """The rows that are shown under the only edges that votes support.

    Leaders stand apart where every one of them is above each of the others: no place of theirs reaches below their
    number, no other place reaches into it. Where every model could be first the table says so. Rows without a place
    come last. Any other order than the board's own has no groups.
    """
    placed = [row for row in shown if row.standing.place.is_known]
    others = [row for row in shown if not row.standing.place.is_known]
    apart = RowGroup(
        gettext("No place yet"),
        gettext("that takes wins and losses against the others, directly or through third models"),
        others,
    )
    if chosen.sort != "rank" or chosen.reverse or chosen.active:
        return [RowGroup("", "", placed)] * bool(placed) + [apart] * bool(others)
    first = [row.standing.place for row in board if row.standing.place.could_be_first]
    leaders = len(first)
    known = sum(row.standing.place.is_known for row in board)
    if leaders == known > 1:
        early = RowGroup(gettext("Any of these could be first"), gettext("the order below is not a result yet"), placed)
        return [early, *[apart] * bool(others)]
    if leaders and all((place.high or 0) <= leaders for place in first):
        lead = [row for row in placed if row.standing.place.could_be_first]
        behind = [row for row in placed if not row.standing.place.could_be_first]
        above = ngettext(
            "the leader rates above each of these", "all %(leaders)s leaders rate above each of these", leaders
        ) % {"leaders": leaders}
        return [
            RowGroup(gettext("Lead"), gettext("could be first") if leaders > 1 else gettext("first"), lead),
            *[RowGroup(gettext("Behind"), above, behind)] * bool(behind),
            *[apart] * bool(others),
        ]
    return [RowGroup("", "", placed)] * bool(placed) + [apart] * bool(others)
