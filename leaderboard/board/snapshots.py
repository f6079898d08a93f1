"""Snapshots: what a board said on a day, at a permanent address, never changed, computable again from its cells."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from arena import vote_cap
from arena.integrity import caps, rules
from arena.models import Battle, Category, VoteCap
from leaderboard.board import pair_counts, published_votes, ratings
from leaderboard.board.computed import Computed
from leaderboard.cache import MINUTE, get_or_compute
from leaderboard.models import Board, Snapshot
from leaderboard.rating import elo, intervals, reproduction
from leaderboard.rating.place import Place
from providers.models import ImageModel
from providers.web.spreadsheets import safe_cell


def take_due() -> list[Snapshot]:
    """A snapshot of every category that has votes and none of today yet; for the periodic task, however often."""
    today = timezone.now().date()
    return [
        taken
        for category in Category.objects.all()
        if not category.snapshots.filter(taken_at__date=today).exists() and (taken := take(category)) is not None
    ]


def take(category: Category) -> Snapshot | None:
    """Record the board as of now, intervals fresh from the raw votes. None when nobody has voted, and of a
    private category: snapshots are for the public.

    When nothing changed since the last one – the same cells, method and engine – that one is returned: a second call is
    harmless.
    """
    if category.is_private:
        return None
    versions = {"method_version": elo.METHOD_VERSION, "engine_version": reproduction.ENGINE_VERSION}
    with transaction.atomic():
        counts = pair_counts.counts(category)
        if not counts.total:
            return None
        last = category.snapshots.order_by("-taken_at", "-pk").first()
        if last is not None and (last.sha256, last.method_version, last.engine_version) == (
            reproduction.digest(reproduction.cells_csv(_named(counts)[1])),
            *versions.values(),
        ):
            return last
        votes_files = published_votes.publish(category)
        computed = ratings.compute(category)
        names, cells = _named(computed.counts)
        text = reproduction.cells_csv(cells)
        rows = {names[str(row.image_model_id)]: row for row in computed.rows(category)}
        anchor = [names[str(model)] for model in computed.anchor if str(model) in names]
        covariance = reproduction.packed(computed.fit)
        effective = computed.spread.all_effective_voters, computed.spread.all_effective_prompts
        again = reproduction.rate(cells, covariance=covariance, anchor=anchor, effective=effective)
        shares = _sampling_shares(category)
        slugs = dict(
            ImageModel.objects.filter(pk__in=[row.image_model_id for row in rows.values()]).values_list("pk", "slug")
        )
        Board.everything.filter(category=category).update(
            clustered_at=None
        )  # a leader may be confirmed by this snapshot
        snapshot = Snapshot(
            category=category,
            sha256=reproduction.digest(text),
            cells=[list(cell) for cell in reproduction.read_csv(text)],
            ratings=[
                rating
                | {
                    "rank": rows[rating["model"]].rank_low,  # the release before this one wants it
                    "slug": slugs[rows[rating["model"]].image_model_id],
                    "design_effect": rows[rating["model"]].design_effect,
                    "status": rows[rating["model"]].status,
                    "both_bad": rows[rating["model"]].both_bad,
                    "voters": rows[rating["model"]].voters,
                    "sampling_share": shares.get(rows[rating["model"]].image_model_id, 0.0),
                }
                for rating in again
            ],
            facts=_facts(category, computed) | {"covariance": covariance, "anchor": anchor, "votes_files": votes_files},
            **versions,
        )
        snapshot.chain_sha256 = _chained(snapshot, last)
        snapshot.save(force_insert=True)
        return snapshot


def _chained(snapshot: Snapshot, before: Snapshot | None) -> str:
    """The sha256 of the snapshot's whole content and of the one before it, as canonical JSON: a changed digit, or a
    snapshot taken out, breaks it and every one after it."""
    content = {
        "category": snapshot.category.slug,
        "taken_at": snapshot.taken_at.isoformat(),
        "method_version": snapshot.method_version,
        "engine_version": snapshot.engine_version,
        "cells_sha256": snapshot.sha256,
        "ratings": snapshot.ratings,
        "facts": snapshot.facts,
        "before": "" if before is None else before.chain_sha256 or before.sha256,
    }
    return reproduction.digest(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _is_chained(snapshot: Snapshot) -> bool:
    """Whether its chain is that of its content and of the one before it; true of those before there was a chain."""
    before = Snapshot.objects.filter(category=snapshot.category, pk__lt=snapshot.pk).order_by("-pk").first()
    return not snapshot.chain_sha256 or snapshot.chain_sha256 == _chained(snapshot, before)


def is_intact(snapshot: Snapshot) -> bool:
    """Whether what is stored still has the published hash and chain; may be ten minutes old. `verify` computes."""

    def compute() -> bool:
        digest = reproduction.digest(cells_csv(snapshot, exact=True))
        return digest == snapshot.sha256 and _is_chained(snapshot)

    return get_or_compute("snapshot is intact", snapshot.pk, seconds=10 * MINUTE, compute=compute)


def _named(counts: pair_counts.Counts) -> tuple[dict[str, str], list[reproduction.Cell]]:
    """The names of the models by id, and the counts by these names."""
    rows = counts.rows()
    names = _names({str(pk) for row in rows for pk in row[:2]})
    return names, [(names[str(left)], names[str(right)], outcome, n) for left, right, outcome, n in rows]


def _names(ids: Iterable[str]) -> dict[str, str]:
    """Model id → the name that exports use. Two models of one name are distinguished by their slugs."""
    models = {str(model.pk): model for model in ImageModel.objects.filter(pk__in=[int(pk) for pk in ids])}
    used = Counter(model.export_name for model in models.values())
    return {
        pk: model.csv_name if used[model.export_name] == 1 else f"{model.csv_name} ({model.slug})"
        for pk, model in models.items()
    }


def _sampling_shares(category: Category) -> dict[int, float]:
    """In what share of the category's battles each model was shown, answered or not."""
    shown: Counter[int] = Counter()
    battles = Battle.objects.filter(prompt__competition__category=category).order_by()
    battles = battles.exclude(left__image_model=F("right__image_model"))  # checks of providers
    for side in ("left__image_model", "right__image_model"):
        shown.update(dict(battles.values_list(side).annotate(n=Count("*"))))
    total = sum(shown.values()) / 2
    return {model: count / total for model, count in shown.items()}


def _facts(category: Category, computed: Computed) -> dict[str, Any]:
    votes = computed.counts.total
    side = computed.side if computed.side and isfinite(computed.side.se) else None
    return {
        "finding": computed.finding_json(confirmed=None),
        "votes": votes,
        "voters": computed.spread.all_voters,
        "prompts": computed.spread.all_prompts,
        "effective_voters": computed.spread.all_effective_voters,
        "effective_prompts": computed.spread.all_effective_prompts,
        "tie_rate": computed.counts.tied / votes,
        "side_effect": {"elo": side.elo, "se": side.se} if side else None,
        "rules": _cap_rule(category),
        "thresholds": {
            "usable_votes": intervals.USABLE_VOTES,
            "usable_voters": intervals.USABLE_VOTERS,
            "effective": intervals.MIN_EFFECTIVE,
            "width_degrees": intervals.WIDTH_DEGREES,
            "usable_half_width": intervals.USABLE_HALF_WIDTH,
            "settled_half_width": intervals.SETTLED_HALF_WIDTH,
        },
    }


def _cap_rule(category: Category) -> dict[str, Any]:
    """How many votes of one voter counted, and the votes and voters that this follows from."""
    cap = VoteCap.objects.filter(category=category).first() or VoteCap(cap=vote_cap.FLOOR, votes=0, voters=0)
    return {
        "cap": cap.cap, "cap_votes": cap.votes, "cap_voters": cap.voters, "cap_days": caps.DAYS,
        "cap_rule": rules.CAP.name,
    }  # fmt: skip


def dates(category: Category) -> QuerySet[Snapshot]:
    """The category's snapshots, newest first, without their long parts."""
    return category.snapshots.only("pk", "taken_at", "category", "facts").order_by("-pk")


def moves(snapshot: Snapshot) -> dict[str, float]:
    """By how many Elo each model moved since the snapshot before; without those that are new."""
    before = Snapshot.objects.filter(category=snapshot.category, pk__lt=snapshot.pk).order_by("-pk").first()
    if before is None:
        return {}
    then = {row.get("slug", row["model"]): float(row["elo"]) for row in before.ratings}
    return {
        row["model"]: float(row["elo"]) - then[key]
        for row in snapshot.ratings
        if (key := row.get("slug", row["model"])) in then
    }


def places(snapshot: Snapshot) -> list[tuple[dict[str, Any], Place]]:
    """Its rows in order, each with the model's place; snapshots before intervals of ranks were stored have none."""
    placed = sum(isfinite(float(row["upper"])) for row in snapshot.ratings)
    return [(row, _row_place(row, placed)) for row in snapshot.ratings]


def _row_place(row: dict[str, Any], placed: int) -> Place:
    if not isfinite(float(row["upper"])) or row.get("rank_interval") is None:
        return Place.unknown(placed)
    low, high = row["rank_interval"]
    best = row.get("best")
    return Place(low, high, max(placed, high), None if best is None else float(best))


def cells_csv(snapshot: Snapshot, *, exact: bool = False) -> str:
    """The cells as published, for spreadsheets too. `exact`: the very text whose sha256 the snapshot states, which
    differs where a snapshot of an earlier release has a name that a spreadsheet would run."""
    name: Callable[[str], str] = str if exact else safe_cell
    return reproduction.cells_csv((name(left), name(right), outcome, n) for left, right, outcome, n in snapshot.cells)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What computing a snapshot again came to; no differences is what it must be."""

    sha256: str
    differences: list[str]


def verify(snapshot: Snapshot, cells: str | None = None) -> Reproduction:
    """Compute the snapshot again in a process of its own, without database, and compare hash and digits.

    `cells` are those of a CSV that somebody saved; without it, those stored with the snapshot.
    """
    given = {
        "cells": cells_csv(snapshot, exact=True) if cells is None else cells,
        "design": {row["model"]: row["design_effect"] for row in snapshot.ratings},
        "covariance": snapshot.facts.get("covariance"),
        "anchor": snapshot.facts.get("anchor", []),
        "effective": [snapshot.facts.get("effective_voters"), snapshot.facts.get("effective_prompts")],
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(settings.BASE_DIR)!r})\n{_RERUN}"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env={},
        check=False,
    )
    if done.returncode:
        return Reproduction("", [done.stderr.strip().splitlines()[-1]])
    again = json.loads(done.stdout)
    return Reproduction(again["sha256"], list(_differences(snapshot, again)))


_RERUN = "from leaderboard.rating import reproduction; sys.exit(reproduction.main([]))"


_SINCE_VERSION_1 = ("elo", "sandwich_se", "lower", "upper", "votes")  # what every method version computes alike


def _differences(snapshot: Snapshot, again: dict[str, Any]) -> list[str]:
    lines = [
        f"{name}: the snapshot says {getattr(snapshot, name)}, now {again[name]}"
        for name in ("sha256",)
        if getattr(snapshot, name) != again[name]
    ]
    if not _is_chained(snapshot):
        lines.append("chain_sha256: something in this snapshot, or the one before it, was changed since")
    lines += _cap_differences(snapshot.facts.get("rules", {}))
    compared = None if snapshot.method_version == again["method_version"] else _SINCE_VERSION_1
    fresh = {row["model"]: row for row in again["ratings"]}
    for row in snapshot.ratings:
        now = fresh.pop(row["model"], None)
        if now is None:
            lines.append(f"{row['model']}: not among the models of these cells")
            continue
        lines += [
            f"{row['model']}, {name}: the snapshot says {row[name]}, now {value}"
            for name, value in now.items()
            if row.get(name) != value and (compared is None or name in compared)
        ]
    return lines + [f"{model}: not among the models of the snapshot" for model in fresh]


def _cap_differences(stated: dict[str, Any]) -> list[str]:
    """Whether the cap follows from the votes and voters stated beside it; snapshots before cap-2 had a fixed one."""
    shares = {rules.CAP.name: vote_cap.SHARE, rules.LARGER_CAP.name: vote_cap.SHARE_BEFORE}
    if stated.get("cap_rule") not in shares:
        return []
    cap = vote_cap.cap(stated["cap_votes"], stated["cap_voters"], shares[stated["cap_rule"]])
    if cap == stated["cap"]:
        return []
    return [f"cap of a voter: the snapshot says {stated['cap']}, its votes and voters make {cap}"]
