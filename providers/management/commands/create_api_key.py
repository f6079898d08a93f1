"""manage.py create_api_key NAME [--budget USD] [--rate N] [--expires DATE] [--models ID,ID] …"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.models import ApiKey, ImageModel


class Command(BaseCommand):
    help = "Make a key for the gateway. It is printed once and stored nowhere."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="who it is for")
        parser.add_argument("--budget", type=_dollars, help="US dollars a month; default: no limit")
        parser.add_argument("--daily-budget", type=_dollars, help="US dollars a day; default: no limit")
        parser.add_argument("--total-budget", type=_dollars, help="US dollars in all; default: no limit")
        parser.add_argument("--expires", type=_time, help="ISO 8601, UTC without an offset; default: never")
        parser.add_argument("--models", type=_models, default=[], help="ids of the models it may use, comma between")
        parser.add_argument("--default-model", default="", help="id of the model for requests that name none")
        parser.add_argument("--rate", type=int, help="requests a minute; default: GATEWAY_RATE")
        parser.add_argument("--response-format", choices=["url", "b64_json"], default="")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not 1 <= len(name) <= 120:
            raise CommandError("The name must have 1 to 120 characters.")
        if options["rate"] is not None and options["rate"] < 1:
            raise CommandError("--rate must be 1 or more.")
        key, secret = ApiKey.make(
            name,
            monthly_budget=options["budget"],
            daily_budget=options["daily_budget"],
            total_budget=options["total_budget"],
            expires_at=options["expires"],
            allowed_models=options["models"],
            default_model=options["default_model"],
            requests_per_minute=options["rate"],
            response_format=options["response_format"],
        )
        self.stderr.write(f"Key {key.prefix}… for {name}. It cannot be shown again:")
        self.stdout.write(secret)


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time, like 2027-01-31") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _models(text: str) -> list[str]:
    slugs = [slug.strip() for slug in text.split(",") if slug.strip()]
    known = set(ImageModel.objects.current().filter(slug__in=slugs).values_list("slug", flat=True))
    if unknown := [slug for slug in slugs if slug not in known]:
        raise argparse.ArgumentTypeError(f"there is no model {unknown[0]!r}")
    return slugs


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount") from error
    if not amount.is_finite() or amount < 0 or amount >= 10**8:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of US dollars")
    return amount
