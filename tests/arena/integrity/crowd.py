"""A small arena in which many votes can be cast quickly: real battles, votes by the real statement."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.test import Client
from django.utils import timezone

from arena import battles, voting
from arena.battles import ballots, voter_state
from arena.imports.votes import load
from arena.models import Battle, Category, Entry, Generation, Prompt, Tally, Vote, Voter
from arena.voting import recount
from tests import factories as make


@dataclass(frozen=True)
class SeenBallot:
    """The URL of the battle that it will be, and the models on it."""

    url: str
    left_model: int
    right_model: int


class Crowd:
    """`models` on `prompts`; strengths in nats, the first model's the highest, evenly spread."""

    def __init__(self, models: int = 6, prompts: int = 10, spread: float = 1.0, seed: int = 1) -> None:
        self.random = Random(seed)
        self.now = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        self.tallied: Counter[tuple[int, int, str]] = Counter()
        self.images: Counter[tuple[int, int]] = Counter()
        self.category: Category = make.make_category()
        competition = make.make_competition(self.category)
        self.models = [make.make_model() for _ in range(models)]
        self.strength = {
            model.pk: spread * (0.5 - index / max(1, models - 1)) for index, model in enumerate(self.models)
        }
        self.prompts = [make.make_prompt(competition) for _ in range(prompts)]
        self.entries = [[make.make_entry(self.prompts[0], model) for model in self.models]]
        self.entries += [self._copies(prompt) for prompt in self.prompts[1:]]

    def _copies(self, prompt: Prompt) -> list[Entry]:
        """The first prompt's images once more, as answers to another prompt: quicker than making new ones."""
        now = timezone.now()
        generations = Generation.objects.bulk_create(
            Generation(prompt=prompt, image_model=entry.image_model, status="succeeded", started_at=now,
                       finished_at=now, outcome="ok")
            for entry in self.entries[0]
        )  # fmt: skip
        files = ("image", "small", "thumbnail", "original", "width", "height")
        entries: list[Entry] = Entry.objects.bulk_create(
            Entry(generation=generation, prompt=prompt, image_model=entry.image_model,
                  **{name: getattr(entry, name) for name in files})
            for generation, entry in zip(generations, self.entries[0], strict=True)
        )  # fmt: skip
        return entries

    def pairs(self, voter: Voter, count: int, only=None) -> list[Battle]:
        """Battles of this voter on random pairs, stored and shown as `battles` would."""
        every = [
            (row[one], row[other])
            for row in self.entries
            for one, other in itertools.permutations(range(len(self.models)), 2)
            if one < other and (only is None or only in (one, other))
        ]
        met = {frozenset(pair) for pair in voter.battles.values_list("left", "right")}
        every = [pair for pair in every if frozenset((pair[0].pk, pair[1].pk)) not in met]
        made = []
        for left, right in self.random.sample(every, count):
            left, right = self.random.sample((left, right), 2)
            made.append(
                Battle(voter=voter, prompt_id=left.prompt_id, left=left, right=right, probability=0.1,
                       expires_at=timezone.now() + battles.lifetime())
            )  # fmt: skip
        return Battle.objects.bulk_create(made)

    def vote(self, voter: Voter, count: int, answer, only=None) -> list[Battle]:
        """`answer(battle, honest)`: the outcome; `honest` is what an honest voter would say. By the real statement."""
        made = self.pairs(voter, count, only)
        for battle in made:
            voting.cast_vote(battle, answer(battle, self.honest(battle)))
        self._spread(made)
        voter_state.rebuild_progress(voter.pk, self.category.pk)
        return made

    def _spread(self, made: list[Battle]) -> None:
        """One after the other: a test is one transaction, in which the database's time stands still."""
        votes = list(Vote.objects.filter(battle__in=made))
        for vote in votes:
            self.now += timedelta(seconds=5)
            vote.cast_at = self.now
        Vote.objects.bulk_update(votes, ["cast_at"])

    def store(self, voter: Voter, count: int, answer, only=None) -> None:
        """As `vote`, at once and by hand: quicker."""
        made = self.pairs(voter, count, only)
        votes = [
            Vote(battle=battle, voter=voter, category=self.category, left_model=battle.left.image_model,
                 right_model=battle.right.image_model, outcome=answer(battle, self.honest(battle)))
            for battle in made
        ]  # fmt: skip
        Vote.objects.bulk_create(votes)
        for vote in votes:
            self.tallied[vote.left_model_id, vote.right_model_id, vote.outcome] += 1
            self.images[
                min(vote.battle.left_id, vote.battle.right_id), max(vote.battle.left_id, vote.battle.right_id)
            ] += 1
        self._spread(made)

    def tally(self) -> None:
        """Tallies of what was stored by hand."""
        today = timezone.now().date()
        cells = {"category": self.category, "day": today}
        for row in Tally.objects.filter(**cells):
            row.n += self.tallied.pop((row.left_model_id, row.right_model_id, row.outcome), 0)
            row.save(update_fields=["n"])
        Tally.objects.bulk_create(
            Tally(category=self.category, day=today, left_model_id=left, right_model_id=right, outcome=outcome, n=n)
            for (left, right, outcome), n in self.tallied.items()
        )
        for low, high in self.images:
            recount.rebuild_images(low, high)
        self.tallied.clear()
        self.images.clear()

    def honest(self, battle: Battle, ability: float = 1.0, ties: float = 0.15) -> str:
        return self.honest_between(battle.left.image_model_id, battle.right.image_model_id, ability, ties)

    def honest_between(self, left: int, right: int, ability: float = 1.0, ties: float = 0.15) -> str:
        if self.random.random() < ties:
            return self.random.choice(["tie", "both_bad"])
        d = ability * (self.strength[left] - self.strength[right])
        return "left" if self.random.random() < 1 / (1 + 2.718281828**-d) else "right"

    def import_votes(self, per_model: int) -> None:
        """Honest votes from elsewhere: `per_model` for each model."""
        lines = ["left,right,outcome"]
        slugs = {model.pk: model.slug for model in self.models}
        for _ in range(per_model * len(self.models) // 2):
            left, right = self.random.sample([model.pk for model in self.models], 2)
            lines.append(f"{slugs[left]},{slugs[right]},{self.honest_between(left, right)}")
        load.import_votes("\n".join(lines).encode(), self.category, "a simulated crowd")

    def ballot_of(self, client: Client) -> SeenBallot:
        """The first pair of a fresh browser, with what an attacker knows who names every picture."""
        response = client.get(f"/arena/{self.category.slug}/")
        ballot = ballots.unseal(client.cookies[f"{ballots.COOKIE}{self.category.pk}"].value)
        models = dict(Entry.objects.filter(pk__in=[ballot.left, ballot.right]).values_list("pk", "image_model"))
        return SeenBallot(make.battle_url(response), models[ballot.left], models[ballot.right])

    def spread_all(self) -> None:
        """Votes by the site's own statement, one after the other in time."""
        votes = list(Vote.objects.order_by("cast_at", "voter", "pk"))
        for vote in votes:
            self.now += timedelta(seconds=5)
            vote.cast_at = self.now
        Vote.objects.bulk_update(votes, ["cast_at"])

    def people(self, voters: int, votes: int) -> list[Voter]:
        made = [make.make_voter() for _ in range(voters)]
        for voter in made:
            self.store(voter, votes, lambda _, honest: honest)
        self.tally()
        return made
