"""Middleware of sessions, users and messages, which only staff have: who votes is known by a cookie of their own.

They run for the admin's pages and for browsers that were logged in there. Everybody else is anonymous, and costs
nothing of it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest


def _may_be_staff(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES or request.path_info.startswith("/admin/")


class Sessions(SessionMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if _may_be_staff(request) else self.get_response(request)


class Users(AuthenticationMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        if _may_be_staff(request):
            return super().__call__(request)
        request.user = AnonymousUser()
        return self.get_response(request)


class Messages(MessageMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if _may_be_staff(request) else self.get_response(request)
