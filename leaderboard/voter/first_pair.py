"""The pair on the start page: the battle a voter owes, or for a new visitor a ballot that needs no row."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from arena import ballots, battles, voters
from arena.models import Category, Prompt


@dataclass(frozen=True, slots=True)
class Teaser:
    """What the page needs of a pair, and nothing that could tell who made it."""

    category: Category
    prompt: Prompt
    left: str  # addresses of the images
    right: str
    action: str  # where the vote goes
    ballot: str = ""  # what goes with it

    @property
    def shape(self) -> tuple[int, int]:
        width, height = map(int, self.prompt.competition.shape.split(":"))
        return (768, round(768 * height / width))


def of_visitor(request: HttpRequest, category: Category) -> Teaser | None:
    """A new visitor's pair is drawn anew on every look; a voter's stays until it is answered."""
    prompts = Prompt.objects.select_related("competition__category")
    voter = voters.current(request)
    if voter is not None:
        battle = battles.serve(voter, category)
        if battle is None:
            return None
        left, right = (reverse("arena:small-image", args=[token]) for token in (battle.left_token, battle.right_token))
        return Teaser(category, prompts.get(pk=battle.prompt_id), left, right, reverse("arena:vote", args=[battle.pk]))
    ballot = ballots.draw(category)
    if ballot is None:
        return None
    left, right = (reverse("arena:ballot-image", args=[ballots.seal_image(e)]) for e in (ballot.left, ballot.right))
    prompt = prompts.get(pk=ballot.prompt)
    return Teaser(category, prompt, left, right, reverse("arena:ballot"), ballots.seal(ballot))
