"""What a battle's page shows after its vote: the names, their places, how others voted. Nothing of it before."""

from __future__ import annotations

import re
from collections.abc import Hashable

from django.utils.translation import gettext, ngettext

from arena.battle_page import reveal_registry
from arena.battles.rows import BattleRow, Maker
from arena.integrity import rules
from arena.models import Outcome
from arena.voting import CastVote
from providers import accounts

Conditions = dict[str, Hashable]
Values = dict[str, str]


def answered_pair(
    row: BattleRow, images: tuple[int, int, int, int] | None = None, *, is_among: bool = True
) -> reveal_registry.AnsweredPair:
    """What a reveal is made from; `images` are the counted votes on the two images, read if they are not given, and the
    answer `is_among` them."""
    assert row.outcome is not None
    assert row.cast_at is not None
    low_wins, high_wins, ties, both_bad = (
        reveal_registry.image_tally(row.left.entry, row.right.entry) if images is None else images
    )
    is_turned = row.left.entry > row.right.entry
    left_maker, right_maker = row.makers
    return reveal_registry.AnsweredPair(
        category=row.category,
        left_model=left_maker.model,
        right_model=right_maker.model,
        outcome=row.outcome,
        counts=is_among and not row.excluded_reason,
        cast_at=row.cast_at,
        left_wins=high_wins if is_turned else low_wins,
        right_wins=low_wins if is_turned else high_wins,
        ties=ties,
        both_bad=both_bad,
    )


def revealed(row: BattleRow, cast: CastVote | None, *, is_among: bool = True) -> tuple[Conditions, Values]:
    """The conditions and texts of a pair's names, places and votes; `cast` is the vote that has just been stored."""
    assert row.outcome is not None
    left_maker, right_maker = row.makers
    counts = not row.excluded_reason
    images = cast.images if cast is not None and counts else None
    shown = reveal_registry.extras.reveal(answered_pair(row, images, is_among=is_among))
    crowd = shown.crowd
    conditions: Conditions = {
        "outcome": row.outcome,
        "is_excluded": not counts,
        "by_thumbnails": row.is_expired,
        "crowd": crowd.basis,
        "left_badge": _badge(left_maker),
        "right_badge": _badge(right_maker),
    }
    values = {
        "outcome_label": str(Outcome(row.outcome).label),
        "excluded_reason": _excluded_reason(row.excluded_reason or ""),
        "headline": shown.headline if counts else gettext("Kept, not counted."),
        "line": shown.line,
        "crowd_left": str(crowd.left),
        "crowd_right": str(crowd.right),
        "crowd_votes": ngettext("%(votes)s other vote", "%(votes)s other votes", crowd.votes) % {"votes": crowd.votes},
        "crowd_label": _crowd_label(crowd),
    }
    for name, entry, maker, figures in (
        ("left", row.left.entry, left_maker, shown.left),
        ("right", row.right.entry, right_maker, shown.right),
    ):
        conditions |= {f"{name}_placed": bool(figures.place), f"{name}_rated": bool(figures.elo)}
        values |= {
            f"{name}_thumbnail_url": f"/images/{maker.thumbnail}",
            f"{name}_entry_url": f"/entries/{entry}/",
            f"{name}_model_url": f"/private/{row.category_slug}/" if row.is_private else f"/models/{maker.slug}/",
            f"{name}_name": maker.name,
            f"{name}_place": figures.place,
            f"{name}_long_place": figures.long_place,
            f"{name}_elo": figures.elo,
        }
    return conditions, values


def _crowd_label(crowd: reveal_registry.Crowd) -> str:
    """The bar of the shares, for those who do not see it."""
    shares = {"left": crowd.left, "right": crowd.right, "votes": crowd.votes}
    if crowd.basis == "expected":
        return gettext("Expected: A %(left)s, B %(right)s per cent") % shares
    return (
        ngettext(
            "A %(left)s, B %(right)s per cent of %(votes)s vote",
            "A %(left)s, B %(right)s per cent of %(votes)s votes",
            crowd.votes,
        )
        % shares
    )


def _excluded_reason(stored: str) -> str:
    """The reason stored with a vote, in the reader's language; a curator's is in the curator's own."""
    if numbers := _CAP_REASON.fullmatch(stored):
        return gettext(rules.CAP.reason).format_map(numbers.groupdict())
    return gettext(stored) if stored else ""


_CAP_REASON = re.compile(
    re.escape(rules.CAP.reason).replace(r"\{cap\}", r"(?P<cap>\d+)").replace(r"\{days\}", r"(?P<days>\d+)")
)


def _badge(maker: Maker) -> str:
    if maker.origin == "sample":
        return "sample"
    return "simulated" if maker.provider and accounts.is_simulated(maker.provider) else ""
