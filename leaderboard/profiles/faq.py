"""What people ask about a model, answered from data alone: a question without data is not asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


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
    """The questions that our data answers about the model, in the page's order; the others are left out."""
    name = known.name
    pairs = [
        (f"How much does {name} cost?", _cost(known)),
        (f"How good is {name}?", _places(known)),
        (f"How fast is {name}?", _speed(known)),
        (f"How do I use {name} through the API?", _use(known)),
        (f"Which providers offer {name}?", _providers(known)),
        (f"What is the largest image {name} makes?", _largest(known)),
        (f"Can {name} edit images?", _edits(known)),
        (f"Are the weights of {name} open?", _weights(known)),
    ]
    return [Question(question, answer) for question, answer in pairs if answer]


def _cost(known: Known) -> str:
    if known.price is None:
        return ""
    by = " Prices vary by provider." if len(known.sellers) > 1 else ""
    estimated = " This price is an estimate." if known.price_estimated else ""
    sample = " It is a sample model: its price is made up and nobody is charged." if known.sample else ""
    start = f"{known.name} starts at {known.price_text} per image of 1024 × 1024 pixels through {known.price_provider}."
    return f"{start}{estimated}{by}{sample}"


def _places(known: Known) -> str:
    return f"By blind votes, {known.name} is {_and(known.places)}." if known.places else ""


def _speed(known: Known) -> str:
    if known.seconds is None:
        return ""
    return (
        f"Half of all images are there after {known.seconds:.2g} s or less through {known.seconds_provider}, "
        "measured on real requests of the last 30 days."
    )


def _use(known: Known) -> str:
    if not known.sellers:
        return ""
    return (
        f"Send requests in the format of OpenAI’s Images API to {known.base_url} with the model id "
        f"“{known.model_id}”. There are examples in Python, JavaScript and cURL on this page."
    )


def _providers(known: Known) -> str:
    if not known.sellers:
        return ""
    one = len(known.sellers) == 1
    rest = "" if one else " Requests go to the best one that answers, or to the one you name."
    return f"{known.name} is available through {_and(known.sellers)}.{rest}"


def _largest(known: Known) -> str:
    return f"Up to {known.largest[0]} × {known.largest[1]} pixels." if known.largest else ""


def _edits(known: Known) -> str:
    if not known.sellers:
        return ""
    return (
        "Yes: send one or more source images with an instruction."
        if known.edits
        else "No, it only makes images from text."
    )


def _weights(known: Known) -> str:
    if known.open_weights is None:
        return ""
    licence = f" Its licence is {known.licence}." if known.licence else ""
    return (
        "Yes, they are published." if known.open_weights else "No, it can only be used through providers."
    ) + licence


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
