"""What the models make: the work (also the work queue) and the images that compete."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from arena.models.competitions import Competition, Prompt
from providers.accounts import is_simulated
from providers.models import Call, ImageModel
from providers.models.audience import public


class Status(models.TextChoices):
    """The states of a generation; `GenerationQuerySet` has the only ways from one to another."""

    QUEUED = "queued"
    RUNNING = "running"
    STORING = "storing"  # paid for; its bytes wait in the database until the file store takes them
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"  # never sent: retired, closed or called off while it was queued


UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.STORING)


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Which generations are in which state, and the moves from state to state.

    Each move is one UPDATE that writes every column the state decides, so that the CHECK on the table holds; further
    columns may be given. It returns how many rows moved: with a filter on the expected state, a compare-and-set.
    """

    def of_competition(self, competition: Competition) -> GenerationQuerySet:
        """Also for moves: an UPDATE of `prompt__competition` would look its rows up in a subquery on this very table.

        That compares all rows with all rows while Postgres thinks that there are few, and a row which another process
        moves meanwhile is not looked at again.
        """
        return self.filter(prompt__in=Prompt.everything.filter(competition=competition))

    def unfinished(self) -> GenerationQuerySet:
        return self.filter(status__in=UNFINISHED)

    def due(self) -> GenerationQuerySet:
        """To be run now: queued or storing and its time has come, or running past its lease (its worker is gone)."""
        now = timezone.now()
        return self.filter(
            Q(status__in=[Status.QUEUED, Status.STORING], due_at__lte=now)
            | Q(status=Status.RUNNING, lease_expires_at__lte=now)
        )

    def to_queued(self, due_at: datetime, outcome: str = "", error: str = "", **columns: Any) -> int:
        """Waiting for an attempt at `due_at`; outcome and error say why the last one brought no image."""
        return self.update(
            status=Status.QUEUED,
            due_at=due_at,
            dispatched_at=None,
            started_at=None,
            lease_expires_at=None,
            finished_at=None,
            expected_cost=None,
            outcome=outcome,
            error=error,
            **columns,
        )

    def to_running(self, lease_expires_at: datetime, **columns: Any) -> int:
        """Owned by one worker for the length of its lease."""
        return self.update(
            status=Status.RUNNING,
            started_at=timezone.now(),
            lease_expires_at=lease_expires_at,
            finished_at=None,
            outcome="",
            error="",
            **columns,
        )

    def to_storing(self, due_at: datetime, error: str, **columns: Any) -> int:
        """Paid for, but not stored: its bytes are in SpooledImage, to be tried again at `due_at`."""
        return self.update(
            status=Status.STORING,
            due_at=due_at,
            dispatched_at=None,
            lease_expires_at=None,
            expected_cost=None,
            outcome="store",
            error=error,
            **columns,
        )

    def to_cancelled(self, error: str, **columns: Any) -> int:
        """Not sent, and not to be sent, for the reason `error`."""
        return self.update(
            status=Status.CANCELLED,
            lease_expires_at=None,
            finished_at=timezone.now(),
            expected_cost=None,
            outcome="cancelled",
            error=error,
            **columns,
        )

    def to_failed(self, outcome: str, error: str, **columns: Any) -> int:
        """Given up, with the reason."""
        return self.update(
            status=Status.FAILED,
            lease_expires_at=None,
            finished_at=timezone.now(),
            expected_cost=None,
            outcome=outcome,
            error=error,
            **columns,
        )

    def to_succeeded(self, **columns: Any) -> int:
        """Its image is stored."""
        return self.update(
            status=Status.SUCCEEDED,
            lease_expires_at=None,
            finished_at=timezone.now(),
            expected_cost=None,
            outcome="",
            error="",
            **columns,
        )


class Generation(models.Model):
    """The work: one model answering one prompt, sample k. The rows of this table are the work queue."""

    Status = Status

    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="generations")
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="generations")
    sample = models.PositiveSmallIntegerField(default=0)
    provider = models.CharField(
        max_length=40,
        blank=True,
        db_default="",
        help_text="The only provider that is asked, of a further sample that checks it; empty: as routing chooses.",
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts started so far; also fences late writers."
    )
    attempts_left = models.PositiveSmallIntegerField(default=1)
    charged_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Attempts that brought no image and may have cost real money."
    )
    due_at = models.DateTimeField(default=timezone.now)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=20, blank=True, help_text="The last attempt's outcome when it brought no image."
    )
    error = models.TextField(blank=True, help_text="Why the last attempt brought no image.")
    spent = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="USD, over all attempts; what may have been charged too."
    )
    expected_cost = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text="USD, of the attempt that is running."
    )
    request_id = models.UUIDField(
        null=True, blank=True, help_text="Of the last attempt's calls; the next one keeps it while their jobs are open."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = GenerationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "lease_expires_at"], condition=Q(status__in=UNFINISHED), name="unfinished")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "image_model", "sample"], name="one generation per prompt, model and sample"
            ),
            # The target of an entry's composite foreign key.
            models.UniqueConstraint(fields=["id", "prompt", "image_model"], name="generation with prompt and model"),
            # A CHECK that comes out NULL passes, so every comparison stands beside its IS NOT NULL.
            models.CheckConstraint(
                condition=Q(status=Status.QUEUED, started_at=None, lease_expires_at=None, finished_at=None)
                | Q(
                    status=Status.RUNNING,
                    started_at__isnull=False,
                    lease_expires_at__isnull=False,
                    lease_expires_at__gt=F("started_at"),
                    finished_at=None,
                    attempt__gte=1,
                )
                | Q(
                    status=Status.SUCCEEDED,
                    started_at__isnull=False,
                    lease_expires_at=None,
                    finished_at__isnull=False,
                    finished_at__gte=F("started_at"),
                    error="",
                )
                | (
                    Q(
                        status=Status.FAILED,
                        started_at__isnull=False,
                        lease_expires_at=None,
                        finished_at__isnull=False,
                        finished_at__gte=F("started_at"),
                    )
                    & ~Q(error="")
                )
                | (
                    Q(status=Status.STORING, started_at__isnull=False, lease_expires_at=None, finished_at=None)
                    & ~Q(error="")
                )
                | (Q(status=Status.CANCELLED, lease_expires_at=None, finished_at__isnull=False) & ~Q(error="")),
                name="generation status, times and error agree",
            ),
            models.CheckConstraint(
                condition=Q(provider="") | Q(sample__gt=0), name="the sample that is rated names no provider"
            ),
            models.CheckConstraint(condition=Q(spent__gte=0), name="nothing negative is spent"),
            models.CheckConstraint(
                condition=Q(expected_cost=None) | Q(status=Status.RUNNING, expected_cost__gte=0),
                name="only what is running is expected to cost something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} for prompt {self.prompt_id}, sample {self.sample}"


class SpooledImage(models.Model):
    """Bytes that were paid for and could not be stored yet. Deleted in the transaction that makes the entry."""

    generation = models.OneToOneField(Generation, models.PROTECT, primary_key=True, related_name="spooled")
    data = models.BinaryField(help_text="As the provider delivered them.")
    call = models.OneToOneField(Call, models.PROTECT, null=True, blank=True, related_name="+")
    seed = models.CharField(max_length=40, blank=True)
    spooled_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=GreaterThan(
                    Func(F("data"), function="octet_length", output_field=models.IntegerField()), Value(0)
                ),
                name="a spooled image has bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"bytes of generation {self.generation_id}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def current(self) -> EntryQuerySet:
        """Entries that compete: not hidden, and neither they, nor their model, nor their prompt are retired."""
        return self.filter(hidden_at=None, retired_at=None, image_model__retired_at=None, prompt__retired_at=None)


class Entry(models.Model):
    """The image that competes. It exists only when there is an image, with all its derivatives.

    `prompt` and `image_model` repeat what the generation says; a composite foreign key keeps them the same.
    """

    generation = models.OneToOneField(Generation, models.PROTECT, related_name="entry")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="entries")
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="entries")
    call = models.OneToOneField(Call, models.PROTECT, null=True, blank=True, related_name="+")
    image = models.FileField(help_text="What battles show.")
    small = models.FileField(help_text="What battles show on small screens.")
    thumbnail = models.FileField(help_text="What public pages show.")
    original = models.FileField(
        help_text="As the provider delivered it; kept for re-encoding, never served in a battle."
    )
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    pipeline = models.CharField(
        max_length=60, blank=True, help_text="Which settings and encoder made the files; see images.PIPELINE."
    )
    seed = models.CharField(max_length=40, blank=True, help_text="As the provider reported it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    imported_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text="Who brought it as a file; empty: a provider made it here."
    )
    original_sha256 = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of the original, where it was imported."
    )
    hidden_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its reports keep it out of sight, until a curator decides."
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.CharField(max_length=200, blank=True)

    everything: ClassVar[Any] = EntryQuerySet.as_manager()
    objects: ClassVar[Any] = public(EntryQuerySet, "prompt__competition__category__is_private")

    class Meta:
        default_manager_name = "everything"
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["thumbnail"], name="entry_thumbnail"),  # public images ask whether they may show
            # Whether an image has left play is asked every few seconds (`pairing`).
            models.Index(
                fields=["retired_at", "hidden_at"],
                condition=Q(retired_at__isnull=False) | Q(hidden_at__isnull=False),
                name="entry_out_of_play",
            ),
        ]
        constraints = [
            # The target of a battle's composite foreign keys.
            models.UniqueConstraint(fields=["id", "prompt"], name="entry with prompt"),
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="entry has a size"),
            models.CheckConstraint(
                condition=~Q(image="") & ~Q(small="") & ~Q(thumbnail="") & ~Q(original=""), name="entry has its files"
            ),
            models.CheckConstraint(
                condition=Q(imported_by="", original_sha256="")
                | (Q(call=None, original_sha256__regex=r"^[0-9a-f]{64}$") & ~Q(imported_by="")),
                name="an imported entry has no call, but a sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} for prompt {self.prompt_id}"

    def get_absolute_url(self) -> str:
        return f"/entries/{self.pk}/"

    @property
    def is_simulated(self) -> bool:
        """Drawn by a simulator in the name of a real model."""
        return self.call is not None and not self.image_model.is_sample and is_simulated(self.call.offering.provider)
