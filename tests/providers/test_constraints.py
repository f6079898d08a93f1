"""Postgres refuses what cannot be true of models, offerings, calls and keys."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from providers.models import ApiKey, ImageModel, Lab, Offering, Price, Proposal
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db


def test_lab():
    lab = make.make_model().lab
    refuses("lab slug is lower-case words", update(lab, slug="Black Forest"))
    refuses("lab has a name", update(lab, name=""))
    refuses("slug", lambda: Lab.objects.create(slug=lab.slug, name="Again"))
    with pytest.raises(ProtectedError):
        lab.delete()


def test_image_model():
    model = make.make_model("flux.2-klein-9b")  # dots are fine
    refuses("model slug is lower-case words", update(model, slug="FLUX.2"))
    refuses("model slug is lower-case words", update(model, slug="flux..2"))
    refuses("model has a name", update(model, name=""))
    refuses("model modes are known modes", update(model, modes=["video"]))
    refuses("model origin is known", update(model, origin="guess"))
    refuses("slug", lambda: make.make_model(model.slug))
    make.make_model("sdxl", name="SDXL", origin="imported")
    refuses(
        "imported name is one model",
        lambda: ImageModel.objects.create(slug="sdxl-2", name="SDXL", origin="imported"),
    )


def test_offering():
    offering = make.make_offering()
    refuses("price is not negative", update(offering, price=Decimal("-0.01")))
    refuses("price unit is known", update(offering, price_unit="second"))
    refuses("offering mode is known", update(offering, mode="video"))
    refuses("offering names its provider", update(offering, provider=""))
    refuses("offering has an endpoint", update(offering, endpoint=""))
    refuses("one offering per model, provider and mode", lambda: make.make_offering(offering.image_model))
    with pytest.raises(ProtectedError):
        offering.image_model.delete()


def test_price():
    make.make_offering()
    price = Price.objects.get()
    refuses("past price is not negative", update(price, price=Decimal("-1")))
    refuses("past price unit is known", update(price, price_unit="second"))


def test_proposal():
    offering = make.make_offering()
    refuses("a known price need not be asked for", update(make.make_offering(price="1"), price_on_request=True))
    row = Proposal.objects.create(offering=offering, text="x", source="https://example.com/")
    refuses("a proposal is made once", lambda: Proposal.objects.create(offering=offering, text="x", source=row.source))
    refuses("a proposal is decided at a time", update(row, status="accepted"))
    refuses("a proposal is decided at a time", update(row, decided_at=timezone.now()))
    refuses("proposal status is known", update(row, status="maybe", decided_at=timezone.now()))
    refuses("a proposal has a link to its source", update(row, source="a page"))


def test_call():
    call = make.make_call(ttfb=timedelta(seconds=0.5))
    refuses("a call has an error exactly when it is not ok", update(call, error="no"))
    refuses("a call has an error exactly when it is not ok", update(call, outcome="timeout"))
    refuses("only a failed call has a detail", update(call, detail="the provider said so"))
    refuses("call outcome is known", update(call, outcome="shrug", error="no"))
    refuses("caller is known", update(call, caller="stranger"))
    refuses("a call lasts no negative time", update(call, duration=timedelta(seconds=-1), ttfb=None))
    refuses("first byte comes before the last", update(call, ttfb=timedelta(seconds=2)))
    refuses("a call costs nothing negative", update(call, cost=Decimal("-0.01")))
    refuses("no provider bills fewer than none", update(call, billed_units=Decimal("-1")))
    refuses("a call asks for an image, and counts", update(call, n=0))
    refuses("a call asks for an image, and counts", update(call, attempt=0))
    refuses("a request ends once", lambda: make.make_call(request_id=call.request_id))
    make.make_call(request_id=call.request_id, ends_request=False)
    with pytest.raises(ProtectedError):
        Offering.objects.all().delete()


def test_api_key():
    key, secret = ApiKey.make("a team")
    assert secret not in (key.prefix, key.digest)
    assert ApiKey.objects.usable().get(digest=ApiKey.digest_of(secret)) == key
    refuses("key digest is a sha256", update(key, digest=secret))
    refuses("key has a prefix", update(key, prefix=""))
    refuses("digest", lambda: ApiKey.objects.create(name="b", prefix="other", digest=key.digest))
    refuses("prefix", lambda: ApiKey.objects.create(name="b", prefix=key.prefix, digest="a" * 64))
    ApiKey.objects.update(revoked_at=timezone.now())
    assert not ApiKey.objects.usable().exists()
