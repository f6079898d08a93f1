"""Storing what was paid for: an entry and its files, or the bytes in the database until files can be stored."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal
from time import sleep

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from arena import images
from arena.models import Entry, Generation, SpooledImage
from arena.models.generations import GenerationQuerySet, Status
from providers import routing
from providers.connections.database import release_connection
from providers.files import file_store
from providers.models import Call

log = logging.getLogger(__name__)

MAX_PAUSE = timedelta(minutes=5)
STORE_PAUSE = timedelta(seconds=10)  # before a spooled image is tried again


def store(generation: Generation, generated: routing.Generated, derivatives: images.Derivatives) -> Entry | None:
    """Create the entry, unless this attempt has lost the row meanwhile: then its files are deleted again (None).

    Raises StoreUnwritable and DatabaseError, with nothing stored.
    """
    seed = _seed_of(generated)
    return _store(
        generation, owned(generation), generated.image.data, generated.call, seed, derivatives, generated.spent
    )


def _store(
    generation: Generation,
    owned: GenerationQuerySet,
    data: bytes,
    call: Call | None,
    seed: str,
    derivatives: images.Derivatives,
    spent: Decimal = Decimal(0),
) -> Entry | None:
    files = file_store.save(images.files_of(derivatives, data))
    try:
        with transaction.atomic():
            if owned.to_succeeded(spent=F("spent") + spent):
                SpooledImage.objects.filter(generation=generation).delete()
                return Entry.everything.create(
                    generation=generation,
                    prompt=generation.prompt,
                    image_model=generation.image_model,
                    call=call,
                    width=derivatives.width,
                    height=derivatives.height,
                    pipeline=images.PIPELINE,
                    seed=seed,
                    **files,
                )
    except BaseException:
        file_store.delete(files.values())
        raise
    log.warning("generation %s: attempt %s came too late", generation.pk, generation.attempt)
    file_store.delete(files.values())
    return None


def _seed_of(generated: routing.Generated) -> str:
    return "" if generated.images[0].seed is None else str(generated.images[0].seed)[:40]


def spool(generation: Generation, generated: routing.Generated, reason: str) -> None:
    """Keep the bytes in the database until they can be stored.

    While the database does not take them either, they wait here in memory for as long as the lease protects the row.
    """
    while True:
        try:
            with transaction.atomic():
                spent = F("spent") + generated.spent
                if owned(generation).to_storing(timezone.now() + STORE_PAUSE, f"Not stored yet: {reason}", spent=spent):
                    SpooledImage.objects.create(
                        generation=generation,
                        data=generated.image.data,
                        call=generated.call,
                        seed=_seed_of(generated),
                    )
            return
        except DatabaseError:
            release_connection()
            assert generation.lease_expires_at is not None
            if timezone.now() >= generation.lease_expires_at:
                raise
            sleep(1)


def store_spooled(pk: int) -> None:
    """Store a spooled image, if there is one and it is due; no provider is asked."""
    if not Generation.objects.due().filter(pk=pk, status=Status.STORING).update(due_at=timezone.now() + MAX_PAUSE):
        return
    spooled = SpooledImage.objects.select_related("generation__prompt__competition", "generation__image_model", "call")
    image = spooled.get(pk=pk)
    generation, data = image.generation, bytes(image.data)
    storing: GenerationQuerySet = Generation.objects.filter(pk=pk, status=Status.STORING)
    try:
        derivatives = images.normalise(data, generation.prompt.competition.shape)
        _store(generation, storing, data, image.call, image.seed, derivatives)
    except (file_store.StoreUnwritable, DatabaseError) as error:
        storing.to_storing(timezone.now() + STORE_PAUSE, f"Not stored yet: {error}")
    except Exception as error:  # an error on this side: the bytes stay until it is mended
        log.exception("generation %s cannot be stored", pk)
        storing.to_storing(timezone.now() + MAX_PAUSE, f"Not stored yet: {type(error).__name__}: {error}")


def owned(generation: Generation) -> GenerationQuerySet:
    """The row, as long as this attempt owns it."""
    rows: GenerationQuerySet = Generation.objects.filter(
        pk=generation.pk, status=Status.RUNNING, attempt=generation.attempt
    )
    return rows
