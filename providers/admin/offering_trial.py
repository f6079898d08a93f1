"""One call to an offering, on a curator's request: its price before, and its time, image or error after."""

from __future__ import annotations

import base64
import io
from time import monotonic
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from PIL import Image

from providers import routing
from providers.accounts import is_simulated
from providers.errors import ProviderError
from providers.models import Offering
from providers.request import ImageRequest, Mode, SourceImage

PROMPT = "A red kite over dunes at noon"
TIME_LIMIT = 60  # seconds: a page waits for it


def page(model_admin: admin.ModelAdmin[Offering], request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what it will cost. POST: the call."""
    offering = get_object_or_404(Offering.objects.select_related("image_model"), pk=pk)
    if not model_admin.has_change_permission(request, offering):
        raise PermissionDenied
    image_request = request_for(offering)
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": "Test one call",
        "opts": model_admin.model._meta,
        "offering": offering,
        "price": routing.estimate(offering, image_request),
        "simulated": is_simulated(offering.provider),
        "reachable": offering in Offering.objects.open(),
        "prompt": PROMPT,
    }
    if request.method == "POST":
        context |= _call(offering, image_request)
        outcome = context["error"] or f"{context['seconds']:.1f} s"
        model_admin.log_change(request, offering, f"Tested one call: {outcome}"[:500])
    return render(request, "admin/providers/offering/trial.html", context)


def request_for(offering: Offering) -> ImageRequest:
    """A small request in the offering's mode."""
    sources: tuple[SourceImage, ...] = ()
    if offering.mode == "edit":
        out = io.BytesIO()
        Image.linear_gradient("L").resize((1024, 1024)).convert("RGB").save(out, "JPEG", quality=90)
        sources = (SourceImage(out.getvalue(), "image/jpeg"),)
    mode = cast(Mode, offering.mode)
    return ImageRequest(prompt=PROMPT, mode=mode, aspect_ratio="1:1", resolution="1K", images=sources)


def _call(offering: Offering, image_request: ImageRequest) -> dict[str, Any]:
    started = monotonic()
    try:
        generated = routing.generate(
            offering.image_model,
            image_request,
            "arena",
            time_limit=min(TIME_LIMIT, settings.GENERATION_TIME_LIMIT),
            provider=offering.provider,
        )
    except ProviderError as error:
        return {"done": True, "error": str(error), "outcome": error.outcome, "seconds": monotonic() - started}
    image = generated.image
    return {
        "done": True,
        "error": "",
        "seconds": monotonic() - started,
        "cost": generated.cost,
        "call": generated.call,
        "width": image.width,
        "height": image.height,
        "image": f"data:{image.content_type};base64,{base64.b64encode(image.data).decode()}",
    }
