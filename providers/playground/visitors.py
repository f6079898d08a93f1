"""Visitors of the playground: a browser, known by a signed cookie for a day after its last trial."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

COOKIE = "playground"
_SALT = "providers.playground"
LIFETIME = 24 * 3600  # seconds; as long as the images


def current(request: HttpRequest) -> str:
    """The visitor, "" without a valid cookie."""
    try:
        visitor: str = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return ""
    return visitor


def new() -> str:
    return secrets.token_hex(16)


def remember(response: HttpResponseBase, visitor: str) -> None:
    """Set the signed cookie that finds this visitor's trials again."""
    response.set_cookie(
        COOKIE,
        signing.dumps(visitor, salt=_SALT),
        max_age=LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
