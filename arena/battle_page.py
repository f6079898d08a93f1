"""The voting page and its fragment, from a battle's row: which conditions and which texts the templates get.

Before the vote nothing of a model is among them: `_revealed` alone reads names, and only of a row that has a vote.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from django.db import connection
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString, mark_safe

from providers import accounts

from . import fragments, reveals
from .battle_rows import BattleRow, Side
from .models import Category, Outcome, Report
from .voter_progress import GOAL
from .voter_state import VoterState
from .voting import CastVote

Conditions = dict[str, Hashable]
Values = dict[str, str]

_SIDES = ("left", "right")
_SHOWN_AFTER_VOTE = (
    "outcome_label", "excluded_reason", "others_votes", "others_about",
    *(f"{side}_{name}" for side in _SIDES for name in (
        "thumbnail_url", "entry_url", "model_url", "name", "elo", "note", "change", "share")),
)  # fmt: skip
_NOTHING = dict.fromkeys(_SHOWN_AFTER_VOTE, "")
_OPEN: Conditions = dict.fromkeys(
    ("outcome", "is_excluded", "by_thumbnails", "is_held_back", "others", "left_rated", "right_rated", "left_badge",
     "right_badge", "has_change"), "",
)  # fmt: skip


def section(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    *,
    cast: CastVote | None = None,
    following: Iterable[BattleRow] = (),
    message: str = "",
) -> SafeString:
    """The battle as a fragment: `row` with, after its vote, the names, and the pairs that come after it."""
    return fragments.fill("arena/_battle.html", *_context(request, row, state, cast, list(following), message))


def page(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    *,
    following: Iterable[BattleRow] = (),
    message: str = "",
    template: str = "arena/battle.html",
) -> SafeString:
    """The battle as a whole page."""
    conditions, values = _context(request, row, state, None, list(following), message)
    # The menu marks the category by it.
    conditions["category"] = Category(pk=row.category, slug=row.category_slug, name=row.category_name)
    view = request.resolver_match
    conditions |= {
        "category_name": row.category_name,
        "is_entrance": view is not None and view.view_name == "arena:arena",
        "is_unexpired": not row.is_expired,
        "reasons": tuple(Report.Reason.choices),
    }
    return fragments.fill(template, conditions, values, request)


def _context(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    cast: CastVote | None,
    following: list[BattleRow],
    message: str,
) -> tuple[Conditions, Values]:
    token = get_token(request)
    votes = cast.votes if cast is not None else state.votes
    if cast is not None:
        row = replace(row, outcome=cast.outcome, cast_at=cast.cast_at, excluded_reason=cast.excluded_reason)
    ahead = "".join(_ahead(battle, votes, token) for battle in following)
    conditions, values = _common(row, votes, token)
    values |= {"message": message, "following": mark_safe(ahead)}  # noqa: S308 - made of filled fragments
    conditions |= {"has_message": bool(message), "state": _state(row)}
    if row.outcome is None:
        return conditions | _OPEN, values | _NOTHING
    # Pages of single images name their makers: not while another pair of this prompt waits for an answer.
    waiting = {battle.prompt for battle in (*state.waiting, *following) if battle.pk != row.pk}
    shown, names = _revealed(row, cast)
    return conditions | shown | {"is_held_back": row.prompt in waiting}, values | names


def _state(row: BattleRow) -> str:
    if row.outcome is not None:
        return "voted"
    if row.is_open:
        return "open"
    return "reported" if row.is_reported else "skipped" if row.skipped_at is not None else "expired"


def _ahead(row: BattleRow, votes: int, token: str) -> SafeString:
    """A pair that is on nobody's screen yet."""
    conditions, values = _common(row, votes, token)
    values |= {"message": "", "following": ""}
    conditions |= {"has_message": False, "state": "open"}
    return fragments.fill("arena/_ahead.html", conditions | _OPEN, values | _NOTHING)


def _common(row: BattleRow, votes: int, token: str) -> tuple[Conditions, Values]:
    """What is the same before and after the vote."""
    url = row.url
    conditions: Conditions = {
        "shape": row.shape,
        "has_source": bool(row.source_image),
        "is_reported": row.is_reported,
        "has_ranking": votes >= GOAL,
        "goal": GOAL,
    }
    values = {
        "csrf_token": token,
        "battle_id": str(row.pk),
        "url": url,
        "vote_url": f"{url}vote/",
        "skip_url": f"{url}skip/",
        "report_url": f"{url}report/",
        "next_url": f"/arena/{row.category_slug}/",
        "ranking_url": reveals.extras.ranking_url(row.category_slug),
        "source_url": f"/images/{row.source_image}",
        "criterion": row.criterion,
        "prompt": linebreaksbr(row.text),
        "votes": str(votes),
        "width": str(row.left.width),  # both sides are declared alike
        "height": str(row.left.height),
        "small_width": str(round(row.left.width * 4 / 3)),
    }
    for name, side in (("left", row.left), ("right", row.right)):
        values[f"{name}_token"] = side.token
        values[f"{name}_image"] = f"/i/{side.token}.webp"
        values[f"{name}_small"] = f"/i/{side.token}.small.webp"
    return conditions, values


# After the vote ──────────────────────────────────────────────────────────────────────────────────────────────────────


def answered_pair(row: BattleRow, images: tuple[int, int, int, int] | None = None) -> reveals.AnsweredPair:
    """What a reveal is made from; `images` are the counted votes on the two images, read if they are not given."""
    assert row.outcome is not None
    assert row.cast_at is not None
    low_wins, high_wins, ties, both_bad = _image_tally(row) if images is None else images
    is_turned = row.left.entry > row.right.entry
    return reveals.AnsweredPair(
        category=row.category,
        left_model=row.left.model,
        right_model=row.right.model,
        outcome=row.outcome,
        counts=not row.excluded_reason,
        cast_at=row.cast_at,
        left_wins=high_wins if is_turned else low_wins,
        right_wins=low_wins if is_turned else high_wins,
        ties=ties,
        both_bad=both_bad,
    )


def _revealed(row: BattleRow, cast: CastVote | None) -> tuple[Conditions, Values]:
    assert row.outcome is not None
    counts = not row.excluded_reason
    shown = reveals.extras.reveal(answered_pair(row, cast.images if cast is not None and counts else None))
    others = shown.others
    conditions: Conditions = {
        "outcome": row.outcome,
        "is_excluded": not counts,
        "by_thumbnails": row.is_expired,
        "others": others.about if others else "",
        "left_rated": bool(shown.left.elo),
        "right_rated": bool(shown.right.elo),
        "left_badge": _badge(row.left),
        "right_badge": _badge(row.right),
        "has_change": bool(shown.left.change),
    }
    values = {
        "outcome_label": str(Outcome(row.outcome).label),
        "excluded_reason": row.excluded_reason or "",
        "others_votes": str(others.votes) if others else "",
        "others_about": others.about if others else "",
        "left_share": others.left if others else "",
        "right_share": others.right if others else "",
    }
    for name, side, figures in (("left", row.left, shown.left), ("right", row.right, shown.right)):
        values |= {
            f"{name}_thumbnail_url": f"/images/{side.thumbnail}",
            f"{name}_entry_url": f"/entries/{side.entry}/",
            f"{name}_model_url": f"/models/{side.slug}/",
            f"{name}_name": side.name,
            f"{name}_elo": figures.elo,
            f"{name}_note": figures.note,
            f"{name}_change": figures.change,
        }
    return conditions, values


def _badge(side: Side) -> str:
    if side.origin == "sample":
        return "sample"
    return "simulated" if side.provider and accounts.is_simulated(side.provider) else ""


def _image_tally(row: BattleRow) -> tuple[int, int, int, int]:
    """All counted votes on the battle's two images: wins of the smaller id, wins of the other, ties, both bad."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT low_wins, high_wins, ties, both_bad FROM arena_imagetally WHERE low_id = %s AND high_id = %s",
            sorted((row.left.entry, row.right.entry)),
        )
        tally = cursor.fetchone()
    return tally or (0, 0, 0, 0)
