"""Prompts, entries, battles, votes: the facts everything else is derived from.

Postgres refuses what cannot be true: every constraint here has a test that tries its opposite. The chain of facts is
PROTECTed: nothing that was voted on can vanish; prompts, entries and models are retired instead. What Django
cannot say stands as SQL in the second migration: an entry belongs to its generation's prompt and model, and both
entries of a battle answer the battle's prompt.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Greatest, Least
from django.db.models.lookups import Exact
from django.utils import timezone

from providers.accounts import is_simulated
from providers.models import Call, ImageModel, ModeChoices, slug_validator
from providers.slugs import SLUG_PATTERN


class Category(models.Model):
    """A board with its own ratings; it names the task."""

    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=120)
    mode = models.CharField(max_length=20, choices=ModeChoices.choices)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    source_name = models.CharField(max_length=200, blank=True, help_text="Where imported votes come from.")
    source_url = models.URLField(blank=True)
    source_licence = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ("position", "name")
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="category slug is lower-case words"),
            models.CheckConstraint(condition=~Q(name=""), name="category has a name"),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="category mode is known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/leaderboard/{self.slug}/"


class CompetitionQuerySet(models.QuerySet["Competition"]):
    def published(self) -> CompetitionQuerySet:
        return self.filter(is_published=True)

    def open(self) -> CompetitionQuerySet:
        """Published, begun and not over: its prompts are voted on now."""
        now = timezone.now()
        return self.published().filter(
            Q(opens_at=None) | Q(opens_at__lte=now), Q(closes_at=None) | Q(closes_at__gt=now)
        )


class Competition(models.Model):
    """A curated contest in one category."""

    class Shape(models.TextChoices):
        SQUARE = "1:1", "1:1 square"
        LANDSCAPE = "4:3", "4:3 landscape"
        PORTRAIT = "3:4", "3:4 portrait"
        PHOTO = "3:2", "3:2 photo"
        PHOTO_PORTRAIT = "2:3", "2:3 photo portrait"
        WIDE = "16:9", "16:9 wide"
        TALL = "9:16", "9:16 tall"

    category = models.ForeignKey(Category, models.PROTECT, related_name="competitions")
    slug = models.CharField(max_length=120, unique=True, validators=[slug_validator])
    title = models.CharField(max_length=160)
    criterion = models.CharField(max_length=200, help_text="Completes the sentence “Judge by …”")
    description = models.TextField(blank=True)
    shape = models.CharField(
        max_length=5, choices=Shape.choices, default=Shape.SQUARE, help_text="Every image is cut to exactly this shape."
    )
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    is_published = models.BooleanField(default=False)
    spend_cap = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="US dollars that the images of this competition may cost in all; empty: no cap of its own.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = CompetitionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="competition slug is lower-case words"),
            models.CheckConstraint(condition=~Q(title=""), name="competition has a title"),
            models.CheckConstraint(condition=~Q(criterion=""), name="competition has a criterion"),
            models.CheckConstraint(
                condition=Q(shape__in=["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"]),
                name="competition shape is known",
            ),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="a competition closes after it opens",
            ),
            models.CheckConstraint(
                condition=Q(spend_cap=None) | Q(spend_cap__gte=0), name="a spend cap is not negative"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/competitions/{self.slug}/"

    @property
    def is_open(self) -> bool:
        now = timezone.now()
        return (
            self.is_published
            and (self.opens_at is None or self.opens_at <= now)
            and (self.closes_at is None or self.closes_at > now)
        )


class PromptQuerySet(models.QuerySet["Prompt"]):
    def current(self) -> PromptQuerySet:
        return self.filter(retired_at=None)


class Prompt(models.Model):
    """The text, and for an edit the source image, that every model answers."""

    competition = models.ForeignKey(Competition, models.PROTECT, related_name="prompts")
    text = models.TextField()
    source_image = models.FileField(upload_to="sources", blank=True, help_text="Image editing: the image to edit.")
    source_credit = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = PromptQuerySet.as_manager()

    class Meta:
        ordering = ("competition", "position", "pk")
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="prompt has a text"),
            models.UniqueConstraint(
                fields=["competition", "text", "source_credit"], name="a competition asks the same only once"
            ),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else self.text[:59] + "…"

    def clean(self) -> None:
        if self.competition_id and (self.competition.category.mode == ModeChoices.EDIT) != bool(self.source_image):
            raise ValidationError(
                {
                    "source_image": "An editing prompt needs the image to edit."
                    if not self.source_image
                    else "Only prompts of an image-editing category take a source image."
                }
            )


class GenerationQuerySet(models.QuerySet["Generation"]):
    def unfinished(self) -> GenerationQuerySet:
        return self.filter(status__in=["queued", "running"])

    def due(self) -> GenerationQuerySet:
        """To be run now: queued and its time has come, or running past its lease (its worker is gone)."""
        now = timezone.now()
        return self.filter(Q(status="queued", due_at__lte=now) | Q(status="running", lease_expires_at__lte=now))


class Generation(models.Model):
    """The work: one model answering one prompt, sample k. The rows of this table are the work queue."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="generations")
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="generations")
    sample = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Attempts begun so far; also fences late writers.")
    attempts_left = models.PositiveSmallIntegerField(default=1)
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
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = GenerationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "lease_expires_at"], condition=Q(status__in=["queued", "running"]), name="unfinished"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "image_model", "sample"], name="one generation per prompt, model and sample"
            ),
            # The target of an entry's composite foreign key.
            models.UniqueConstraint(fields=["id", "prompt", "image_model"], name="generation with prompt and model"),
            # A CHECK that comes out NULL passes, so every comparison stands beside its IS NOT NULL.
            models.CheckConstraint(
                condition=Q(status="queued", started_at=None, lease_expires_at=None, finished_at=None)
                | Q(
                    status="running",
                    started_at__isnull=False,
                    lease_expires_at__isnull=False,
                    lease_expires_at__gt=F("started_at"),
                    finished_at=None,
                    attempt__gte=1,
                )
                | Q(
                    status="succeeded",
                    started_at__isnull=False,
                    lease_expires_at=None,
                    finished_at__isnull=False,
                    finished_at__gte=F("started_at"),
                    error="",
                )
                | (
                    Q(
                        status="failed",
                        started_at__isnull=False,
                        lease_expires_at=None,
                        finished_at__isnull=False,
                        finished_at__gte=F("started_at"),
                    )
                    & ~Q(error="")
                ),
                name="generation status, times and error agree",
            ),
            models.CheckConstraint(condition=Q(spent__gte=0), name="nothing negative is spent"),
            models.CheckConstraint(
                condition=Q(expected_cost=None) | Q(status="running", expected_cost__gte=0),
                name="only what is running is expected to cost something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} for prompt {self.prompt_id}, sample {self.sample}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def current(self) -> EntryQuerySet:
        """Entries that compete: neither they, nor their model, nor their prompt are retired."""
        return self.filter(retired_at=None, image_model__retired_at=None, prompt__retired_at=None)


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
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.CharField(max_length=200, blank=True)

    objects: ClassVar[Any] = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            # The target of a battle's composite foreign keys.
            models.UniqueConstraint(fields=["id", "prompt"], name="entry with prompt"),
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="entry has a size"),
            models.CheckConstraint(
                condition=~Q(image="") & ~Q(small="") & ~Q(thumbnail="") & ~Q(original=""), name="entry has its files"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} for prompt {self.prompt_id}"

    @property
    def is_simulated(self) -> bool:
        """Drawn by a simulator in the name of a real model, as when a provider's address is a loopback one."""
        return self.call is not None and not self.image_model.is_sample and is_simulated(self.call.offering.provider)


class Voter(models.Model):
    """An anonymous browser, known by its signed cookie."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"voter {self.pk}"


def new_token() -> str:
    return secrets.token_urlsafe(16)


class BattleQuerySet(models.QuerySet["Battle"]):
    def owed(self) -> BattleQuerySet:
        """Served and still unanswered: neither voted on nor skipped, both images still competing."""
        return self.filter(
            vote=None, skipped_at=None, left__retired_at=None, right__retired_at=None, prompt__retired_at=None
        )


class Battle(models.Model):
    """Two entries of one prompt, served blind to one voter."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voter = models.ForeignKey(
        Voter, models.PROTECT, related_name="battles", db_index=False
    )  # the pair index leads with it
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="battles")
    left = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    right = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    left_token = models.CharField(max_length=32, unique=True, default=new_token)
    right_token = models.CharField(max_length=32, unique=True, default=new_token)
    probability = models.FloatField(help_text="With which this prompt and pair were drawn for this voter.")
    served_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    skipped_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = BattleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(left=F("right")), name="a battle is between two entries"),
            models.CheckConstraint(condition=~Q(left_token=F("right_token")), name="each side has its own token"),
            models.CheckConstraint(condition=Q(probability__gt=0, probability__lte=1), name="probability is in (0, 1]"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("served_at")), name="a battle lasts a while"),
            models.CheckConstraint(
                condition=Q(skipped_at=None) | Q(skipped_at__gte=F("served_at")), name="a skip follows its battle"
            ),
            models.UniqueConstraint(
                F("voter"), Least("left", "right"), Greatest("left", "right"), name="a voter meets a pair only once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return f"/battles/{self.pk}/"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class Outcome(models.TextChoices):
    LEFT = "left", "A is better"
    RIGHT = "right", "B is better"
    TIE = "tie", "Tie"
    BOTH_BAD = "both_bad", "Both bad"


class VoteQuerySet(models.QuerySet["Vote"]):
    def counted(self) -> VoteQuerySet:
        return self.filter(excluded_reason="")


class Vote(models.Model):
    """One voter's answer to one battle. Never deleted: an excluded vote keeps its reason and the rule's version.

    Category and models repeat what the battle says, so that tallies can be rebuilt from this table alone.
    """

    battle = models.OneToOneField(Battle, models.PROTECT, primary_key=True, related_name="vote")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="votes", db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="votes", db_index=False)
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    cast_at = models.DateTimeField(default=timezone.now)
    decision_time = models.DurationField(help_text="From serving the battle to its vote.")
    excluded_reason = models.CharField(max_length=200, blank=True)
    excluded_rule = models.CharField(max_length=40, blank=True, help_text="The rule and its version.")

    objects: ClassVar[Any] = VoteQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["voter", "cast_at"], name="vote_voter_recent"),
            # What the cap counts: never more than its 200 rows, however much a voter clicks.
            models.Index(
                fields=["voter", "cast_at"],
                include=["category"],
                condition=Q(excluded_reason=""),
                name="vote_voter_counted",
            ),
            # Covers the whole re-aggregation of a category: an index-only scan.
            models.Index(
                fields=["category", "left_model", "right_model", "outcome"],
                condition=Q(excluded_reason=""),
                name="vote_counted",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="vote outcome is known"),
            models.CheckConstraint(
                condition=Q(excluded_reason="", excluded_rule="") | (~Q(excluded_reason="") & ~Q(excluded_rule="")),
                name="an excluded vote names reason and rule",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} in battle {self.battle_id}"


class Tally(models.Model):
    """How often an ordered pair ended how, per day: kept in the vote's own transaction, recounted nightly."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    n = models.PositiveIntegerField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["category", "day", "left_model", "right_model", "outcome"], name="one tally per cell and day"
            ),
            models.CheckConstraint(condition=~Q(left_model=F("right_model")), name="a tally is between two models"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="tally outcome is known"),
        ]

    def __str__(self) -> str:
        return f"{self.left_model_id} {self.outcome} {self.right_model_id}: {self.n}"


CARDINALITY = Func(F("image_models"), function="cardinality", output_field=models.IntegerField())


class PairScores(models.Model):
    """What a vote on each pair of models is worth, for `matchmaking`: derived, written with every new board.

    It lives here and not beside the ratings because the arena draws from it and must not know the leaderboard.
    """

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="pair_scores")
    image_models = ArrayField(models.BigIntegerField(), help_text="Ids in ascending order.")
    scores = models.BinaryField(help_text="One little-endian 32-bit float per pair: (0, 1), (0, 2) … (1, 2) …")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "pair scores"
        constraints = [
            models.CheckConstraint(
                condition=Exact(
                    Func(F("scores"), function="octet_length", output_field=models.IntegerField()),
                    2 * CARDINALITY * (CARDINALITY - 1),
                ),
                name="every pair of models has its score",
            ),
        ]

    def __str__(self) -> str:
        return f"pair scores of {self.category_id}"


class VoteFile(models.Model):
    """A file of votes cast elsewhere. The same file is imported into a category only once."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="vote_files")
    source = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    imported_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "sha256"], name="a vote file is imported once per category"),
            models.CheckConstraint(condition=~Q(source=""), name="a vote file names its source"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a vote file has its sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.rows} votes)"


class ImportedVote(models.Model):
    """A vote cast elsewhere: rated with the same code, its source shown."""

    file = models.ForeignKey(VoteFile, models.PROTECT, related_name="votes", db_index=False)
    line = models.PositiveIntegerField()
    voter_key = models.CharField(max_length=120, blank=True)
    prompt_key = models.CharField(max_length=200, blank=True)
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one imported vote per line"),
            models.CheckConstraint(
                condition=~Q(left_model=F("right_model")), name="an imported vote is between two models"
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="imported outcome is known"),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of file {self.file_id}"
