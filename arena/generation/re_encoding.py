"""Bringing entries' files up to date with today's pipeline, from their originals.

All entries of a prompt change at one moment: a voter never sees two images of which one is known by its encoder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction

from arena import images
from arena.models import Entry
from providers.files import file_store

log = logging.getLogger(__name__)

_COLUMNS = ("image", "small", "thumbnail")


def re_encode(entries: Iterable[Entry]) -> list[str]:
    """Replace these entries' files by those of today's pipeline; returns why some still have their old ones.

    Battles that are open show the new files at their old URLs; the old files go last, so nothing is ever missing.
    Raises StoreUnwritable, with nothing replaced.
    """
    made: list[tuple[Entry, images.Derivatives, dict[str, str]]] = []
    failures: list[str] = []
    try:
        for entry in entries:
            try:
                made.append((entry, *_made(entry)))
            except (images.BadImage, FileNotFoundError) as error:
                failures.append(f"entry {entry.pk}: {error}")
    except BaseException:
        file_store.delete(name for _, _, files in made for name in files.values())
        raise
    unused: list[str] = []
    with transaction.atomic():
        for entry, derivatives, files in made:
            # Another worker may have been quicker.
            is_ours = Entry.everything.filter(pk=entry.pk, image=entry.image.name).update(
                width=derivatives.width, height=derivatives.height, pipeline=images.PIPELINE, **files
            )
            unused += [str(getattr(entry, column).name) if is_ours else files[column] for column in _COLUMNS]
    file_store.delete(unused)
    return failures


def re_encode_next() -> None:
    """Re-encode one prompt whose files another pipeline made, if there is one.

    Any: one whose originals are lost does not keep the others waiting.
    """
    outdated = Entry.everything.exclude(pipeline=images.PIPELINE)
    prompt = outdated.order_by("?").values_list("prompt", flat=True).first()
    if prompt is not None:
        for failure in re_encode(outdated.filter(prompt=prompt).select_related("prompt__competition")):
            log.warning("not re-encoded: %s", failure)


def _made(entry: Entry) -> tuple[images.Derivatives, dict[str, str]]:
    with entry.original.open("rb") as file:
        data = file.read()
    derivatives = images.normalise(data, entry.prompt.competition.shape)
    files = images.files_of(derivatives, data)
    return derivatives, file_store.save({column: files[column] for column in _COLUMNS})
