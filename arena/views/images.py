"""Images by their URLs: blind in a battle, public on public pages, and an entry's own page with its original.

A battle's image is answered the same way whatever it shows: the same headers in the same order, no conditional or
partial answers, one failure. An entry's page has a plain number in its URL: what must stay secret is not which entries
exist – public pages list them all – but which two of them are in a voter's battle. So the page depends on the voter.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from django.core.files import File
from django.db.models import Case, F, QuerySet, When
from django.db.models.fields.files import FieldFile
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
)
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena import blinding, images
from arena.battles import ballots, fetches
from arena.invitations import may_see as _may_see
from arena.models import Competition, Entry, Prompt
from providers.files import file_store
from providers.transfer import metadata

log = logging.getLogger(__name__)

# Nothing in a header may tell two images apart: no ETag, no Last-Modified, no file name.
_BLIND_HEADERS = {
    "Cache-Control": "private, max-age=3600, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, noimageindex",
}
# Bytes from outside: saved as a file, never shown as a page, and without rights should a browser show them anyway.
_ORIGINAL_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, noimageindex",
}
_PRIVATE_CATEGORY = Case(
    When(prompt__competition__category__is_private=True, then=F("prompt__competition__category")), default=None
)
PUBLIC_SECONDS = 60  # in which a picture that was taken away is gone from browsers and proxies too
_GONE_HEADERS = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}"}
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif"}


@require_safe
def image(request: HttpRequest, token: str, small: bool = False) -> HttpResponse:
    """One side's image. Its URL has a random token that lives as long as its battle."""
    is_load = request.method == "GET"
    stored = fetches.entry_of_battle(token, is_load=is_load)
    entry, is_shown, private_category = stored or (None, False, None)
    if stored is None and (pk := ballots.entry_of_token(request, token)) is not None:  # in no table yet
        rows = Entry.everything.filter(pk=pk, hidden_at=None, retired_at=None)
        entry = rows.annotate(private_category=_PRIVATE_CATEGORY).first()
        is_shown, private_category = entry is not None, getattr(entry, "private_category", None)
        if is_load and is_shown:
            fetches.note_ballot(token)
    if private_category is not None and not _may_see(request, private_category):
        is_shown = False
    if entry is None or not is_shown:
        raise Http404("This image is not shown any more.")
    return blind_image(entry.small if small else entry.image)


def blind_image(file: FieldFile) -> HttpResponse:
    """An image of a pair that is being judged; whatever it shows, the headers are the same."""
    try:
        return file_store.response(file.name or "", "image/webp", _BLIND_HEADERS)
    except FileNotFoundError as error:
        log.error("%s of entry %s is lost", file.field.name, file.instance.pk)
        raise Http404("This image is not shown any more.") from error


@require_safe
def public_image(request: HttpRequest, name: str) -> HttpResponse:
    """A thumbnail or source image of a public page; 410 when it was taken away.

    The content behind a name never changes, but its right to be shown does: browsers and proxies ask again after
    PUBLIC_SECONDS, and get 304 as long as it may be shown.
    """
    folder, _, _ = name.partition("/")
    is_shown = _SHOWN[folder](name)
    if is_shown is None:
        return _private_image(request, folder, name)
    if not is_shown:
        return HttpResponse("This image was taken away.", content_type="text/plain", status=410, headers=_GONE_HEADERS)
    headers = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}", "ETag": f'"{name}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponseNotModified(headers=headers)
    return _stored(name, headers)


def _stored(name: str, headers: dict[str, str]) -> HttpResponse:
    try:
        return file_store.response(name, "image/webp" if name.endswith(".webp") else "image/jpeg", headers)
    except FileNotFoundError as error:
        raise Http404("There is no such image.") from error


def _private_image(request: HttpRequest, folder: str, name: str) -> HttpResponse:
    """An image of a private category, for clients that may see it: cached nowhere, since an invitation may end."""
    rows: QuerySet[Entry] | QuerySet[Prompt]
    if folder == "public":
        rows = Entry.everything.filter(thumbnail=name, hidden_at=None, retired_at=None)
    else:
        rows = Prompt.everything.filter(source_image=name, retired_at=None)
    path = "prompt__competition__category" if folder == "public" else "competition__category"
    category = rows.order_by().values_list(path, flat=True).first()
    if category is None or not _may_see(request, category):
        raise Http404("There is no such image.")
    return _stored(name, {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, noimageindex"})


def _thumbnail_is_shown(name: str) -> bool | None:
    """None where no entry has this thumbnail."""
    row = Entry.objects.filter(thumbnail=name).values_list("hidden_at", "retired_at").first()
    return None if row is None else row == (None, None)


def _source_is_shown(name: str) -> bool | None:
    """Several prompts may edit one image. None where no prompt does: a suggestion's is for curators only."""
    retired = list(Prompt.objects.filter(source_image=name).order_by().values_list("retired_at", flat=True))
    return None in retired if retired else None


_SHOWN: dict[str, Callable[[str], bool | None]] = {"public": _thumbnail_is_shown, "sources": _source_is_shown}


@never_cache
@require_safe
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """The entry with its model, how it was generated, and what its original file says about itself."""
    entry = _published(request, pk)
    if response := _withheld(request, entry):
        return response
    with _original(entry) as file:
        data = file.read()
    context = {
        "entry": entry,
        "call": entry.call,
        "remarks": metadata.remarks(data),
        "format": images.extension(data).upper(),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return render(request, "arena/entry.html", context)


@never_cache
@require_safe
def original(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as the provider delivered it, metadata and all, to be saved."""
    entry = _published(request, pk)
    if response := _withheld(request, entry):
        return response
    file = _original(entry)
    kind = images.extension(file.read(32))
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{entry.image_model.slug}-{entry.pk}.{kind}",
        content_type=_TYPES.get(kind, "application/octet-stream"),
        headers=_ORIGINAL_HEADERS,
    )


def _original(entry: Entry) -> File[bytes]:
    try:
        return entry.original.open("rb")
    except FileNotFoundError as error:
        log.error("original of entry %s is lost", entry.pk)
        raise Http404("This image's file is lost.") from error


def _published(request: HttpRequest, pk: int) -> Entry:
    related = ("image_model__lab", "prompt__competition__category", "call__offering", "generation")
    competitions = Competition.everything.unveiled()
    entry = get_object_or_404(
        Entry.everything.filter(prompt__competition__in=competitions).select_related(*related), pk=pk
    )
    category = entry.prompt.competition.category
    if category.is_private and not _may_see(request, category.pk):
        raise Http404("There is no such entry.")
    return entry


def _withheld(request: HttpRequest, entry: Entry) -> HttpResponse | None:
    """403 while the voter is asked about this prompt, 410 for an image that was taken away; else None."""
    if entry.prompt_id in blinding.open_prompts_of(request):
        # Refused for every entry of the prompt alike: the two of the battle must not stand out by being refused.
        return render(request, "arena/image_hidden.html", {"prompt": entry.prompt}, status=403)
    if entry.retired_at is not None or entry.hidden_at is not None:
        return render(request, "arena/taken_away.html", {"entry": entry}, status=410)
    return None
