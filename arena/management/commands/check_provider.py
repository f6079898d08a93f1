"""Have a model answer prompts again through another provider, for blind votes between its own images."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena import generation
from arena.generation import cost_estimates
from arena.models import Competition
from providers import routing
from providers.models import ImageModel


class Command(BaseCommand):
    help = "Queue images of a model through one provider, to be compared blind with those it has. Never rated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="the model's slug")
        parser.add_argument("provider", help="the provider's key")
        parser.add_argument("--competition", required=True, help="whose prompts: its slug")
        parser.add_argument("--prompts", type=int, default=30, help="at most so many")
        parser.add_argument("--yes", action="store_true", help="queue them; without it the price is shown alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            image_model = ImageModel.objects.get(slug=options["model"], retired_at=None)
            competition = Competition.objects.get(slug=options["competition"])
        except (ImageModel.DoesNotExist, Competition.DoesNotExist) as error:
            raise CommandError(str(error)) from error
        request = cost_estimates.request_of(competition)
        offerings = routing.candidates(image_model, request, options["provider"])
        if not offerings:
            raise CommandError(f"{options['provider']} cannot be asked for {image_model.name} ({request.mode}).")
        prompts = generation.unchecked(competition, image_model, options["provider"])[: options["prompts"]]
        price = routing.estimate(offerings[0], request)
        cost = "at an unknown price" if price is None else f"for about ${price * len(prompts):.2f}"
        if not options["yes"]:
            self.stdout.write(f"{len(prompts)} images {cost}. Add --yes to queue them.")
            return
        queued = generation.plan_check(prompts, image_model, options["provider"])
        self.stdout.write(f"{queued} images queued {cost}.")
