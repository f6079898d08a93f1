"""The sentence above a board: what its votes support, of the whole board or of what a filter leaves of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.utils.translation import gettext

from arena.models import Category
from leaderboard.board import place_words, standings
from leaderboard.board_page import conditions
from leaderboard.board_page.filters import BoardRow, Filters
from leaderboard.models import Board, Covariance, Rating, RecentBoard
from leaderboard.rating import verdict
from leaderboard.rating.elo import expected_score
from leaderboard.rating.likelihood import Floats
from leaderboard.rating.verdict import Contender, Finding, Verdict
from providers.spending.money import usd
from providers.web.numbers import seconds


def contender(row: BoardRow) -> Contender:
    return Contender(
        row.name,
        row.elo,
        row.standing.place,
        row.status == "settled",
        row.status == "provisional",
        None if row.price is None else float(row.price),
        row.seconds,
    )


def of_board(rows: Sequence[BoardRow], board: Board | RecentBoard | None) -> Verdict:
    """Of a board as it was computed: its own finding, which a page does not find again from rows of another moment."""
    placed = [row for row in rows if row.standing.place.is_known]
    if board is None or not board.votes or not rows:
        return verdict.of_board(Finding("no votes"), [])
    limit = standings.limit_of([row.standing.rating for row in rows], board)
    return verdict.of_board(
        stored(board, placed),
        [contender(row) for row in placed],
        more_votes=board.finding.get("more_votes"),
        voters=board.voters,
        prompts=board.prompts,
        prompts_bind=limit is not None and limit.is_prompts,
    )


def stored(board: Board | RecentBoard, placed: Sequence[BoardRow]) -> Finding:
    """The board's finding, with `named` as indices of these rows; too early where none was stored."""
    index = {row.standing.rating.image_model_id: index for index, row in enumerate(placed)}
    finding = board.finding
    named = tuple(index[model] for model in finding.get("named", ()) if model in index)
    return Finding(
        finding.get("kind", "early"), named, finding.get("within"), finding.get("lacking", "" if finding else "votes")
    )


def of_part(rows: Sequence[BoardRow]) -> Verdict:
    """Of the votes on one tag, whose covariance is not stored: by the bounds of the places alone."""
    placed = [row for row in rows if row.standing.place.is_known]
    first = tuple(index for index, row in enumerate(placed) if row.standing.place.could_be_first)
    if len(placed) < verdict.MIN_MODELS or len(first) == len(placed):
        finding = Finding("early", lacking="votes")
    else:
        finding = Finding("lead" if len(first) == 1 else "open", first)
    return verdict.of_board(finding, [contender(row) for row in placed])


def of_filter(
    category: Category,
    rows: Sequence[BoardRow],
    shown: Sequence[BoardRow],
    filters: Filters,
    board: Board | RecentBoard | None,
) -> Verdict:
    """Of the rows that a filter leaves; their places stay those of the whole board. `board` None: of some days or one
    tag, whose covariance is not stored, so that only intervals which do not overlap tell two models apart."""
    placed = [row for row in shown if row.standing.place.is_known]
    models = [contender(row) for row in placed]
    if not shown:
        return verdict.of_filter(conditions.of(filters), Finding("early"), [], value=_nearest(rows, filters))
    if not placed:
        values = {"conditions": conditions.of(filters), "models": len(shown)}
        return Verdict(gettext("%(conditions)s: none of %(models)s has a place yet.") % values)
    finding = _by_intervals(placed) if board is None else find(category, placed, board)
    value = ""
    if finding.kind == "lead" and len(finding.named) == 1 and not models[finding.named[0]].is_provisional:
        value = _worth(models[finding.named[0]], [contender(row) for row in rows if row.standing.place.is_known])
    return verdict.of_filter(conditions.of(filters), finding, models, value=value)


def _nearest(rows: Sequence[BoardRow], filters: Filters) -> str:
    """What comes nearest to a limit of price, or else of time, that leaves nothing."""
    if filters.price is not None:
        priced = [row for row in rows if row.price is not None]
        cheapest = min(priced, key=lambda row: row.price or 0, default=None)
        values = {"name": cheapest.name, "price": usd(cheapest.price)} if cheapest else {}
        return gettext("The cheapest of all is %(name)s, %(price)s.") % values if values else ""
    timed = [row for row in rows if row.seconds is not None] if filters.seconds is not None else []
    quickest = min(timed, key=lambda row: row.seconds or 0, default=None)
    values = {"name": quickest.name, "time": seconds(quickest.seconds)} if quickest else {}
    return gettext("The fastest of all is %(name)s, %(time)s.") % values if values else ""


def _by_intervals(placed: Sequence[BoardRow]) -> Finding:
    highest = max(row.standing.rating.lower for row in placed)
    first = tuple(index for index, row in enumerate(placed) if row.standing.rating.upper >= highest)
    if len(first) == len(placed):
        return Finding("early", lacking="votes")
    return Finding("lead" if len(first) == 1 else "open", first)


def _worth(model: Contender, board: Sequence[Contender]) -> str:
    """Where it stands, and what it costs and wins against the leader of the whole board."""
    leader = max(board, key=lambda other: other.elo)
    if leader.name == model.name:
        return gettext("Its place: %(place)s.") % {"place": place_words.text(model.place)}
    values = {
        "place": place_words.text(model.place),
        "wins": round(10 * expected_score(model.elo, leader.elo)),
        "leader": leader.name,
    }
    if model.price is None or not leader.price:
        return gettext("Its place: %(place)s. It wins %(wins)s of 10 against %(leader)s.") % values
    costs = {**values, "price": usd(model.price), "leaders_price": usd(leader.price)}
    text = gettext(
        "Its place: %(place)s. It costs %(price)s, %(leader)s %(leaders_price)s, and wins %(wins)s of 10 against it."
    )
    return text % costs


def find(category: Category, placed: Sequence[BoardRow], board: Board | RecentBoard) -> Finding:
    """`verdict.find` of these models, indexed as given."""
    return find_ratings(category, [row.standing.rating for row in placed], board)


def find_ratings(category: Category, ratings: Sequence[Rating], board: Board | RecentBoard) -> Finding:
    """The same of ratings of one category."""
    covariance = Covariance.objects.filter(category=category).first()
    models = [rating.image_model_id for rating in ratings]
    if covariance is None or not set(models) <= set(covariance.image_models):
        return Finding("early", lacking="votes")
    return verdict.find(
        np.array([rating.elo for rating in ratings]),
        _part_of(covariance, models),
        voters=board.effective_voters,
        prompts=board.effective_prompts,
    )


def _part_of(covariance: Covariance, models: Sequence[int]) -> Floats:
    """The covariance [K, K] in Elo² of these models, by their ids."""
    k = len(covariance.image_models)
    whole = np.zeros((k, k))
    whole[np.triu_indices(k)] = np.frombuffer(covariance.entries, "<f4")
    whole = whole + np.triu(whole, 1).T
    order = [covariance.image_models.index(model) for model in models]
    return whole[np.ix_(order, order)]
