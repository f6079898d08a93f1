"""Who votes, the pairs they are served, and how far each voter has come."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, cast

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Greatest, Least, Mod
from django.db.models.lookups import Exact
from django.utils import timezone

from arena import battle_ids
from arena.models.competitions import Category, Prompt
from arena.models.generations import Entry


class Voter(models.Model):
    """An anonymous browser, known by its signed cookie."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Keyed hashes, forgotten after some weeks: integrity/networks.py. Empty: not known.
    network = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    prefix = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["network", "created_at"], condition=~Q(network=""), name="voter_network"),
            models.Index(fields=["prefix", "created_at"], condition=~Q(prefix=""), name="voter_prefix"),
        ]

    def __str__(self) -> str:
        return f"voter {self.pk}"


def new_token() -> str:
    return secrets.token_urlsafe(16)


def new_battle_token() -> str:
    """Of a battle that is made now."""
    return battle_ids.new_token(battle_ids.new_id())


class BattleQuerySet(models.QuerySet["Battle"]):
    def owed(self) -> BattleQuerySet:
        """Served and still unanswered: neither voted on nor skipped, both images still competing."""
        return self.filter(
            vote=None,
            skipped_at=None,
            left__retired_at=None,
            left__hidden_at=None,
            right__retired_at=None,
            right__hidden_at=None,
            prompt__retired_at=None,
        )


class Battle(models.Model):
    """Two entries of one prompt, served blind to one voter.

    Assigned first, shown later: browsers load the next pairs ahead.
    """

    id = models.UUIDField(primary_key=True, default=battle_ids.new_id, editable=False)
    voter = models.ForeignKey(
        Voter, models.PROTECT, related_name="battles", db_index=False
    )  # the pair index leads with it
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="battles")
    left = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    right = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    left_token = models.CharField(max_length=32, default=new_battle_token)
    right_token = models.CharField(max_length=32, default=new_battle_token)
    probability = models.FloatField(help_text="With which this prompt and pair were drawn for this voter.")
    familiar = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How many of its two images this voter had met before, so that their makers may be known.",
    )
    served_at = models.DateTimeField(
        default=timezone.now,
        null=True,
        blank=True,
        help_text="When it was shown; empty while it is only assigned, or when the browser did not report it.",
    )
    left_fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the browser got the left image.")
    right_fetched_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    skipped_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = BattleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(left=F("right")), name="a battle is between two entries"),
            # Not unique=True, which adds an index for LIKE that nothing uses.
            models.UniqueConstraint(fields=["left_token"], name="a left token names one battle"),
            models.UniqueConstraint(fields=["right_token"], name="a right token names one battle"),
            models.CheckConstraint(condition=~Q(left_token=F("right_token")), name="each side has its own token"),
            models.CheckConstraint(condition=Q(probability__gt=0, probability__lte=1), name="probability is in (0, 1]"),
            models.CheckConstraint(condition=Q(familiar__lte=2), name="a battle has two images to be familiar"),
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


BUSY_VOTES = 1_000  # from so many on, a voter is never left out of a sample of voters

_MET_BYTES = Func(F("met"), function="octet_length", output_field=models.IntegerField())


class VoterProgress(models.Model):
    """What the next pair of a voter in a category depends on, in one row: nothing is read in proportion to their votes.

    Derived from battles and votes (`voter_state.rebuild_progress`) and moved by the statements that write those. `turn`
    counts these writes: who decides something on what the row said writes it only if the turn is still the same.
    """

    voter = models.ForeignKey(Voter, models.CASCADE, related_name="progress", db_index=False)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", db_index=False)
    votes = models.PositiveIntegerField(db_default=0)
    is_busy = models.GeneratedField(
        expression=cast("models.Expression", Q(votes__gte=BUSY_VOTES)),  # Django takes a Q, the stubs do not
        output_field=models.BooleanField(),
        db_persist=True,
    )
    seen = models.PositiveIntegerField(db_default=0, help_text="Battles voted on or skipped.")
    turn = models.PositiveIntegerField(db_default=0)
    waiting = ArrayField(models.UUIDField(), db_default=[], help_text="Battles assigned and not answered.")
    met = models.BinaryField(db_default=b"", help_text="Pairs of entries that were assigned: 4 big-endian bytes an id.")
    uncounted = models.PositiveSmallIntegerField(
        db_default=0, help_text="Votes of the last round that did not count when they were cast: bit n is its n-th."
    )
    skips = models.PositiveIntegerField(db_default=0)
    skips_in_row = models.PositiveIntegerField(db_default=0, help_text="Since the last vote.")
    answered_at = models.DateTimeField(null=True, help_text="When the last battle was voted on or skipped.")
    excluded_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why no vote of this voter counts here."
    )
    excluded_rule = models.CharField(max_length=40, blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "voter progress"
        # Of a column that hardly ever changes: an index on `votes` itself would be written with every vote.
        indexes = [models.Index(fields=["category", "voter"], condition=Q(is_busy=True), name="busy_voters")]
        constraints = [
            models.UniqueConstraint(fields=["voter", "category"], name="one progress per voter and category"),
            models.CheckConstraint(condition=Q(seen__gte=F("votes")), name="every vote was seen"),
            models.CheckConstraint(condition=Exact(Mod(_MET_BYTES, 8), 0), name="entries are met in pairs"),
            models.CheckConstraint(condition=Q(skips__gte=F("skips_in_row")), name="skips in a row are skips"),
            models.CheckConstraint(
                condition=Q(excluded_reason="", excluded_rule="") | (~Q(excluded_reason="") & ~Q(excluded_rule="")),
                name="an excluded voter has reason and rule",
            ),
        ]

    def __str__(self) -> str:
        return f"voter {self.voter_id} in category {self.category_id}: {self.votes} votes"
