"""URLs of images in sizes that no file has. They hold the name of the public file, which nobody can guess."""

from __future__ import annotations

from pathlib import PurePath

from django.urls import reverse

from arena.models import Entry, Prompt


def tiny_url(entry: Entry) -> str:
    """Of the entry's image, cropped to a square of 112 pixels."""
    return reverse("leaderboard:tiny-image", args=[entry.pk, PurePath(entry.thumbnail.name or "").stem])


def large_url(entry: Entry) -> str:
    """Of the entry's image in the size of battles, for the viewer."""
    return reverse("leaderboard:large-image", args=[entry.pk, PurePath(entry.thumbnail.name or "").stem])


def source_url(prompt: Prompt) -> str:
    """Of the prompt's source image, cropped to a square of 112 pixels: pages that show it small load it small."""
    return _source_url("tiny-source", prompt)


def medium_source_url(prompt: Prompt) -> str:
    """Of the prompt's source image, whole, at most 640 pixels wide and high."""
    return _source_url("medium-source", prompt)


def _source_url(size: str, prompt: Prompt) -> str:
    return reverse(f"leaderboard:{size}", args=[prompt.pk, PurePath(prompt.source_image.name or "").stem])
