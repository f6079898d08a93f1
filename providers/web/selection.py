"""What staff choose in the admin can be rows: Django makes a 500 of an id that a model cannot have."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def checked(admin_view: Callable[..., Any]) -> Callable[..., Any]:
    """`AdminSite.admin_view`, whose forms are answered 400 where they choose what cannot be a row: in the boxes of a
    list, or in a field with autocompletion, which looks its value up to show the form again."""

    @functools.wraps(admin_view)
    def wrap(view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def with_rows(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            owner = getattr(view, "__self__", None)
            if request.method == "POST" and isinstance(owner, ModelAdmin):
                for model, key in _chosen(request, owner):
                    try:
                        model._meta.pk.to_python(key)
                    except ValidationError as error:
                        raise BadRequest("What was chosen cannot be a row.") from error
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        wrapped: Callable[..., HttpResponseBase] = admin_view(with_rows, cacheable)
        return wrapped

    return wrap


def _chosen(request: HttpRequest, owner: ModelAdmin[Any]) -> Iterator[tuple[Any, str]]:
    """Models and keys that the form names."""
    for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
        yield owner.model, key
    for name in owner.get_autocomplete_fields(request):
        related = owner.model._meta.get_field(name).related_model
        yield from ((related, key) for key in request.POST.getlist(name) if key)
