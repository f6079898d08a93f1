"""The admin with one-time passwords: a right password alone does not open it."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings

from config import login

pytestmark = pytest.mark.django_db

OTP = {
    "ADMIN_TOTP": True,
    "INSTALLED_APPS": [*django_settings.INSTALLED_APPS, "django_otp", "django_otp.plugins.otp_totp"],
    "MIDDLEWARE": [*django_settings.MIDDLEWARE, "django_otp.middleware.OTPMiddleware"],
}


def test_the_right_password_needs_the_right_one_time_password(client, monkeypatch):
    client.defaults["REMOTE_ADDR"] = "192.0.2.77"  # where no earlier test typed a wrong password
    User.objects.create_superuser("boss with a phone", password="a long password")
    with override_settings(**OTP):
        call_command("migrate", "otp_totp", verbosity=0)
        out = io.StringIO()
        call_command("add_totp", "boss with a phone", stdout=out)
        assert parse_qs(urlsplit(out.getvalue().strip()).query)["secret"]
        from django_otp.oath import totp
        from django_otp.plugins.otp_totp.models import TOTPDevice

        if admin.site.is_registered(TOTPDevice):  # it stays there when the application is gone again
            admin.site.unregister(TOTPDevice)
        monkeypatch.setattr(admin.site, "__class__", login.one_time_site())
        form = {"username": "boss with a phone", "password": "a long password"}
        assert client.post("/admin/login/", form).status_code == 200
        assert client.get("/admin/").status_code == 302
        device = TOTPDevice.objects.get()
        wrong = {
            **form,
            "otp_device": device.persistent_id,
            "otp_token": f"{(totp(device.bin_key) + 1) % 1_000_000:06d}",
        }
        assert client.post("/admin/login/", wrong).status_code == 200
        assert client.get("/admin/").status_code == 302
        TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
        right = {**form, "otp_device": device.persistent_id, "otp_token": f"{totp(device.bin_key):06d}"}
        reply = client.post("/admin/login/?next=/admin/", right)
        assert reply.status_code == 302, reply.context["form"].errors
        assert client.get("/admin/").status_code == 200
        with pytest.raises(CommandError, match="has a device"):
            call_command("add_totp", "boss with a phone")


def test_without_the_switch_there_are_no_devices():
    with pytest.raises(CommandError, match="ADMIN_TOTP"):
        call_command("add_totp", "boss with a phone")
