"""Add the demo's content to an installation. The second time changes nothing."""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet

from arena import generation, images
from arena.imports.votes import load
from arena.models import Category, Competition, Prompt
from providers import accounts
from providers.models import ImageModel, ModeChoices, Offering
from providers.samples.renderer import photographs

HERE = Path(__file__).parent

IMAGENHUB = {
    "imagenhub-text-to-image": ("ImagenHub: text to image", "text-to-image"),
    "imagenhub-image-editing": ("ImagenHub: image editing", "edit"),
}
IMAGENHUB_SOURCE = "ImagenHub, TIGER Lab, University of Waterloo"


@dataclass(frozen=True, slots=True)
class SeedResult:
    prompts: int
    queued: int
    votes: int


def seed() -> SeedResult:
    """Add what is missing of the demo's content and queue the sample models' images for it.

    Only sample models that nobody sells are asked: nothing here can cost money. Raises PhotographsMissing (see
    providers.samples.renderer) when the package with the photographs is not installed.
    """
    content = tomllib.loads((HERE / "content.toml").read_text(encoding="utf-8"))
    with transaction.atomic():
        for position, row in enumerate(content["category"], start=1):
            Category.objects.get_or_create(
                slug=row["slug"], defaults={"name": row["name"], "mode": _mode(row["slug"]), "position": position}
            )
        prompts = sum(_competition(row) for row in content["competition"])
        votes = sum(_imagenhub(slug, name, mode, 10 + n) for n, (slug, (name, mode)) in enumerate(IMAGENHUB.items()))
    slugs = [row["slug"] for row in content["competition"]]
    queued = _ask_samples(Competition.objects.filter(slug__in=slugs))
    return SeedResult(prompts, queued, votes)


def _mode(category: str) -> str:
    return "edit" if category == "image-editing" else "text-to-image"


def _competition(row: dict[str, Any]) -> int:
    """Create the competition and its missing prompts; returns how many were created."""
    competition, _ = Competition.objects.get_or_create(
        slug=row["slug"],
        defaults={
            "category": Category.objects.get(slug=row["category"]),
            "title": row["title"],
            "question": row["question"],
            "criterion": row["criterion"],
            "description": row["description"],
            "challenge": row.get("challenge", ""),
            "shape": row["shape"],
            "is_published": True,
            "unveiling": Competition.Unveiling.ALWAYS,  # a demo shows everything
        },
    )
    return sum(_prompt(competition, position, prompt) for position, prompt in enumerate(row["prompt"], start=1))


def _prompt(competition: Competition, position: int, row: dict[str, Any]) -> bool:
    if competition.prompts.filter(text=row["text"]).exists():
        return False
    prompt = Prompt(competition=competition, text=row["text"], tags=row["tags"], position=position)
    if "photograph" in row:
        photograph = photographs.find(row["photograph"])
        prompt.source_credit = f"{photograph.title}. {photograph.credit}, {photograph.licence}"
        prompt.source_image.save(
            f"{secrets.token_hex(16)}.jpg", ContentFile(images.clean_source(photograph.path.read_bytes())), save=False
        )
    prompt.save()
    return True


def _ask_samples(competitions: QuerySet[Competition]) -> int:
    """The first prompts of all competitions come first: every category can be voted on within seconds."""
    real = [key for key in settings.PROVIDERS if not accounts.is_simulated(key)]  # a demo spends nothing
    samples = ImageModel.objects.filter(origin=ImageModel.Origin.SAMPLE).exclude(
        offerings__in=Offering.objects.open().filter(provider__in=real)
    )
    of_mode = {mode: list(samples.askable(mode)) for mode in ModeChoices.values}
    prompts = Prompt.objects.current().filter(competition__in=competitions).select_related("competition__category")
    return sum(
        generation.plan(prompt, of_mode[prompt.competition.category.mode])
        for prompt in prompts.order_by("position", "competition__category__position", "pk")
    )


def _imagenhub(slug: str, name: str, mode: str, position: int) -> int:
    """Experts' votes on real models as a category of their own; returns how many were imported."""
    category, _ = Category.objects.get_or_create(
        slug=slug,
        defaults={
            "name": name,
            "mode": mode,
            "position": position,
            "description": (
                "Three trained raters scored every image; of two models the one with the better score wins the prompt. "
                "Such comparisons depend on each other, so the intervals shown are too narrow."
            ),
            "source_name": IMAGENHUB_SOURCE,
            "source_url": "https://github.com/TIGER-AI-Lab/ImagenHub",
            "source_licence": "MIT",
        },
    )
    result = load.import_votes((HERE / "votes" / f"votes-{slug}.csv").read_bytes(), category, IMAGENHUB_SOURCE)
    return result.rows if result.new else 0
