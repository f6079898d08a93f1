"""Queued generations of a model that one simulated provider offers."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from arena.models import Generation
from providers import cache
from tests import factories as make


def queued(
    text: str = "A red kite over dunes", provider: str = "simulated-fal", shape: str = "4:3", **offering
) -> Generation:
    """One generation whose model is offered by `provider` alone."""
    model = make.make_model()
    prompt = make.make_prompt(make.make_competition(shape=shape), text)
    make.make_offering(model, provider, endpoint=f"studio/{model.slug}", **offering)
    return make.make_generation(prompt, model)


def again(row: Generation) -> Generation:
    row.refresh_from_db()
    return row


def due_now(row: Generation) -> None:
    """What waits for its time waits no longer, and a store that was mended is probed again."""
    Generation.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    cache.clear_process_caches()


def end_lease() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.update(started_at=past - timedelta(hours=1), lease_expires_at=past)
