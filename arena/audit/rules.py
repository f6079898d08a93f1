"""What must hold in every single battle, whatever chance says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from providers.transfer import metadata

from . import words as vocabulary
from .features import pixels
from .markup import sides as halves
from .observed import Answer, Shown
from .words import Word

FORBIDDEN = {
    "etag", "last-modified", "content-disposition", "content-location", "server-timing", "link", "set-cookie",
    "x-accel-redirect", "x-sendfile", "content-range",
}  # fmt: skip
_TOKEN = re.compile(r"[\w-]{16,32}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often a rule was looked at and broken, with the first break as its example."""

    rule: str
    looked_at: int
    broken: int
    example: str = ""

    @property
    def holds(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True)
class Rule:
    """`breaks` yields one sentence per break in a battle."""

    name: str
    breaks: Callable[[Shown], Iterable[str]]


def judge(battles: Sequence[Shown], words: Sequence[Word]) -> list[Verdict]:
    """All rules over all battles."""
    verdicts = [_names(battles, words)]
    for rule in RULES:
        breaks = [list(rule.breaks(shown)) for shown in battles]
        first = next((broken[0] for broken in breaks if broken), "")
        verdicts.append(Verdict(rule.name, len(battles), sum(bool(broken) for broken in breaks), first))
    return [*verdicts, _tokens(battles)]


def _names(battles: Sequence[Shown], words: Sequence[Word]) -> Verdict:
    """No byte names a model, its lab, its provider or its file. What comes again is not read again."""
    broken, example = 0, ""
    innocent: dict[str, frozenset[bytes]] = {}
    read: dict[tuple[bytes, str, str], list[Word]] = {}
    for shown in battles:
        if shown.innocent not in innocent:
            innocent[shown.innocent] = vocabulary.spoken(words, shown.innocent)
        hits = []
        for answer in shown.answers:
            head = "\n".join(f"{key}: {value}" for key, value in answer.headers).encode()
            for data, kind in ((head, "text/headers"), (answer.body, answer.header("content-type"))):
                key = (data, kind, shown.innocent)
                if key not in read:
                    read[key] = vocabulary.find(words, data, kind, innocent[shown.innocent])
                hits += [(answer.asked, word) for word in read[key]]
        if hits:
            broken += 1
            asked, word = hits[0]
            example = example or f"{asked} holds the {word.meaning}: “{word.needle.decode()}”"
    return Verdict("no byte names a model, lab, provider or file", len(battles), broken, example)


def headers(shown: Shown) -> Iterable[str]:
    """Breaches of one battle: a header that may name a model, or an answer whose headers differ between the sides."""
    for name, left in {**shown.left.pictures, **shown.left.probes}.items():
        right = {**shown.right.pictures, **shown.right.probes}[name]
        for answer in (left, right):
            for key, value in answer.headers:
                if key.lower() in FORBIDDEN:
                    yield f"{answer.asked}: an image must not send {key} ({value})"
        if left.manner != right.manner:
            yield f"{name}: {_difference(left, right)}"


def _difference(left: Answer, right: Answer) -> str:
    pair = next((pair for pair in zip(left.manner, right.manner, strict=False) if pair[0] != pair[1]), None)
    if pair is None:
        return f"one side sends {abs(len(left.manner) - len(right.manner))} headers more"
    return f"left “{pair[0]}”, right “{pair[1]}”"


def probes(shown: Shown) -> Iterable[str]:
    """A range or condition is no way to get another answer than the whole image."""
    for side in shown.sides:
        for name, answer in side.probes.items():
            if answer.status != 200:
                yield f"{name} of the {side.place} image is answered with {answer.status}"


def plain(shown: Shown) -> Iterable[str]:
    """Files of more than one VP8 chunk: metadata, alpha, animation."""
    for side in shown.sides:
        for name, answer in side.pictures.items():
            chunks = [block.name for block in metadata.blocks(answer.body)]
            if chunks != ["VP8"]:
                remarks = ", ".join(remark.name for remark in metadata.remarks(answer.body))
                holds = f"{' '.join(chunks) or pixels(answer.body)} {remarks}".strip()
                yield f"the {side.place} image ({name}) holds {holds}"


def exact(shown: Shown) -> Iterable[str]:
    """Large images of another size than the competition's, small ones that differ from each other."""
    wide, high = shown.box
    for side in shown.sides:
        if (actual := pixels(side.pictures["large"].body)) != f"WEBP RGB {wide}×{high}":
            yield f"the {side.place} image is {actual} instead of WEBP RGB {wide}×{high}"
    small = [pixels(side.pictures["small"].body) for side in shown.sides if "small" in side.pictures]
    if len(set(small)) > 1:
        yield f"the small images are {' and '.join(small)}"


def alike(shown: Shown) -> Iterable[str]:
    """Both from today's pipeline, or both not: otherwise the newer one is known by it."""
    for name in shown.left.references:
        today = [side.pictures[name].sha256 == side.references[name].sha256 for side in shown.sides]
        if today[0] != today[1]:
            odd = shown.sides[today.index(False)]
            yield f"the {odd.place} image ({name}) is not what today's pipeline makes; manage.py remake_images helps"


def same_markup(shown: Shown) -> Iterable[str]:
    """Where the two halves of the page differ in more than the token."""
    left, right = halves(shown.page.body.decode("utf-8", "replace"), shown.left.token, shown.right.token)
    if not left or not right:
        yield "the page does not show both images"
    for one, other in zip(left, right, strict=False):
        if one != other:
            at = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
            yield f"left …{one[max(0, at - 30) : at + 50]}… right …{other[max(0, at - 30) : at + 50]}…"
    if len(left) != len(right):
        yield f"{len(left)} elements belong to the left image, {len(right)} to the right one"


def not_public(shown: Shown) -> Iterable[str]:
    """Images whose bytes are in the public gallery, where they stand beside a name."""
    for side in shown.sides:
        for name, answer in side.pictures.items():
            if answer.sha256 in side.public:
                yield f"the {side.place} image ({name}) is byte for byte in the public gallery"


def dead(shown: Shown) -> Iterable[str]:
    """Refusals with another status than expected, or with a text of their own."""
    for refused in shown.refused:
        if refused.answer.status not in refused.expected:
            yield f"{refused.what}: answered with {refused.answer.status}"
        elif refused.twin is not None and refused.answer.body != refused.twin:
            yield f"{refused.what}: its refusal reads otherwise than that of what does not exist or is not asked about"


def unnamed(shown: Shown) -> Iterable[str]:
    """Pages that show the prompt's images beside names while the voter is asked about it."""
    for where, file in shown.named:
        yield f"{where} shows {file} beside names while the voter is asked about its prompt"


def _tokens(battles: Sequence[Shown]) -> Verdict:
    """Every URL is random and of one battle only, so it cannot be looked up or recognised."""
    seen: set[str] = set()
    broken, example = 0, ""
    for shown in battles:
        bad = [side for side in shown.sides if side.token in seen or not _TOKEN.fullmatch(side.token)]
        seen |= {side.token for side in shown.sides}
        broken += bool(bad)
        example = example or (f"the URL /i/{bad[0].token} was used before or is malformed" if bad else "")
    return Verdict("every image URL is new", len(battles), broken, example)


RULES = (
    Rule("both images come with the same headers, none that identifies", headers),
    Rule("HEAD, ranges and conditions change nothing", probes),
    Rule("image files hold a picture and nothing else", plain),
    Rule("every image has exactly the competition's size", exact),
    Rule("both images come from the same pipeline", alike),
    Rule("both sides have the same markup", same_markup),
    Rule("no battle image is in the public gallery", not_public),
    Rule("URLs are dead after their time, pages say nothing", dead),
    Rule("no page shows the prompt's images beside names", unnamed),
)
