"""What a key's log says its requests came to: by model, by user, and row by row as a file."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers.gateway import wire
from providers.gateway.disconnect import CORS
from providers.models import ApiKey, GatewayRequest, KeySpending

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret():
    """Of a key with four requests: three of one model, two of these by one user; two failed."""
    key, secret = ApiKey.make("mine")
    other, _ = ApiKey.make("theirs")
    for owner, model, tag, status, cost, took in (
        (key, "kite", "ann", "ok", "0.01", 1.5), (key, "kite", "ann", "failed", "0.02", 2.5),
        (key, "kite", "bob", "ok", "0.04", 3.5), (key, "heron", "", "failed", "0.08", 4.5),
        (other, "kite", "ann", "ok", "5", 9),
    ):  # fmt: skip
        failed = {"error": "It failed", "error_code": "provider_timeout"} if status == "failed" else {}
        GatewayRequest.objects.create(
            api_key=owner, mode="edit", model=model, tag=tag, status=status, cost=Decimal(cost), n=2, **failed,
            http_status=504 if failed else 200, provider="simulated-fal", fingerprint="0" * 64,
            duration=timedelta(seconds=took), overhead=timedelta(milliseconds=25),
        )  # fmt: skip
    return secret


def cells(row: str) -> list[str]:
    return [
        " ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[dh][^>]*>.*?</t[dh]>", row, re.S)
    ]


def test_sums_of_the_month_by_model_and_by_user(client, secret):
    page = client.post("/api/log/", {"key": secret}).content.decode()
    tables = [
        list(map(cells, re.findall(r"<tr>.*?</tr>", table, re.S)))
        for table in re.findall(r"<table>.*?</table>", page, re.S)
    ]
    assert ["kite", "3", "1", "$0.07"] in tables[1]
    assert ["heron", "1", "1", "$0.08"] in tables[1]
    assert ["ann", "2", "1", "$0.03"] in tables[2]
    assert ["bob", "1", "0", "$0.04"] in tables[2]


def test_each_key_stands_beside_what_it_spent_this_month_and_its_budget(admin_client):
    today = timezone.now().date()
    for name, amount, budget in (("mine", "0.25", "3"), ("theirs", "1.5", None)):
        key, _ = ApiKey.make(name, monthly_budget=budget and Decimal(budget))
        KeySpending.objects.create(api_key=key, day=today, amount=Decimal(amount))
        KeySpending.objects.create(api_key=key, day=today - timedelta(days=32), amount=Decimal(9))
    page = admin_client.get("/api/keys/").content.decode()
    rows = {row[0]: row[2:4] for row in map(cells, re.findall(r"<tr>.*?</tr>", page, re.S))}
    assert rows["mine"] == ["$0.25", "$3.00"]
    assert rows["theirs"] == ["$1.50", "–"]


def test_the_file_has_each_number_in_its_own_column(client, secret):
    table = b"".join(client.post("/api/log/", {"key": secret, "as": "csv"}).streaming_content).decode()
    rows = {row["cost_usd"]: row for row in csv.DictReader(table.splitlines())}
    assert set(rows) == {"0.010000", "0.020000", "0.040000", "0.080000"}
    numbers = ("n", "http_status", "latency_ms", "overhead_ms")
    assert [rows["0.020000"][name] for name in numbers] == ["2", "504", "2500.0", "25.0"]
    assert [rows["0.040000"][name] for name in numbers] == ["2", "200", "3500.0", "25.0"]
    texts = ("model", "mode", "provider", "status", "error_code", "error", "tag")
    assert [rows["0.020000"][name] for name in texts] == [
        "kite", "edit", "simulated-fal", "failed", "provider_timeout", "It failed", "ann",
    ]  # fmt: skip


def test_the_reference_explains_every_header_and_parameter(client):
    page = " ".join(client.get("/api/").content.decode().split())
    for header in CORS["Access-Control-Expose-Headers"].split(", "):
        assert f"<code>{header}</code>" in page, header
    for name in (*wire.PARAMETERS, "image", "mask", "quality, background, moderation, style", "user", "provider"):
        assert f'<th scope="row"><code>{name}</code></th>' in page, name
    assert "object or string" in page
    assert "integer 1–10" in page
