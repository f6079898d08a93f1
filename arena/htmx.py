"""The request type of views that answer htmx with a fragment."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """What the django-htmx middleware makes of a request."""

    htmx: HtmxDetails
