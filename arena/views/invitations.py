"""The door to a private category."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena import invitations


@never_cache
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Open a link: the browser is let in, and the token leaves its address bar."""
    opened = invitations.find(token)
    if opened is None:
        raise Http404("This invitation is not valid any more. Ask who sent it for a new one.")
    response = redirect(opened.category)
    response["X-Robots-Tag"] = "noindex, nofollow"
    invitations.remember(response, request, opened)
    return response
