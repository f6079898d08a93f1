"""Which rights the ready groups of staff were given, so that a release adds its new ones and no other."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import models


class GivenRight(models.Model):
    """A right that `arena.groups` gave to a group once. An operator may have taken it back since."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+", db_index=False)
    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "permission"], name="a right is given to a group once"),
        ]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.permission_id}"
