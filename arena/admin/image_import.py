"""Bring images that were made elsewhere: upload, dry run, confirm."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from arena.admin import staged_uploads
from arena.imports import images as image_import
from arena.imports import tabular
from arena.imports.images import ImageVerdict
from arena.models import Competition
from providers.files.file_store import StoreUnwritable

MAX_IMAGES = 500  # in one request; the command takes any number
PURPOSE = "images of competition {}"


class ImageImportForm(forms.Form):
    archive = forms.FileField(
        label="ZIP", help_text=f"At most {MAX_IMAGES} images; the command import_images takes more."
    )
    table = forms.FileField(label="CSV", help_text=f"With the columns {', '.join(image_import.COLUMNS)}.")
    create_models = forms.BooleanField(required=False, label="Add models that the catalogue does not have")


def page(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> HttpResponse:
    """A form for an archive and its table, then what each row would become, then the import. Raises PermissionDenied
    without the right to add entries."""
    competition = get_object_or_404(Competition.everything.select_related("category"), pk=pk)
    if not request.user.has_perm("arena.add_entry"):
        raise PermissionDenied
    user, purpose = int(request.user.pk or 0), PURPOSE.format(pk)
    token = request.POST.get("staged", "")
    is_upload = request.method == "POST" and not token
    form = ImageImportForm(request.POST, request.FILES) if is_upload else ImageImportForm()
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": "Bring images",
        "opts": model_admin.model._meta,
        "competition": competition,
        "form": form,
    }
    if token:
        parts = [staged_uploads.staged(part, user, purpose) for part in _tokens(token)]
        if len(parts) != 2 or None in parts:
            messages.error(request, "The upload is too old, or was imported before. Upload it once more.")
            return redirect(request.path)
        rows = _run(request, competition, parts, "create_models" in request.POST, dry_run=False)
        if isinstance(rows, str):
            messages.error(request, rows)
            return redirect(request.path)
        for part in _tokens(token):
            staged_uploads.discard(part, user, purpose)
        numbers = image_import.counts(rows)
        messages.success(request, f"{numbers['new']} images imported, {numbers['refused']} refused.")
        model_admin.log_change(request, competition, f"Imported {numbers['new']} images from files.")
        return redirect(request.path)
    if form.is_valid():
        uploads: list[bytes] = [form.cleaned_data["archive"].read(), form.cleaned_data["table"].read()]
        rows = _run(request, competition, uploads, form.cleaned_data["create_models"], dry_run=True)
        if isinstance(rows, str):
            form.add_error(None, rows)
        else:
            context |= {
                "counts": image_import.counts(rows).items(),
                "new": image_import.counts(rows)["new"],
                "total": len(rows),
                "refused": [row for row in rows if row.verdict == ImageVerdict.REFUSED],
                "staged": json.dumps([staged_uploads.stage(part, user, purpose) for part in uploads]),
                "create_models": form.cleaned_data["create_models"],
            }
    return render(request, "admin/arena/competition/bring_images.html", context)


def _tokens(text: str) -> list[str]:
    try:
        tokens = json.loads(text)
    except ValueError:
        return []
    return [str(token) for token in tokens] if isinstance(tokens, list) else []


def _run(
    request: HttpRequest, competition: Competition, parts: list[Any], create_models: bool, *, dry_run: bool
) -> list[image_import.ImportedImage] | str:
    """The lines, or why there are none."""
    archive, table = parts
    try:
        if (count := len(image_import.read_table(table))) > MAX_IMAGES:
            return (
                f"The table has {count} lines; {MAX_IMAGES} at a time can be brought here. Use import_images for more."
            )
        return image_import.import_images(
            archive,
            table,
            competition,
            request.user.get_username(),
            create_models=create_models,
            dry_run=dry_run,
        )
    except (tabular.BadFile, StoreUnwritable) as error:
        return str(error)
