"""What people ask about a model, answered from data alone: a question without data is not asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from leaderboard.board.translation import translated
from leaderboard.rating.number_words import both
from providers.web.numbers import significant


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the page knows, in values that can be said. None and "" are unknown."""

    name: str
    model_id: str
    base_url: str
    price: Decimal | None = None
    price_text: str = ""
    price_provider: str = ""
    price_estimated: bool = False
    sellers: Sequence[str] = ()
    largest: tuple[int, int] | None = None
    seconds: float | None = None
    seconds_provider: str = ""
    licence: str = ""
    open_weights: bool | None = None
    places: Sequence[str] = ()  # "3–5 of 8 in Text to image with an Elo of 1020 ±14"
    edits: bool = False
    sample: bool = False


def answered(known: Known) -> list[Question]:
    """The questions that our data answers about the model, in the page's order and language; others are left out."""
    pairs = [
        (gettext("How much does %(name)s cost?"), _cost(known)),
        (gettext("How good is %(name)s?"), _places(known)),
        (gettext("How fast is %(name)s?"), _speed(known)),
        (gettext("How do I use %(name)s through the API?"), _use(known)),
        (gettext("Which providers offer %(name)s?"), _providers(known)),
        (gettext("What is the largest image %(name)s makes?"), _largest(known)),
        (gettext("Can %(name)s edit images?"), _edits(known)),
        (gettext("Are the weights of %(name)s open?"), _weights(known)),
    ]
    return [Question(question % {"name": known.name}, answer) for question, answer in pairs if answer]


def _cost(known: Known) -> str:
    if known.price is None:
        return ""
    start = gettext("%(name)s starts at %(price)s per image of 1024 × 1024 pixels through %(provider)s.")
    sentences = [
        start % {"name": known.name, "price": known.price_text, "provider": known.price_provider},
        gettext("This price is an estimate.") if known.price_estimated else "",
        gettext("Prices vary by provider.") if len(known.sellers) > 1 else "",
        gettext("It is a sample model: its price is made up and nobody is charged.") if known.sample else "",
    ]
    return " ".join(filter(None, sentences))


def _places(known: Known) -> str:
    if not known.places:
        return ""
    return gettext("By blind votes, %(name)s is %(places)s.") % {"name": known.name, "places": _and(known.places)}


def _speed(known: Known) -> str:
    if known.seconds is None:
        return ""
    text = gettext(
        "Half of all images are there after %(seconds)s s or less through %(provider)s, "
        "measured on real requests of the last 30 days."
    )
    return text % {"seconds": significant(known.seconds, 2), "provider": known.seconds_provider}


def _use(known: Known) -> str:
    if not known.sellers:
        return ""
    text = gettext(
        "Send requests in the format of OpenAI’s Images API to %(url)s with the model id “%(model)s”. "
        "There are examples in Python, JavaScript and cURL on this page."
    )
    return text % {"url": known.base_url, "model": known.model_id}


def _providers(known: Known) -> str:
    if not known.sellers:
        return ""
    available = gettext("%(name)s is available through %(providers)s.")
    sentences = [available % {"name": known.name, "providers": _and(known.sellers)}]
    if len(known.sellers) > 1:
        sentences.append(gettext("Requests go to the best one that answers, or to the one you name."))
    return " ".join(sentences)


def _largest(known: Known) -> str:
    if not known.largest:
        return ""
    width, height = known.largest
    return gettext("Up to %(width)s × %(height)s pixels.") % {"width": width, "height": height}


def _edits(known: Known) -> str:
    if not known.sellers:
        return ""
    if known.edits:
        return gettext("Yes: send one or more source images with an instruction.")
    return gettext("No, it only makes images from text.")


def _weights(known: Known) -> str:
    if known.open_weights is None:
        return ""
    sentences = [
        gettext("Yes, they are published.")
        if known.open_weights
        else gettext("No, it can only be used through providers."),
        gettext("Its licence is %(licence)s.") % {"licence": known.licence} if known.licence else "",
    ]
    return " ".join(filter(None, sentences))


def _and(words: Sequence[str]) -> str:
    return translated(both(words))
