"""Rows as JSON. Unknown is null, never zero; a rank is shown as a place with its bounds; money is US dollars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol

from django.http import HttpRequest
from django.urls import reverse

from arena.models import Category, Competition, Entry, Prompt
from leaderboard.api.endpoint import Json
from leaderboard.board import snapshots, standings
from leaderboard.board.image_records import ImageRecord
from leaderboard.board_page.filters import BoardRow
from leaderboard.model_facts import rights
from leaderboard.models import BoardState, Rating, Snapshot
from leaderboard.profiles import offerings
from leaderboard.rating.place import Place
from providers.accounts import is_simulated, name_of
from providers.models import ImageModel, Offering
from providers.performance import summaries


class _Numbers(Protocol):
    elo: float
    lower: float
    upper: float


def board(request: HttpRequest, category: Category, state: BoardState | None, models: int) -> Json:
    """A board without its rows."""
    source = {"name": category.source_name, "url": category.source_url, "licence": category.source_licence}
    return {
        "id": category.slug,
        "name": category.name,
        "mode": category.mode,
        "description": category.description,
        "source": source if category.source_name else None,
        "models": models,
        "votes": state.votes if state else 0,
        "voters": state.voters if state else 0,
        "prompts": state.prompts if state else 0,
        "tie_rate": number(state.tie_rate) if state else None,
        "computed_at": moment(state.computed_at) if state else None,
        "method_version": state.method_version if state else "",
        "windows": standings.windows(category),
        "url": request.build_absolute_uri(category.get_absolute_url()),
        "csv_url": request.build_absolute_uri(reverse("leaderboard:category-csv", args=[category.slug])),
    }


def standing(row: BoardRow) -> Json:
    """A row of a board."""
    rating = row.standing.rating
    return {
        "model": rating.image_model.slug,
        "name": row.name,
        "lab": row.lab or None,
        "origin": rating.image_model.origin,
        "place": row.standing.place.as_json(),
        **interval(rating),
        "votes": row.votes,
        "status": row.status,
        "tier": rating.tier if row.standing.place.is_known else None,
        "keeper_rate": number(row.keeper_rate),
        "price_usd": money(row.price),
        "median_seconds": number(row.seconds),
        "open_weights": row.open_weights,
        "licence": row.licence or None,
        "commercial_use": row.commercial,
        "released_on": day(row.released_on),
    }


def model_rating(row: Rating) -> Json:
    """A model on one board."""
    return {
        "leaderboard": row.category.slug,
        "place": row.place.as_json(),
        **interval(row),
        "votes": row.votes,
        "status": row.status,
    }


def interval(row: _Numbers) -> Json:
    """Elo with its 95 % interval; a bound that the votes do not give is null."""
    return {"elo": number(row.elo), "lower": number(row.lower), "upper": number(row.upper)}


def model(request: HttpRequest, row: ImageModel, ratings: Iterable[Rating]) -> Json:
    """A model of the catalogue with its ratings by board; null is unknown. `row` comes with its lab."""
    return {
        "id": row.slug,
        "name": row.name,
        "lab": {"id": row.lab.slug, "name": row.lab.name} if row.lab else None,
        "origin": row.origin,
        "description": row.description,
        "modes": list(row.modes),
        "released_on": day(row.released_on),
        "retired_on": day(row.retired_at.date()) if row.retired_at else None,
        "open_weights": row.open_weights,
        "licence": row.licence or None,
        "commercial_use": rights.of_licence(row.licence).answer,
        "ratings": [model_rating(row) for row in ratings],
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


def offering(row: Offering) -> Json:
    """What a provider sells; `row` has the figures of `summaries.measured` as `figures`."""
    return {
        "id": row.pk,
        "model": row.image_model.slug,
        "provider": row.provider,
        "provider_name": name_of(row.provider),
        "mode": row.mode,
        "simulated": is_simulated(row.provider),
        "price": {
            "amount_usd": money(row.price),
            "unit": row.price_unit,
            "image_usd": money(offerings.price_of(row)),
            "estimated": row.price_estimated,
            "on_request": row.price_on_request,
            "source": row.price_source or None,
            "seen_on": day(row.price_seen_on),
        },
        "ends_on": day(row.ends_on),
        "performance": _performance(row.figures),  # type: ignore[attr-defined]  # annotated
    }


def _performance(figures: Mapping[str, Any] | None) -> Json:
    """Of the last 30 days."""
    measured = summaries.of_figures(figures)
    return {
        "samples": measured.duration.samples,
        "p50_seconds": seconds(measured.duration.p50),
        "p95_seconds": seconds(measured.duration.p95),
        "provider_p50_seconds": seconds(measured.provider_time.p50),
        "success_rate": number(measured.success_rate),
        "judged_calls": measured.judged,
    }


def competition(request: HttpRequest, row: Competition) -> Json:
    """`row` has its prompts and votes counted (overview.listed)."""
    return {
        "id": row.slug,
        "title": row.title,
        "leaderboard": row.category.slug,
        "criterion": row.criterion,
        "description": row.description,
        "challenge": row.challenge,
        "shape": row.shape,
        "state": str(row.state),
        "opens_at": moment(row.opens_at),
        "closes_at": moment(row.closes_at),
        "prompts": row.prompt_count,  # type: ignore[attr-defined]  # annotated
        "votes": row.vote_count,  # type: ignore[attr-defined]  # annotated
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


def record(row: ImageRecord) -> Json:
    """How a model's images of some prompts did."""
    return {"model": row.image_model.slug, **_counts(row)}


def _counts(row: ImageRecord | None) -> Json:
    row = row or ImageRecord(ImageModel())
    return {
        "won": row.won,
        "tied": row.tied,
        "lost": row.lost,
        "both_bad": row.both_bad,
        "score": number(row.points) if row.votes else None,
    }


def prompt(request: HttpRequest, row: Prompt) -> Json:
    path = reverse("leaderboard:prompt", args=[row.competition.slug, row.pk])
    return {
        "id": row.pk,
        "competition": row.competition.slug,
        "leaderboard": row.competition.category.slug,
        "text": row.text,
        "tags": list(row.tags),
        "has_source_image": bool(row.source_image),
        "source_credit": row.source_credit or None,
        "url": request.build_absolute_uri(path),
    }


def image(request: HttpRequest, entry: Entry, did: ImageRecord | None) -> Json:
    """An image of a prompt, with its own record. The URL is that of its small public copy."""
    path = reverse("arena:public-image", args=[entry.thumbnail.name])
    return {
        "model": entry.image_model.slug,
        "image_url": request.build_absolute_uri(path),
        "width": entry.width,
        "height": entry.height,
        **_counts(did),
    }


def snapshot(request: HttpRequest, row: Snapshot) -> Json:
    """A snapshot without its rows, which are in the file at `csv_url`."""
    return {
        "id": row.pk,
        "leaderboard": row.category.slug,
        "taken_at": moment(row.taken_at),
        "method_version": row.method_version,
        "engine_version": row.engine_version,
        "cells_sha256": row.sha256,
        "chain_sha256": row.chain_sha256 or None,
        "votes": row.facts.get("votes"),
        "voters": row.facts.get("voters"),
        "prompts": row.facts.get("prompts"),
        "url": request.build_absolute_uri(row.get_absolute_url()),
        "csv_url": request.build_absolute_uri(reverse("leaderboard:snapshot-csv", args=[row.pk])),
    }


def snapshot_standings(row: Snapshot) -> list[Json]:
    """The rows of a snapshot: numbers are those of its day."""
    return [_snapshot_standing(rating, place) for rating, place in snapshots.places(row)]


def _snapshot_standing(row: Mapping[str, Any], place: Place) -> Json:
    return {
        "model": row.get("slug"),
        "name": row["model"],
        "place": place.as_json(),
        **{name: number(float(row[name])) for name in ("elo", "lower", "upper")},
        "votes": row["votes"],
        "status": row.get("status"),
    }


# Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def number(value: float | None) -> float | None:
    """With six decimals; null where there is none, or where it is infinite."""
    return None if value is None or not isfinite(value) else round(value, 6)


def money(value: Decimal | None) -> float | None:
    """US dollars, to the millionth."""
    return None if value is None else float(round(value, 6))


def seconds(value: timedelta | None) -> float | None:
    """To the millisecond."""
    return None if value is None else round(value.total_seconds(), 3)


def day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with its offset from UTC."""
    return None if value is None else value.isoformat()
