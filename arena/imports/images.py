"""Images made elsewhere: a ZIP of files and a table that says which model answered which prompt with which file.

They go through the same pipeline as all others, so nothing distinguishes them in a battle. They have no call: no price,
no time. Brought a second time, they are the same.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from arena import images
from arena.imports import archives, tabular
from arena.models import Competition, Entry, Generation, ImportedName, Prompt
from providers.files import file_store
from providers.models import ImageModel

COLUMNS = ("prompt", "model", "file")
Status = Generation.Status


class ImageVerdict(StrEnum):
    NEW = "new"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A line of the table, as it stands there."""

    line: int
    prompt: str
    model: str
    file: str


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """What became of a line; `reason` says why it was refused."""

    row: ImageRow
    verdict: ImageVerdict
    reason: str = ""


def counts(rows: list[ImportedImage]) -> dict[str, int]:
    """verdict → lines, all verdicts in their order."""
    numbers = Counter(row.verdict for row in rows)
    return {str(verdict): numbers[verdict] for verdict in ImageVerdict}


def read_table(data: bytes) -> list[ImageRow]:
    """The lines of a CSV with prompt, model and file. Raises tabular.BadFile."""
    text = tabular.decode(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=tabular.delimiter_of(text.split("\n", 1)[0]))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            raise tabular.BadFile(
                f"Line 1: the column {', '.join(missing)} is missing. Needed are {', '.join(COLUMNS)}; the file has "
                f"{tabular.listed(header)}."
            )
        at = [header.index(name) for name in COLUMNS]
        rows = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                cells += [""] * (len(header) - len(cells))
                rows.append(ImageRow(reader.line_num, *(cells[column].strip() for column in at)))
        return rows
    except csv.Error as error:
        raise tabular.BadFile(f"The file breaks off as CSV in line {reader.line_num}: {error}.") from error


def import_images(
    archive: bytes,
    table: bytes,
    competition: Competition,
    by: str,
    *,
    create_models: bool = False,
    dry_run: bool = False,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> list[ImportedImage]:
    """Make an entry of every line that can be taken, each in a transaction of its own; returns what became of each.

    A prompt is named by its text or its number, a model by alias, slug or name; an unknown model is refused, or with
    `create_models` added as "imported". `by` is who brings the images. Raises tabular.BadFile for an archive or table
    that cannot be read, and StoreUnwritable; what was done until then stays, and is the same the next time.
    """
    rows = read_table(table)
    files = archives.read(archive)
    bench = _Bench(competition, files, by, create_models, dry_run)
    results = []
    for number, row in enumerate(rows, start=1):
        verdict, reason = bench.take(row)
        results.append(ImportedImage(row, verdict, reason))
        report(number, len(rows))
    return results


class _Refused(Exception):
    """A line that is not taken; the message says why."""


class _Bench:
    """One import: what is looked up once for all of its lines."""

    def __init__(
        self, competition: Competition, files: Mapping[str, bytes], by: str, create_models: bool, dry_run: bool
    ) -> None:
        self.competition, self.files, self.by = competition, files, by
        self.create_models, self.dry_run = create_models, dry_run
        self.prompts: dict[str, list[Prompt]] = {}
        for prompt in competition.prompts.current():
            for name in {_folded(prompt.text), str(prompt.pk)}:
                self.prompts.setdefault(name, []).append(prompt)
        self.is_private = competition.category.is_private
        self.models = dict(_known_models(self.is_private))
        self.planned: set[tuple[int, str]] = set()

    def take(self, row: ImageRow) -> tuple[ImageVerdict, str]:
        try:
            prompt, data = self._prompt(row.prompt), self._file(row.file)
            model = self._model(row.model)
            if (prompt.pk, row.model) in self.planned:
                raise _Refused("An earlier line has an image of this model for this prompt.")
            self.planned.add((prompt.pk, row.model))
            sha256 = hashlib.sha256(data).hexdigest()
            if model is not None and self._is_known(prompt, model, sha256):
                return ImageVerdict.SAME, ""
            derivatives = images.normalise(data, self.competition.shape)
            if not self.dry_run:
                if model is None:
                    model = self.models[row.model] = ImageModel.everything.create(
                        name=row.model,
                        slug=_free_slug(row.model),
                        origin=ImageModel.Origin.IMPORTED,
                        modes=[self.competition.category.mode],
                        is_private=self.is_private,
                    )
                self._store(prompt, model, data, sha256, derivatives)
        except (_Refused, images.BadImage) as error:
            return ImageVerdict.REFUSED, str(error)
        return ImageVerdict.NEW, ""

    def _prompt(self, name: str) -> Prompt:
        prompts = self.prompts.get(_folded(name), [])
        if not prompts:
            raise _Refused(f"The competition has no prompt “{name[:80]}”." if name else "It names no prompt.")
        if len(prompts) > 1:
            numbers = ", ".join(str(prompt.pk) for prompt in prompts)
            raise _Refused(f"Several prompts have this text: name one by its number ({numbers}).")
        return prompts[0]

    def _file(self, name: str) -> bytes:
        if name not in self.files:
            raise _Refused(f"The archive holds no file “{name[:100]}”." if name else "It names no file.")
        return self.files[name]

    def _model(self, name: str) -> ImageModel | None:
        """None for one that is to be created."""
        if not name:
            raise _Refused("It names no model.")
        if (model := self.models.get(name)) is not None:
            return model
        if not self.create_models:
            raise _Refused(
                f"No model has the name or slug “{name[:80]}”. Correct it, or let unknown models be created."
            )
        if ImageModel.everything.filter(name=name).exists():  # retired, or private where this competition is not
            raise _Refused(f"A model that cannot compete here has the name “{name[:80]}”. Choose another name.")
        if len(name) > 160 or not name.isprintable():
            raise _Refused("The name of the model is too long, or holds a character that is none.")
        return None

    def _is_known(self, prompt: Prompt, model: ImageModel, sha256: str) -> bool:
        """Whether it was imported before. Raises _Refused where another image stands in its place."""
        entries = Entry.everything.filter(prompt=prompt)
        if (twin := entries.filter(original_sha256=sha256).select_related("image_model").first()) is not None:
            if twin.image_model_id == model.pk:
                return True
            raise _Refused(f"This very file is {twin.image_model}'s answer to the prompt already.")
        if entries.filter(image_model=model).exists():
            raise _Refused(f"{model} has another image for this prompt.")
        running = [Status.RUNNING, Status.STORING]
        if Generation.objects.filter(prompt=prompt, image_model=model, sample=0, status__in=running).exists():
            raise _Refused(f"{model} is being asked for this prompt now. Bring it when that is over.")
        return False

    def _store(
        self, prompt: Prompt, model: ImageModel, data: bytes, sha256: str, derivatives: images.Derivatives
    ) -> None:
        names = file_store.save(images.files_of(derivatives, data))
        try:
            with transaction.atomic():
                generation, _ = Generation.objects.get_or_create(
                    prompt=prompt,
                    image_model=model,
                    sample=0,
                    defaults={"attempts_left": settings.GENERATION_ATTEMPTS},
                )
                free = Generation.objects.filter(
                    pk=generation.pk, status__in=[Status.QUEUED, Status.FAILED, Status.CANCELLED]
                )
                if not free.to_succeeded(started_at=timezone.now()):
                    raise _Refused(f"{model} was asked for this prompt meanwhile.")
                Entry.everything.create(
                    generation=generation,
                    prompt=prompt,
                    image_model=model,
                    width=derivatives.width,
                    height=derivatives.height,
                    pipeline=images.PIPELINE,
                    imported_by=self.by[:150],
                    original_sha256=sha256,
                    **names,
                )
        except BaseException:
            file_store.delete(names.values())
            raise


def _known_models(private_too: bool) -> Iterator[tuple[str, ImageModel]]:
    """(name, model), what counts most last: name, slug, alias."""
    models = list(ImageModel.everything.current() if private_too else ImageModel.objects.current())
    yield from ((model.name, model) for model in models)
    yield from ((model.slug, model) for model in models)
    known = {model.pk: model for model in models}
    aliases = ImportedName.objects.filter(image_model__in=known)
    yield from ((alias.name, known[alias.image_model_id]) for alias in aliases)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _free_slug(name: str) -> str:
    slug = slugify(name)[:100].strip("-_") or "model"
    return (
        f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        if ImageModel.everything.filter(slug=slug).exists()
        else slug
    )
