"""What is asked: categories, competitions and their prompts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from providers.models import ModeChoices, slug_validator
from providers.models.audience import public
from providers.web.slugs import SLUG_PATTERN

QUESTION = gettext_noop("Which is better?")  # of a competition that has none of its own


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
    is_private = models.BooleanField(
        "private",
        default=False,
        db_default=False,
        help_text="Board, competitions, images and votes are for who has an invitation. It stays so once it is used.",
    )

    everything: ClassVar[Any] = models.Manager()
    objects: ClassVar[Any] = public(models.QuerySet, "is_private")

    class Meta:
        ordering = ("position", "name")
        default_manager_name = "everything"
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="category slug is lower-case words"),
            models.CheckConstraint(condition=~Q(name=""), name="category has a name"),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="category mode is known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/private/{self.slug}/" if self.is_private else f"/leaderboard/{self.slug}/"

    def clean(self) -> None:
        """What prompts and votes rely on stays what it was (Postgres refuses it too)."""
        before = Category.everything.filter(pk=self.pk).first()
        if before is None:
            return
        errors = {}
        if before.mode != self.mode and (
            before.has_votes or Prompt.everything.filter(competition__category=self).exists()
        ):
            errors["mode"] = "It has prompts or votes, so its mode cannot change any more. Add a new category instead."
        if before.slug != self.slug and before.has_votes:
            errors["slug"] = "Its board is linked to by this name, so it cannot change once there are votes."
        if before.is_private != self.is_private and before.is_used:
            errors["is_private"] = "It has competitions or votes, so this cannot change any more. Add a new category."
        if errors:
            raise ValidationError(errors)

    @property
    def is_used(self) -> bool:
        return self.competitions.exists() or self.has_votes

    @property
    def has_votes(self) -> bool:
        """Cast here or imported."""
        return self.votes.exists() or self.vote_files.exists()


class CompetitionQuerySet(models.QuerySet["Competition"]):
    def published(self) -> CompetitionQuerySet:
        return self.filter(is_published=True)

    def unveiled(self) -> CompetitionQuerySet:
        """Published and opened: its images may be shown with their models' names. Before, they would tell voters."""
        return self.published().filter(Q(opens_at=None) | Q(opens_at__lte=timezone.now()))

    def open(self) -> CompetitionQuerySet:
        """Published, opened and not closed: its prompts are voted on now."""
        now = timezone.now()
        return self.published().filter(
            Q(opens_at=None) | Q(opens_at__lte=now), Q(closes_at=None) | Q(closes_at__gt=now)
        )


class Competition(models.Model):
    """A curated contest in one category."""

    class State(models.TextChoices):
        """Where it is in its life; it follows from `is_published` and the dates."""

        DRAFT = "draft", gettext_lazy("Draft: only staff see it")
        ANNOUNCED = "announced", gettext_lazy("Announced: its page is there, its images are not")
        OPEN = "open", gettext_lazy("Open: voted on now")
        CLOSED = "closed", gettext_lazy("Closed: its images and results stay")

    class Shape(models.TextChoices):
        SQUARE = "1:1", "1:1 square"
        LANDSCAPE = "4:3", "4:3 landscape"
        PORTRAIT = "3:4", "3:4 portrait"
        PHOTO = "3:2", "3:2 photo"
        PHOTO_PORTRAIT = "2:3", "2:3 photo portrait"
        WIDE = "16:9", "16:9 wide"
        TALL = "9:16", "9:16 tall"

    class Unveiling(models.TextChoices):
        AFTER_VOTE = "after_vote", "After the vote: for voters who answered the prompt, for all once it left play"
        ALWAYS = "always", "Always: for everybody at once (a dictionary for those who want to cheat)"

    category = models.ForeignKey(Category, models.PROTECT, related_name="competitions")
    slug = models.CharField(max_length=120, unique=True, validators=[slug_validator])
    title = models.CharField(max_length=160)
    question = models.CharField(
        max_length=60,
        blank=True,
        db_default="",
        help_text="What voters are asked, such as “Which one has the words right?”; empty: “Which is better?”",
    )
    criterion = models.CharField(max_length=200, help_text="Completes the sentence “Judge by …”")
    description = models.TextField(blank=True)
    challenge = models.TextField(blank=True, help_text="Why it is hard: what models get wrong here.")
    shape = models.CharField(
        max_length=5, choices=Shape.choices, default=Shape.SQUARE, help_text="Every image is cut to exactly this shape."
    )
    unveiling = models.CharField(
        max_length=10,
        choices=Unveiling.choices,
        default=Unveiling.AFTER_VOTE,
        db_default="after_vote",
        help_text="When a picture may stand beside its model's name on public pages.",
    )
    target_votes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Votes that count after which a prompt leaves play; empty: it stays."
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
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when none of its queued images is asked for."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Once a voter has been asked. A question may still be added where there was none.
    FROZEN: ClassVar[tuple[str, ...]] = ("category_id", "question", "criterion", "shape")

    everything: ClassVar[Any] = CompetitionQuerySet.as_manager()
    objects: ClassVar[Any] = public(CompetitionQuerySet, "category__is_private")

    class Meta:
        default_manager_name = "everything"
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="competition slug is lower-case words"),
            models.CheckConstraint(condition=~Q(title=""), name="competition has a title"),
            models.CheckConstraint(condition=~Q(criterion=""), name="competition has a criterion"),
            models.CheckConstraint(
                condition=Q(question="") | Q(question__endswith="?"), name="a question ends with a question mark"
            ),
            models.CheckConstraint(
                condition=Q(shape__in=["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"]),
                name="competition shape is known",
            ),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="a competition closes after it opens",
            ),
            models.CheckConstraint(condition=Q(unveiling__in=["after_vote", "always"]), name="unveiling is known"),
            models.CheckConstraint(
                condition=Q(target_votes=None) | Q(target_votes__gte=1), name="a target of votes is at least one"
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
    def asks(self) -> str:
        """The question a voter answers."""
        return self.question or gettext(QUESTION)

    def clean(self) -> None:
        """What voters were asked to judge stays what it was (Postgres refuses it too), and images keep one shape."""
        before = Competition.everything.filter(pk=self.pk).first()
        if before is None:
            return
        changed = [name for name in self.FROZEN if getattr(before, name) not in ("", getattr(self, name))]
        if changed and self.was_asked:
            reason = "Voters have been asked, so this cannot change any more. Make a new competition instead."
            raise ValidationError({name.removesuffix("_id"): reason for name in changed})
        if before.category.is_private != self.category.is_private:
            raise ValidationError({"category": "A competition stays private, or public. Make a new one instead."})
        if before.category.mode != self.category.mode and before.prompts.exists():
            raise ValidationError(
                {"category": f"Its prompts are for {before.category.get_mode_display().lower()}, this category is not."}
            )
        if before.shape != self.shape and before.prompts.exclude(entries=None).exists():
            raise ValidationError(
                {"shape": "Images were made in the present shape; two shapes would tell them apart. Make a new one."}
            )

    @property
    def was_asked(self) -> bool:
        """Whether a voter has been shown a pair of it: from then on its settings are frozen."""
        return Prompt.everything.filter(competition=self, battles__isnull=False).exists()

    @property
    def state(self) -> Competition.State:
        if not self.is_published:
            return self.State.DRAFT
        if self.opens_at is not None and self.opens_at > timezone.now():
            return self.State.ANNOUNCED
        return self.State.CLOSED if self.is_over else self.State.OPEN

    @property
    def is_unveiled(self) -> bool:
        """Whether its images may be shown with their models' names."""
        return self.state in (self.State.OPEN, self.State.CLOSED)

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_over(self) -> bool:
        return self.closes_at is not None and self.closes_at <= timezone.now()


class PromptQuerySet(models.QuerySet["Prompt"]):
    def current(self) -> PromptQuerySet:
        return self.filter(retired_at=None)


class Prompt(models.Model):
    """The text, and for an edit the source image, that every model answers."""

    competition = models.ForeignKey(Competition, models.PROTECT, related_name="prompts")
    text = models.TextField()
    source_image = models.FileField(upload_to="sources", blank=True, help_text="Image editing: the image to edit.")
    source_sha256 = models.CharField(
        max_length=64, blank=True, editable=False, db_default="", help_text="Of the source image; empty: not read yet."
    )
    source_credit = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when it has the votes it was meant to get."
    )

    everything: ClassVar[Any] = PromptQuerySet.as_manager()
    objects: ClassVar[Any] = public(PromptQuerySet, "competition__category__is_private")

    class Meta:
        default_manager_name = "everything"
        ordering = ("competition", "position", "pk")
        indexes = [
            GinIndex(SearchVector("text", config="english"), name="prompt_words"),
            GinIndex(fields=["tags"], name="prompt_tags"),
            models.Index(fields=["source_image"], condition=~Q(source_image=""), name="prompt_source"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="prompt has a text"),
            models.UniqueConstraint(
                fields=["competition", "text", "source_image"], name="a competition asks the same only once"
            ),
            models.CheckConstraint(
                condition=Q(source_sha256="") | (Q(source_sha256__regex=r"^[0-9a-f]{64}$") & ~Q(source_image="")),
                name="only a source image has a sha256",
            ),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else self.text[:59] + "…"

    def clean(self) -> None:
        if self.pk is not None and self.battles.exists():
            before = Prompt.everything.get(pk=self.pk)
            facts = ("text", "source_image", "competition_id")
            if changed := [name for name in facts if getattr(before, name) != getattr(self, name)]:
                reason = "Voters have been asked, so this prompt cannot change any more. Retire it instead."
                raise ValidationError({name.removesuffix("_id"): reason for name in changed})
        if self.competition_id and (self.competition.category.mode == ModeChoices.EDIT) != bool(self.source_image):
            raise ValidationError(
                {
                    "source_image": "An editing prompt needs the image to edit."
                    if not self.source_image
                    else "Only prompts of an image-editing category take a source image."
                }
            )
