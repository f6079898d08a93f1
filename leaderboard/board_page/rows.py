"""The rows of a board as its page and its CSV show them: standings, joined with what the models cost and take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from leaderboard.board.standings import Standing
from leaderboard.board_page import filters
from leaderboard.board_page import price_and_speed as facts


def rows(
    standings: Sequence[Standing], mode: str, known: dict[int, facts.Facts] | None = None, *, imported: bool = False
) -> list[filters.Row]:
    """One row per standing, in the same order, except that models without an interval come last: they have no rank.

    `known` are the facts of these models, where somebody has them already. Where votes came from elsewhere and none
    was “both bad”, nobody was asked that, so nothing is known of keepers.
    """
    if known is None:
        known = facts.of_models([each.rating.image_model_id for each in standings], mode)
    found = [_row(each, known.get(each.rating.image_model_id, facts.Facts())) for each in standings]
    if imported and not any(each.rating.both_bad for each in standings):
        found = [replace(row, keeper_rate=None) for row in found]
    return sorted(found, key=lambda row: row.rank is None)


def _row(standing: Standing, facts: facts.Facts) -> filters.Row:
    rating, model = standing.rating, standing.rating.image_model
    return filters.Row(
        rank=None if standing.half_width is None else rating.rank,
        slug=model.export_name,
        name=model.name,
        elo=rating.elo,
        votes=rating.votes,
        status=rating.status,
        best=rating.best,
        lab=model.lab.slug if model.lab else "",
        lab_name=model.lab.name if model.lab else "",
        licence=model.licence,
        open_weights=model.open_weights,
        released_on=model.released_on,
        keeper_rate=standing.keeper_rate,
        price=facts.price,
        seconds=facts.seconds,
        providers=facts.providers,
        standing=standing,
        facts=facts,
    )


def unknown(rows: Sequence[filters.Row]) -> list[str]:
    """The columns in which no row has anything to say, as those of prices on a board of imported votes."""
    said = {
        "keeper": any(row.keeper_rate is not None for row in rows),
        "price": any(row.price is not None for row in rows),
        "seconds": any(row.seconds is not None for row in rows),
        "licence": any(row.licence or row.open_weights for row in rows),
    }
    return [column for column, has in said.items() if not has]


def by_tier(rows: Sequence[filters.Row]) -> list[tuple[int | None, list[filters.Row]]]:
    """The rows under their tiers, models without an interval under None.

    One group without a tier where the order is another one, as when sorted by price: then the tiers would be shreds.
    """
    groups = [(tier, list(group)) for tier, group in groupby(rows, key=_tier)]
    tiers = [tier for tier, _ in groups]
    return groups if len(set(tiers)) == len(tiers) else [(0, list(rows))]


def _tier(row: filters.Row) -> int | None:
    return None if row.standing.half_width is None else row.standing.rating.tier
