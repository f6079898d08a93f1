"""The queue: what is planned, queued again, cancelled, and which rows are due for a task message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from arena.models import Competition, Entry, Generation, Prompt
from arena.models.generations import GenerationQuerySet, Status
from providers.files import file_store
from providers.models import ImageModel

REDISPATCH_SECONDS = 10  # a task message that no worker took for this long was lost: it is sent again
DISPATCH_LIMIT = 200  # task messages in one run; what is left waits for the next


def plan(prompt: Prompt, image_models: Iterable[ImageModel]) -> int:
    """Queue what is missing of these models' answers to the prompt, what was cancelled included; returns how many
    generations were queued. The second time: 0."""
    image_models = list(image_models)
    with transaction.atomic():
        before = prompt.generations.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for image_model in image_models
            ],
            ignore_conflicts=True,
        )
        cancelled = Generation.objects.filter(prompt=prompt, image_model__in=image_models, status=Status.CANCELLED)
        return prompt.generations.count() - before + _requeue(cancelled)


def plan_all(competition: Competition, image_models: Iterable[ImageModel]) -> int:
    """`plan` for all current prompts of a competition at once, the first prompts of all models first."""
    image_models = list(image_models)
    prompts = list(competition.prompts.current().order_by("position", "pk"))
    planned = Generation.objects.filter(prompt__in=prompts, image_model__in=image_models)
    with transaction.atomic():
        # Two curators at once: the second one waits, and then finds nothing missing.
        Competition.everything.select_for_update(no_key=True).get(pk=competition.pk)
        before = planned.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for prompt in prompts
                for image_model in image_models
            ],
            batch_size=2_000,
            ignore_conflicts=True,
        )
        return planned.count() - before + _requeue(planned.filter(status=Status.CANCELLED))


def unchecked(competition: Competition, image_model: ImageModel, provider: str) -> list[Prompt]:
    """The competition's prompts that the model has answered through another provider, and not yet through this one."""
    answered = Entry.objects.current().filter(
        image_model=image_model, generation__sample=0, call__isnull=False, prompt__competition=competition
    )
    planned = Generation.objects.filter(image_model=image_model, provider=provider)
    prompts = competition.prompts.current().filter(
        pk__in=answered.exclude(call__offering__provider=provider).values("prompt")
    )
    return list(prompts.exclude(pk__in=planned.values("prompt")).order_by("position", "pk"))


def plan_check(prompts: Iterable[Prompt], image_model: ImageModel, provider: str) -> int:
    """Queue a further sample of the model's answers to these prompts, through one provider: for blind votes between its
    own images, which no board counts. Returns how many were queued."""
    prompts = list(prompts)
    with transaction.atomic():
        rows = Generation.objects.filter(prompt__in=prompts, image_model=image_model).order_by()
        last = dict(rows.values_list("prompt").annotate(last=Max("sample")))
        queued = Generation.objects.bulk_create(
            Generation(
                prompt=prompt,
                image_model=image_model,
                sample=last.get(prompt.pk, 0) + 1,
                provider=provider,
                attempts_left=settings.GENERATION_ATTEMPTS,
            )
            for prompt in prompts
        )
    return len(queued)


def retry_capped(competition: Competition) -> int:
    """The competition's spend cap was changed: what waited for it is due now; returns how many."""
    capped = Generation.objects.of_competition(competition).filter(status=Status.QUEUED, outcome="spend_cap")
    return capped.to_queued(timezone.now())


def retry_failed(generations: Iterable[Generation]) -> int:
    """Queue failed generations once more; returns how many. The row keeps its count of attempts, which fences it."""
    pks = [generation.pk for generation in generations]
    return _requeue(Generation.objects.filter(pk__in=pks, status=Status.FAILED))


def cancel(generations: GenerationQuerySet, reason: str) -> int:
    """Cancel what is queued and not sent yet; returns how many."""
    return generations.filter(status=Status.QUEUED).to_cancelled(reason)


def _requeue(generations: GenerationQuerySet) -> int:
    return generations.to_queued(timezone.now(), attempts_left=settings.GENERATION_ATTEMPTS, charged_attempts=0)


def ahead_of(competition: Competition) -> int:
    """How many due generations of others are taken before the first queued one of this competition; 0: none waits."""
    waiting = Generation.objects.filter(prompt__competition=competition, status=Status.QUEUED)
    first = waiting.order_by("due_at", "pk").values_list("due_at", flat=True).first()
    if first is None:
        return 0
    others = _runnable().exclude(prompt__competition=competition)
    return others.filter(due_at__lt=first).count()


def take_due() -> list[int]:
    """Ids of the generations to send task messages for: due, and none sent in the last few seconds.

    None while files cannot be stored: an image that is asked for then could not be stored.
    """
    if file_store.trouble():
        return []
    now = timezone.now()
    due = (
        _runnable()
        .filter(Q(dispatched_at=None) | Q(dispatched_at__lte=now - timedelta(seconds=REDISPATCH_SECONDS)))
        .order_by("due_at", "pk")
    )
    with transaction.atomic():
        pks = list(due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:DISPATCH_LIMIT])
        Generation.objects.filter(pk__in=pks).update(dispatched_at=now)
    return pks


def _runnable() -> GenerationQuerySet:
    """Due, and of no competition that is paused."""
    return Generation.objects.due().exclude(status=Status.QUEUED, prompt__competition__paused_at__isnull=False)
