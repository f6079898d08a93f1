"""Images in sizes that no file has."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePath

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from PIL import Image, ImageOps

from arena import blinding
from arena.models import Competition, Entry, Prompt
from arena.views.images import PUBLIC_SECONDS
from leaderboard import cache
from leaderboard.competitions import viewer as viewers
from leaderboard.page_cache import cached_page, of_prompt

# They may be taken away like the images themselves: browsers and proxies ask again, and get 304 until then.
CACHED = cache_control(public=True, max_age=PUBLIC_SECONDS)
SIDE = 112  # pixels: 46 to 56 on the page, twice that on sharp screens
LONGER_SIDE = 640  # pixels, of a source beside the images made from it


@require_safe
@CACHED
def tiny(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A square of an entry's thumbnail. The URL holds the name of that file, which nobody can guess."""
    return _response(
        request, get_object_or_404(Entry.objects.current().only("thumbnail"), pk=pk).thumbnail, name, _square
    )


@require_safe
@CACHED
def tiny_source(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The same of a prompt's source image."""
    return _response(request, _source(pk), name, _square)


@require_safe
@CACHED
def medium_source(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A prompt's source image, whole, as large as the images beside it."""
    return _response(request, _source(pk), name, _medium)


def _source(pk: int) -> FieldFile:
    prompt: Prompt = get_object_or_404(Prompt.objects.filter(retired_at=None).only("source_image"), pk=pk)
    return prompt.source_image


@require_safe
@CACHED
def large(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """An entry's image in the size of battles, under the name of its public thumbnail; taken away with it."""
    del request
    entry = get_object_or_404(Entry.objects.current().only("thumbnail", "image"), pk=pk)
    if PurePath(entry.thumbnail.name or "").stem != name:
        raise Http404("There is no such image.")
    try:
        with entry.image.open("rb") as file:
            return HttpResponse(file.read(), content_type="image/webp", headers={"X-Robots-Tag": "noindex"})
    except OSError as error:
        raise Http404("The image's file is missing.") from error


@require_safe
@cached_page(version=of_prompt, blind=True)
def viewer(request: HttpRequest, pk: int) -> HttpResponse:
    """Every image of a prompt, as JSON for the viewer; never of a prompt that the reader is still asked about."""
    unveiled = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    prompt = get_object_or_404(unveiled.select_related("competition"), pk=pk)
    if prompt.pk in blinding.open_prompts_of(request):
        raise Http404("You are asked to vote on this prompt: its images open when you have.")
    return JsonResponse(viewers.of_prompt(prompt))


def _response(
    request: HttpRequest, file: FieldFile, name: str, resize: Callable[[Image.Image], Image.Image]
) -> HttpResponse:
    if not file or PurePath(file.name or "").stem != name:
        raise Http404("There is no such image.")
    headers = {"X-Robots-Tag": "noindex", "ETag": f'"{name}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponseNotModified(headers=headers)
    try:
        data = cache.get_or_compute(
            resize.__name__, file.name, seconds=24 * 3600, compute=lambda: _resized(file, resize)
        )
    except OSError as error:
        raise Http404("The image's file is missing.") from error
    return HttpResponse(data, content_type="image/webp", headers=headers)


def _resized(file: FieldFile, resize: Callable[[Image.Image], Image.Image]) -> bytes:
    out = io.BytesIO()
    with file.open("rb") as opened, Image.open(opened) as image:
        resize(image.convert("RGB")).save(out, "WEBP", quality=78)
    return out.getvalue()


def _square(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)


def _medium(image: Image.Image) -> Image.Image:
    image.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.LANCZOS)
    return image
