from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.audit import play, report, words
from arena.audit.observed import Shown
from arena.audit.site import own_site
from arena.models import Category

PROGRESS_EVERY = 20  # battles


class Command(BaseCommand):
    help = (
        "Play a voter over many battles and try to name the models by anything but the pictures. Exit code 1: possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--battles", type=int, default=200, help="how many, over all categories (default 200)")
        parser.add_argument("--category", help="slug of the only category to play")
        parser.add_argument(
            "--base-url", default="", help="a running site on this database; without it one is started on loopback"
        )
        parser.add_argument("--json", action="store_true", help="the findings for a program")
        parser.add_argument("--seed", type=int, default=0, help="of the order of prompts and of fetches")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["battles"] < 1:
            raise CommandError("--battles must be at least 1.")
        categories = self._categories(options["category"])
        site = nullcontext(options["base_url"]) if options["base_url"] else own_site()
        names: dict[str, set[str]] = {}
        battles: list[Shown] = []
        with site as address:
            try:
                player = play.Player(address, options["seed"])
            except httpx.HTTPError as error:
                raise CommandError(f"{address} cannot be reached: {error}", returncode=2) from error
            try:
                for left, category in zip(range(len(categories), 0, -1), categories, strict=True):
                    for meaning, texts in play.names_of(category).items():
                        names.setdefault(meaning, set()).update(texts)
                    for shown in player.play(category, -(-(options["battles"] - len(battles)) // left)):
                        battles.append(shown)
                        if len(battles) % PROGRESS_EVERY == 0:
                            self.stderr.write(f"{len(battles)} battles played")
            except (play.CannotPlay, httpx.HTTPError) as error:
                raise CommandError(f"The audit could not play on {address}. {error}", returncode=2) from error
            finally:
                player.leave_no_trace()
        if not battles:
            raise CommandError(
                "There is no battle to play: no open competition has two images of a prompt.", returncode=2
            )
        result = report.compile_report(battles, words.words(names), options["seed"])
        self.stdout.write(
            json.dumps(result.as_json(), indent=2, ensure_ascii=False) if options["json"] else str(result)
        )
        if not result.is_blind:
            raise CommandError("Not blind.\n" + "\n".join(f"- {reason}" for reason in result.reasons))
        if not options["json"]:
            self.stdout.write("\nBlind, as far as this audit can tell.")

    def _categories(self, slug: str | None) -> list[Category]:
        """Those with something to vote on; the named one even without, so that the audit says there is nothing."""
        if slug is None:
            return list(
                Category.everything.filter(
                    competitions__is_published=True, competitions__prompts__entries__isnull=False
                )
                .distinct()
                .order_by("position")
            )
        try:
            return [Category.everything.get(slug=slug)]
        except Category.DoesNotExist as error:
            known = ", ".join(Category.everything.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no category “{slug}”. There are: {known}.") from error
