"""The border between what anybody may see and what is private: a manager, and no page goes round it.

A model that can be private has two managers. `objects` finds what is public; public pages, lists, feeds, files and
APIs use it and nothing else. `everything` is for what must find private rows too: workers, imports, the admin, voters'
own battles, and pages that have checked who is asking. A new page that forgets about privacy shows too little, not
too much.
"""

from __future__ import annotations

from typing import Any

from django.db import models


def public(queryset: type[models.QuerySet[Any]], path: str) -> Any:
    """A manager of the rows whose `path`, a lookup that ends at an `is_private`, is false."""

    class PublicManager(models.Manager.from_queryset(queryset)):  # type: ignore[misc]  # a class made at run time
        def get_queryset(self) -> models.QuerySet[Any]:
            rows: models.QuerySet[Any] = super().get_queryset().filter(**{path: False})
            return rows

    return PublicManager()
