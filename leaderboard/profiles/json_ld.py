"""A model page for machines that read JSON-LD: what it is, what it costs, where it hangs, what people ask about it.

There is no aggregateRating: an Elo is a place among models, not stars that somebody gave.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString

from leaderboard.profiles.profile import Profile
from providers.web.json_ld import breadcrumbs, script


def of_model(profile: Profile, home: str) -> SafeString:
    """`home` is the address of the site, with a slash at its end."""
    model = profile.image_model
    address = home.rstrip("/") + model.get_absolute_url()
    trail = breadcrumbs(("Models", f"{home}models/"), (model.name, address))
    things = [_software(profile, address), trail]
    if profile.questions:
        things.append(
            {
                "@type": "FAQPage",
                "mainEntity": [
                    {
                        "@type": "Question",
                        "name": question.text,
                        "acceptedAnswer": {"@type": "Answer", "text": question.answer},
                    }
                    for question in profile.questions
                ],
            }
        )
    return script(*things)


def _software(profile: Profile, address: str) -> dict[str, Any]:
    model = profile.image_model
    software: dict[str, Any] = {
        "@type": "SoftwareApplication",
        "name": model.name,
        "url": address,
        "applicationCategory": "MultimediaApplication",
        "operatingSystem": "Web API",
    }
    if model.description:
        software["description"] = model.description
    if model.lab:
        software["author"] = {"@type": "Organization", "name": model.lab.name}
    if model.released_on:
        software["datePublished"] = model.released_on.isoformat()
    if model.licence:
        software["license"] = model.licence
    if profile.cheapest and not model.is_sample:  # nobody sells a sample
        software["offers"] = {
            "@type": "Offer",
            "price": f"{profile.cheapest.price:f}",
            "priceCurrency": "USD",
            "description": "One image of 1024 × 1024 pixels",
            "seller": {"@type": "Organization", "name": profile.cheapest.name},
        }
    return software
