"""Who may see private categories: browsers that opened an invitation which is still valid, and staff who may anyway.

A browser keeps the ids of its invitations in a signed cookie; whether they are valid is looked up for each request, so
a revoked link closes the door at once. Only requests for something private cost that query.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseBase

from providers.cache import ProcessCache

from .models import Category, Invitation

COOKIE = "invitations"
_SALT = "arena.invitations"
_MAX_AGE = 365 * 24 * 3600
_MOST = 20  # in one browser; the oldest goes

# Seconds old is new enough: a category that has anything to see stays public or private for good. Looked up through the
# ORM it took a third of the time of a voting page.
_categories: ProcessCache[str, Category] = ProcessCache(seconds=3.0, max_entries=1000)  # by slug


def find(token: str) -> Invitation | None:
    """The valid invitation with this token."""
    invitation: Invitation | None = Invitation.objects.valid().select_related("category").filter(token=token).first()
    return invitation


def remember(response: HttpResponseBase, request: HttpRequest, invitation: Invitation) -> None:
    """Let the browser in from now on."""
    others = [pk for pk in _ids(request) if pk != invitation.pk]
    response.set_cookie(
        COOKIE,
        signing.dumps([*others, invitation.pk][-_MOST:], salt=_SALT),
        max_age=_MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def may_see(request: HttpRequest, category: int) -> bool:
    """Whether the client may see this private category."""
    known: dict[int, bool] = request.__dict__.setdefault("_may_see_category", {})
    if category not in known:
        known[category] = _is_staff(request) or (
            bool(ids := _ids(request)) and Invitation.objects.valid().filter(pk__in=ids, category=category).exists()
        )
    return known[category]


def category_or_404(request: HttpRequest, slug: str) -> Category:
    """The category if it is public, or if the client may see it; else as if there were none."""
    category = _categories.get(slug)
    if category is None:
        category = Category.everything.filter(slug=slug).first()
        if category is not None:
            _categories.put(slug, category)
    if category is None or (category.is_private and not may_see(request, category.pk)):
        raise Http404("There is no such category.")
    return category


def _is_staff(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.has_perm("arena.view_invitation")


def _ids(request: HttpRequest) -> list[int]:
    try:
        ids = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        return []
    return [pk for pk in ids if isinstance(pk, int)] if isinstance(ids, list) else []
