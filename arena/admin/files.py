"""Stored files for staff: what MEDIA_URL points to. The public sees images at URLs of its own."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from arena import images

# Folder → the permissions, one of which opens its files.
PERMISSIONS: dict[str, tuple[str, ...]] = {
    "battle": ("arena.view_entry",),
    "public": ("arena.view_entry", "arena.view_report"),
    "originals": ("arena.view_entry",),
    "sources": ("arena.view_prompt", "arena.view_suggestion"),
}
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif"}


@never_cache
def stored_file(request: HttpRequest, folder: str, name: str) -> HttpResponse:
    """The file; 403 without a permission on its folder, 404 when it is not there. Bytes from outside run nothing."""
    if not any(request.user.has_perm(permission) for permission in PERMISSIONS.get(folder, ())):
        raise PermissionDenied
    try:
        with default_storage.open(f"{folder}/{name}", "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Http404("There is no such file.") from error
    content_type = TYPES.get(images.extension(content), "application/octet-stream")
    return HttpResponse(content, content_type, headers={"Content-Security-Policy": "sandbox; default-src 'none'"})
