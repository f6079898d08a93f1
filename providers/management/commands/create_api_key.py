"""manage.py create_api_key NAME [--budget USD] [--rate N] [--response-format url|b64_json]"""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.models import ApiKey


class Command(BaseCommand):
    help = "Make a key for the gateway. It is printed once and stored nowhere."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="who it is for")
        parser.add_argument("--budget", type=_dollars, help="US dollars a month; default: no limit")
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
            requests_per_minute=options["rate"],
            response_format=options["response_format"],
        )
        self.stderr.write(f"Key {key.prefix}… for {name}. It cannot be shown again:")
        self.stdout.write(secret)


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount") from error
    if not amount.is_finite() or amount < 0 or amount >= 10**8:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of US dollars")
    return amount
