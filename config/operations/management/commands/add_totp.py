"""A one-time password device for a member of staff; its secret is shown once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Give a member of staff a one-time password (TOTP); shows the otpauth:// URL for their app, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--replace", action="store_true", help="the devices that the user has are deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ADMIN_TOTP:
            raise CommandError("One-time passwords are off. Set ADMIN_TOTP=1, then run migrate.")
        from django_otp.plugins.otp_totp.models import TOTPDevice

        user = get_user_model().objects.filter(username=options["username"], is_staff=True).first()
        if user is None:
            raise CommandError(f"There is no member of staff called “{options['username']}”.")
        present = TOTPDevice.objects.filter(user=user)
        if present and not options["replace"]:
            raise CommandError("This user has a device. --replace deletes it.")
        present.delete()
        device = TOTPDevice.objects.create(user=user, name="admin")
        self.stdout.write(device.config_url)
