"""Who votes: an anonymous browser, known by a signed cookie and by nothing else."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from arena.models import Voter

COOKIE = "voter"
_SALT = "arena.voter"
_MAX_AGE = 2 * 365 * 24 * 3600


def current(request: HttpRequest) -> Voter | None:
    """The voter this browser is, or None when it has no valid cookie yet. A forged cookie is no cookie."""
    pk = named(request)
    return None if pk is None else Voter.objects.filter(pk=pk).first()


def named(request: HttpRequest) -> int | None:
    """The id in the browser's cookie, without a look whether there still is such a voter."""
    try:
        pk = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        return None
    return pk if isinstance(pk, int) else None


def remember(response: HttpResponseBase, voter: int) -> None:
    """Give the browser the cookie of this voter."""
    response.set_cookie(
        COOKIE,
        signing.dumps(voter, salt=_SALT),
        max_age=_MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
