"""What the viewer shows of one prompt: every model's image of it, and what its voters preferred, pair by pair."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext

from arena.models import ImageTally, Prompt
from arena.templatetags.arena import public_url
from leaderboard.board import place_words
from leaderboard.board.head_to_head import PairRecord
from leaderboard.competitions import overview
from leaderboard.competitions.image_urls import large_url, source_url
from leaderboard.competitions.overview import Answer
from leaderboard.models import Rating
from leaderboard.rating.place import Place

MAX_IMAGES = 100  # more would fit no strip


def of_prompt(prompt: Prompt) -> dict[str, Any]:
    """As JSON: the prompt, its images with their URLs, shares and models' places on the board, best first, and the
    pairs that voters met.

    A pair has the positions of its images among `images`, the votes for either, the equal ones and the claim.
    """
    (asked,) = overview.best_answers([prompt], MAX_IMAGES)
    competition = prompt.competition
    places = {row.image_model_id: row.place for row in Rating.objects.filter(category=competition.category_id)}
    order = {answer.entry.pk: index for index, answer in enumerate(asked.answers)}
    names = [answer.entry.image_model.name for answer in asked.answers]
    pairs = [
        {
            "images": [order[one], order[other]],
            "votes": [record.won, record.tied + record.both_bad, record.lost],
            "claim": claim(names[order[one]], names[order[other]], record),
        }
        for (one, other), record in pair_records(prompt).items()
        if one in order and other in order
    ]
    return {
        "prompt": prompt.text,
        "question": competition.criterion,
        "competition": {"name": competition.title, "url": competition.get_absolute_url()},
        "source": _source(prompt),
        "images": [_image(answer, places.get(answer.entry.image_model_id)) for answer in asked.answers],
        "pairs": pairs,
    }


def _source(prompt: Prompt) -> dict[str, str] | None:
    return {"url": public_url(prompt.source_image), "small": source_url(prompt)} if prompt.source_image else None


def _image(answer: Answer, place: Place | None) -> dict[str, Any]:
    entry, result = answer.entry, answer.result
    return {
        "id": entry.pk,
        "model": entry.image_model.name,
        "model_url": entry.image_model.get_absolute_url(),
        "place": place_words.text(place or Place.unknown()),
        "url": entry.get_absolute_url(),
        "large": large_url(entry),
        "small": public_url(entry.thumbnail),
        "width": entry.width,
        "height": entry.height,
        "is_simulated": entry.is_simulated,
        "share": round(result.points, 4) if result and result.votes else None,
        "votes": result.votes if result else 0,
    }


def pair_records(prompt: Prompt) -> dict[tuple[int, int], PairRecord]:
    """By the ids of two images of the prompt, the smaller first: the counted votes between them. One query."""
    rows = ImageTally.objects.filter(low__prompt=prompt)
    return {
        (row.low_id, row.high_id): PairRecord(row.low_wins, row.high_wins, row.ties, row.both_bad)
        for row in rows
        if row.low_wins + row.high_wins + row.ties + row.both_bad
    }


def claim(one: str, other: str, record: PairRecord) -> str:
    """What the votes between two images say: only counted facts, never a judgement on what the images show. In the
    reader's language."""
    votes, equal = record.votes, record.tied + record.both_bad
    if not votes:
        return gettext("Nobody has met these two images yet.")
    if record.won == record.lost and record.won:
        text = ngettext("%(n)s of %(voters)s voter for each here.", "%(n)s of %(voters)s voters for each here.", votes)
        return text % {"n": record.won, "voters": votes}
    if record.won == record.lost:
        text = ngettext(
            "%(n)s of %(voters)s voter preferred neither here.",
            "%(n)s of %(voters)s voters preferred neither here.",
            votes,
        )
        return text % {"n": equal, "voters": votes}
    winner, n = (one, record.won) if record.won > record.lost else (other, record.lost)
    text = ngettext(
        "%(n)s of %(voters)s voter preferred %(winner)s here.",
        "%(n)s of %(voters)s voters preferred %(winner)s here.",
        votes,
    )
    return text % {"n": n, "voters": votes, "winner": winner}
