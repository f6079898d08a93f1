"""Invitations to private categories: made, copied, revoked."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena.models import Invitation
from providers.web import history


@admin.register(Invitation)
class InvitationAdmin(history.HistoryAdmin, admin.ModelAdmin[Invitation]):
    list_display = ("note", "category", "link", "created_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("category",)
    search_fields = ("note", "category__name")
    fields = ("category", "note", "expires_at", "link", "created_at", "revoked_at")
    readonly_fields = ("link", "created_at", "revoked_at")
    actions = ("revoke",)

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False  # revoked ones stay on the record

    @admin.display(description="link to send")
    def link(self, invitation: Invitation) -> SafeString | str:
        if not invitation.pk:
            return "after saving"
        return "revoked" if invitation.revoked_at else format_html('<a href="{0}">{0}</a>', invitation.url)

    @admin.action(description="Revoke: the link lets nobody in any more", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        count = history.update(request, queryset.filter(revoked_at=None), "Revoked.", revoked_at=timezone.now())
        messages.success(request, f"{count} invitations revoked.")
