"""The history of what staff curate: a row for every change of an object, with who made it, when, and why.

Votes, battles, tallies, generations and entries have none: their writers must stay quick. What staff do to those is in
the log of the admin. `providers.web.history` reads and writes the rows; they are registered here because the gateway,
which runs the providers app alone, has no users.
"""

from __future__ import annotations

from django.db import models
from simple_history import register

from arena.models.competitions import Category, Competition, Prompt
from arena.models.imports import ImportedName, VoteFile
from arena.models.invitations import Invitation
from arena.models.suggestions import Suggestion
from providers.models import ApiKey, ImageModel, Lab, ModelAlias, Offering

# Model → columns that its history leaves out.
TRACKED: dict[type[models.Model], tuple[str, ...]] = {
    Category: (),
    Competition: (),
    Prompt: (),
    Suggestion: (),
    VoteFile: (),
    ImportedName: (),
    Invitation: ("token",),
    Lab: ("from_catalog",),
    ImageModel: ("from_catalog",),
    Offering: ("from_catalog",),
    ModelAlias: (),
    ApiKey: ("digest", "previous_digest", "last_used_at"),
}

for _model, _excluded in TRACKED.items():
    register(
        _model,
        app="arena",
        excluded_fields=list(_excluded),
        history_change_reason_field=models.TextField(null=True),
    )
