"""What a voter learns after the vote: whose images they were, what the vote moves, and how others voted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from arena.models import Tally, Vote
from leaderboard.models import Rating
from leaderboard.rating import elo

ENOUGH = 10  # votes of others before their share says anything; fewer would also tell who they were


@dataclass(frozen=True, slots=True)
class Others:
    """How others answered the same question, turned the way this voter saw it."""

    about: str  # "images": these two; "models": any images of the two models
    left: int
    tie: int
    both_bad: int
    right: int

    @property
    def votes(self) -> int:
        return self.left + self.tie + self.both_bad + self.right

    def share(self, side: str) -> float:
        return (self.left if side == "left" else self.right) / self.votes


@dataclass(frozen=True, slots=True)
class Reveal:
    """`change` is the step of a running Elo that this one vote would make for the left model, the right one's being the
    opposite. The board is fitted anew from all votes, so it moves by something else."""

    left: Rating | None
    right: Rating | None
    change: float | None
    others: Others | None


def of(vote: Vote) -> Reveal:
    """The vote's reveal; its `battle` says which images they were."""
    found = Rating.objects.filter(category=vote.category_id, image_model__in=(vote.left_model_id, vote.right_model_id))
    ratings = {rating.image_model_id: rating for rating in found}
    left, right = ratings.get(vote.left_model_id), ratings.get(vote.right_model_id)
    change = None
    if left and right and left != right and not vote.excluded_reason:
        change = elo.online_change(left.elo, right.elo, elo.SCORES[vote.outcome])
    return Reveal(left, right, change, others(vote))


def others(vote: Vote) -> Others | None:
    """On these two images, else on these two models; None where fewer than ten others answered."""
    entries, models = (vote.battle.left_id, vote.battle.right_id), (vote.left_model_id, vote.right_model_id)
    on_images = Vote.objects.counted().filter(battle__left__in=entries, battle__right__in=entries).exclude(pk=vote.pk)
    rows = on_images.values_list("battle__left", "outcome").annotate(n=Count("*")).order_by()
    found = _turned("images", rows, entries[0])
    if found.votes >= ENOUGH:
        return found
    if models[0] == models[1]:
        return None
    cells = Tally.objects.filter(Q(left_model__in=models, right_model__in=models), category=vote.category_id)
    own = [(models[0], vote.outcome, -1)] if not vote.excluded_reason else []
    sums = cells.values_list("left_model", "outcome").annotate(total=Sum("n")).order_by()
    found = _turned("models", [*sums, *own], models[0])
    return found if found.votes >= ENOUGH else None


def _turned(about: str, rows: Iterable[tuple[int, str, int]], left: int) -> Others:
    count = dict.fromkeys(("left", "tie", "both_bad", "right"), 0)
    for shown_left, outcome, n in rows:
        if shown_left != left and outcome in ("left", "right"):
            outcome = "right" if outcome == "left" else "left"
        count[outcome] += n
    return Others(about, **count)
