"""Who tries things in the playground: a browser, known by a signed cookie for a day after it was last here."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

COOKIE = "playground"
_SALT = "providers.playground"
KEPT = 24 * 3600  # seconds; as long as the images


def current(request: HttpRequest) -> str:
    """The visitor, "" when there is no valid cookie. A forged cookie is none."""
    try:
        found: str = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=KEPT)
    except signing.BadSignature:
        return ""
    return found


def new() -> str:
    return secrets.token_hex(16)


def remember(response: HttpResponseBase, visitor: str) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(visitor, salt=_SALT),
        max_age=KEPT,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
