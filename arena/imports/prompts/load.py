"""Prompts in bulk: compared with what a category has, shown as a dry run, then added in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max

from arena import images
from arena.imports.prompts import files, similar
from arena.imports.prompts.files import PromptFile, PromptRow
from arena.models import Competition, Prompt
from providers.models import ModeChoices

MAX_TEXT = 10_000  # characters
MAX_POSITION = 32_767
NEAR = 0.7  # similarity of trigrams from which on two prompts are nearly the same


class PromptVerdict(StrEnum):
    NEW = "new"
    SAME = "same"  # the competition has it, or the file had it before
    NEAR = "near-same"  # the category has, or the file had, one that differs by a word or so
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row of the file and what would become of it; `reason` names the twin, or what is wrong."""

    row: PromptRow
    verdict: PromptVerdict
    reason: str = ""
    position: int | None = None
    source: bytes = b""  # the cleaned source image
    source_sha256: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    rows: list[CheckedRow]
    added: Sequence[Prompt] = ()  # what `add` stored

    def counts(self) -> dict[str, int]:
        """verdict → rows, all verdicts in their order."""
        counts = Counter(checked.verdict for checked in self.rows)
        return {str(verdict): counts[verdict] for verdict in PromptVerdict}

    def with_verdict(self, verdict: PromptVerdict) -> list[CheckedRow]:
        return [checked for checked in self.rows if checked.verdict == verdict]


def dry_run(competition: Competition, file: PromptFile) -> DryRun:
    """What would become of every row; nothing is stored."""
    known = {_key(prompt.text, prompt.source_sha256): f"prompt {prompt.pk}" for prompt in _with_hashes(competition)}
    rows: list[CheckedRow] = []
    for row in file.rows:
        checked = _checked(competition, row, file, {sha for _, sha in known})
        if checked.verdict != PromptVerdict.REFUSED:
            key = _key(row.text, checked.source_sha256)
            if key in known:
                checked = replace(checked, verdict=PromptVerdict.SAME, reason=f"as {known[key]}")
            else:
                known[key] = f"line {row.line}"
        rows.append(checked)
    near = _near(competition, [checked for checked in rows if checked.verdict == PromptVerdict.NEW])
    return DryRun(
        [
            replace(checked, verdict=PromptVerdict.NEAR, reason=near[checked.row.line])
            if checked.verdict == PromptVerdict.NEW and checked.row.line in near
            else checked
            for checked in rows
        ]
    )


def add(competition: Competition, file: PromptFile, *, near_too: bool = False) -> DryRun:
    """Add what is new – with `near_too`, also what is nearly the same – in one transaction; returns what was decided.

    The second time, all is the same and nothing is added.
    """
    with transaction.atomic():
        # One import at a time into a competition: two of the same file add it once.
        Competition.everything.select_for_update(no_key=True).get(pk=competition.pk)
        result = dry_run(competition, file)
        chosen = [
            checked
            for checked in result.rows
            if checked.verdict == PromptVerdict.NEW or (near_too and checked.verdict == PromptVerdict.NEAR)
        ]
        last = competition.prompts.aggregate(last=Max("position"))["last"] or 0
        added = Prompt.everything.bulk_create(
            [
                Prompt(
                    competition=competition,
                    text=checked.row.text,
                    tags=list(checked.row.tags),
                    source_image=_stored(checked),
                    source_sha256=checked.source_sha256,
                    source_credit=checked.row.credit,
                    position=min(last + number if checked.position is None else checked.position, MAX_POSITION),
                )
                for number, checked in enumerate(chosen, start=1)
            ],
            batch_size=1_000,
        )
    return replace(result, added=added)


def export(competition: Competition) -> tuple[bytes, str]:
    """(bytes, "csv" or "zip") of the competition's current prompts, which `add` finds nothing new in."""
    rows: list[PromptRow] = []
    sources: dict[str, bytes] = {}
    for prompt in competition.prompts.current().order_by("position", "pk"):
        name = ""
        if prompt.source_image:
            name = f"images/{prompt.pk}.jpg"
            with prompt.source_image.open("rb") as file:
                sources[name] = file.read()
        rows.append(
            PromptRow(len(rows) + 2, prompt.text, tuple(prompt.tags), name, prompt.source_credit, str(prompt.position))
        )
    return files.write(rows, sources)


def _with_hashes(competition: Competition) -> Iterator[Prompt]:
    """The competition's prompts, retired ones too, with the sha256 of their source images, read where it is unknown."""
    for prompt in competition.prompts.all():
        if prompt.source_image and not prompt.source_sha256:
            try:
                with prompt.source_image.open("rb") as file:
                    prompt.source_sha256 = hashlib.sha256(file.read()).hexdigest()
            except FileNotFoundError:
                continue
            Prompt.everything.filter(pk=prompt.pk).update(source_sha256=prompt.source_sha256)
        yield prompt


def _key(text: str, sha256: str) -> tuple[str, str]:
    return " ".join(text.casefold().split()), sha256


def _checked(competition: Competition, row: PromptRow, file: PromptFile, known_sources: set[str]) -> CheckedRow:
    """Whatever can be said of the row alone."""

    def refused(reason: str) -> CheckedRow:
        return CheckedRow(row, PromptVerdict.REFUSED, reason)

    if not row.text:
        return refused("It has no text.")
    if len(row.text) > MAX_TEXT:
        return refused(f"Its text has {len(row.text):,} characters; {MAX_TEXT:,} is the limit.")
    if "\0" in row.text + row.credit + "".join(row.tags) or not _is_unicode(row.text + row.credit + "".join(row.tags)):
        return refused("It holds a character that is none (NUL, or half of a pair).")
    if long := [tag for tag in row.tags if len(tag) > 40]:
        return refused(f"The tag “{long[0][:40]}…” has more than 40 characters.")
    if len(row.credit) > 200:
        return refused("Its credit has more than 200 characters.")
    position = None
    if row.position:
        if not row.position.isascii() or not row.position.isdigit() or int(row.position[:9]) > MAX_POSITION:
            return refused(f"The position “{row.position[:20]}” is no number from 0 to {MAX_POSITION}.")
        position = int(row.position)
    edits = competition.category.mode == ModeChoices.EDIT
    if edits != bool(row.source_image):
        return refused(
            "An editing prompt needs the image to edit: name it in the column source_image, and upload a ZIP."
            if edits
            else "Only prompts of an image-editing category take a source image."
        )
    if not edits:
        return CheckedRow(row, PromptVerdict.NEW, position=position)
    if row.source_image not in file.images:
        return refused(f"The archive holds no file “{row.source_image[:100]}”.")
    data = file.images[row.source_image]
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 not in known_sources:  # what was cleaned once is not encoded again
        try:
            data = images.clean_source(data)
        except images.BadImage as error:
            return refused(f"“{row.source_image[:100]}”: {error}")
        sha256 = hashlib.sha256(data).hexdigest()
    return CheckedRow(row, PromptVerdict.NEW, position=position, source=data, source_sha256=sha256)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stored(checked: CheckedRow) -> str:
    """The source image's name in the store, by its content: the same picture is stored once."""
    if not checked.source:
        return ""
    name = f"sources/{checked.source_sha256[:32]}.jpg"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(checked.source))
    return name


def _near(competition: Competition, rows: Sequence[CheckedRow]) -> dict[int, str]:
    """Line → its near twin in words: in the category, or in an earlier line of the file."""
    if not rows:
        return {}
    prompts = Prompt.everything.current().filter(competition__category=competition.category_id).order_by("pk")
    known = list(prompts.values_list("text", "source_sha256"))
    texts = known + [(checked.row.text, checked.source_sha256) for checked in rows]
    near: dict[int, str] = {}
    by_source: dict[str, list[int]] = {}
    for index, (_, source) in enumerate(texts):
        by_source.setdefault(source, []).append(index)
    for indices in by_source.values():  # equal words about different pictures are different prompts
        first = sum(index < len(known) for index in indices)
        for one, other in similar.twins([texts[index][0] for index in indices], NEAR, first).items():
            index, twin = indices[one], indices[other]
            where = "one of this category" if twin < len(known) else f"line {rows[twin - len(known)].row.line}"
            near[rows[index - len(known)].row.line] = f"like {where}: “{texts[twin][0][:80]}”"
    return near
