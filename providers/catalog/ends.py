"""Offerings that their provider is about to end: warned of, and not asked after (`Offering.objects.open`)."""

from __future__ import annotations

import logging

from providers.models import Offering

log = logging.getLogger(__name__)


def warn() -> list[Offering]:
    """The active offerings that end within 30 days, or have ended; each is logged as a warning."""
    offerings = list(Offering.objects.ending().select_related("image_model"))
    for offering in offerings:
        log.warning("%s %s on %s.", offering, "ended" if offering.has_ended else "ends", offering.ends_on)
    return offerings
