"""manage.py sync_catalog [--fal-prices FILE] [--litellm FILE] [--fal-schemas FOLDER]: propose changes of the catalogue.

Without options the sources are asked over the network: fal's prices and schemas where there is a key of fal, and
LiteLLM's map. With any option only what it names is read, so that a recorded answer can be looked at again.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError

from providers.accounts import accounts
from providers.catalog import ends, sync
from providers.models import Offering
from providers.transfer.addresses import USER_AGENT

BATCH = 50  # endpoints in one question to fal


class Command(BaseCommand):
    help = "Compare prices, ends and inputs with their sources and propose what differs. Nothing changes by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fal-prices", type=Path, help="an answer of fal's pricing API")
        parser.add_argument("--litellm", type=Path, help="LiteLLM's price map")
        parser.add_argument("--fal-schemas", type=Path, help="a folder of OpenAPI files, named owner__model.json")

    def handle(self, *args: Any, **options: Any) -> None:
        files = {name: options[name] for name in ("fal_prices", "litellm", "fal_schemas")}
        offerings = list(Offering.objects.active().select_related("image_model"))
        try:
            suggestions = list(_of_files(files, offerings) if any(files.values()) else _of_network(offerings))
        except (OSError, ValueError, httpx.HTTPError) as error:
            raise CommandError(f"Nothing was proposed: {error}") from error
        for proposal in sync.propose(suggestions):
            self.stdout.write(f"{'! ' if proposal.is_large else ''}{proposal}")
        for offering in ends.warn():
            self.stdout.write(f"ends on {offering.ends_on}: {offering}")
        self.stdout.write(f"{len(suggestions)} differences; decide on them in the admin under Proposals.")


def _of_files(files: dict[str, Path | None], offerings: list[Offering]) -> Iterator[sync.Suggestion]:
    of_fal = [offering for offering in offerings if offering.provider == "fal"]
    if files["fal_prices"]:
        yield from sync.from_fal_prices(json.loads(files["fal_prices"].read_text()), of_fal)
    if files["litellm"]:
        yield from sync.from_litellm(json.loads(files["litellm"].read_text()), offerings)
    if files["fal_schemas"]:
        for offering in of_fal:
            path = files["fal_schemas"] / f"{offering.endpoint.replace('/', '__')}.json"
            if path.exists():
                yield from sync.from_fal_schema(json.loads(path.read_text()), offering)


def _of_network(offerings: list[Offering]) -> Iterator[sync.Suggestion]:
    of_fal = [offering for offering in offerings if offering.provider == "fal"]
    key = accounts()["fal"].api_key
    with httpx.Client(headers={"User-Agent": USER_AGENT}, timeout=30, trust_env=False) as http:
        yield from sync.from_litellm(_get(http, sync.LITELLM), offerings)
        if not key:
            return
        for start in range(0, len(of_fal), BATCH):
            batch = of_fal[start : start + BATCH]
            query = {"endpoint_id": [offering.endpoint for offering in batch]}
            answer = _get(http, sync.FAL_PRICING, params=query, headers={"Authorization": f"Key {key}"})
            yield from sync.from_fal_prices(answer, batch)
        for offering in of_fal:
            yield from sync.from_fal_schema(_get(http, f"{sync.FAL_SCHEMA}{offering.endpoint}"), offering)


def _get(http: httpx.Client, url: str, **options: Any) -> Any:
    return http.get(url, **options).raise_for_status().json()
