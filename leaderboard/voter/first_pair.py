"""The pair on the start page: the battle a voter owes, or for a new visitor a ballot, which needs no row."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from arena import battles, voters
from arena.battles import ballots
from arena.models import Battle, Category, Prompt


@dataclass(frozen=True, slots=True)
class Teaser:
    """What the page needs of a pair, and nothing that could tell who made it."""

    category: Category
    prompt: Prompt
    left: str  # URLs of the images
    right: str
    action: str  # where the vote goes
    skip: str  # where a skip goes
    ballot: str = ""  # what goes with it

    @property
    def shape(self) -> tuple[int, int]:
        width, height = map(int, self.prompt.competition.shape.split(":"))
        return (768, round(768 * height / width))


def of_visitor(request: HttpRequest, category: Category) -> tuple[Teaser, ballots.Ballot | None] | None:
    """The pair, and the ballot that `ballots.remember` must put on the response; None when there is nothing to vote on.

    A visitor's pair stays the same until it is answered, or too old.
    """
    voter = voters.current(request)
    if voter is not None:
        battle = battles.serve(voter, category)
        if battle is None:
            return None
        return _teaser(category, battle, reverse("arena:vote", args=[battle.pk])), None
    drawn = ballots.of_browser(request, category)
    if drawn is None:
        return None
    ballot, _ = drawn
    return _teaser(category, ballot.as_battle, reverse("arena:ballot"), ballots.seal(ballot)), ballot


def _teaser(category: Category, battle: Battle, action: str, ballot: str = "") -> Teaser:
    left, right = (reverse("arena:small-image", args=[token]) for token in (battle.left_token, battle.right_token))
    prompt = Prompt.objects.select_related("competition__category").get(pk=battle.prompt_id)
    return Teaser(category, prompt, left, right, action, reverse("arena:skip", args=[battle.pk]), ballot)
