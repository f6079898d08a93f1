"""What programs send that were written for other image APIs: shapes of bodies, names, URLs and headers."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from providers.cache import clear_process_caches
from providers.gateway import budgets, jobs, wire
from providers.gateway.recipes import RECIPES
from providers.models import ApiKey, Call, GatewayRequest, ImageModel, ModelAlias, Offering
from providers.request import ImageRequest
from providers.routing import preferences
from providers.routing.selection import Target
from tests import factories as make
from tests.arena.test_constraints import refuses

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)
QUALITY = {
    "name": "quality", "type": "string", "group": "additional", "behaviour": "passthrough",
    "enum": ["auto", "low", "medium", "high"],
}  # fmt: skip
PROMPT = {"name": "prompt", "type": "string", "group": "core", "behaviour": "passthrough"}


@pytest.fixture
def key(simulated):
    """A key; `sample-one` takes almost nothing, `gpt-image-9` takes quality as OpenAI's models do."""
    offered("sample-one")
    offered("gpt-image-9", accepts=[PROMPT, QUALITY])
    key, secret = ApiKey.make("programs", requests_per_minute=100_000)
    key.secret = secret
    return key


def call(key, path="images/generations", method="POST", **fields):
    fields = {"model": "sample-one", "prompt": "A kite", "response_format": "b64_json"} | fields
    headers = {"Authorization": f"Bearer {key.secret}"}
    return Client().generic(method, f"/openai/v1/{path}", json.dumps(fields), "application/json", headers=headers)


def edit(key, files, **fields):
    form = {"model": "sample-one", "prompt": "A kite", "response_format": "b64_json"} | fields | files
    return Client().post("/openai/v1/images/edits", form, headers={"Authorization": f"Bearer {key.secret}"})


def picture(name="image", width=96, height=64) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make.picture(name, width, height), "application/octet-stream")


@pytest.mark.parametrize("model", ["sample-one", "gpt-image-9"])
@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"n": 1, "size": "512x512"}, []),  # a chat program's default, whatever the model makes
        ({"size": "1792x1024", "quality": "hd", "style": "vivid"}, ["style"]),
        ({"size": "1024x1024", "quality": "standard", "style": "natural"}, ["style"]),
        ({"n": None, "size": None, "quality": None, "style": None, "seed": None, "user": None, "stream": None}, []),
        ({"n": "", "size": "", "quality": "", "response_format": "", "output_format": "", "seed": "", "user": ""}, []),
        ({"seed": -1}, []),
        ({"output_format": "jpg"}, []),
        ({"size": "128*192"}, []),
        ({"size": "128            x 192"}, []),
        ({"size": "12345.1234:12345.1234"}, []),
        ({"aspect_ratio": "12345.1234:12345.1234", "resolution": "0.1234 MP"}, []),
        ({"width": 128, "height": "192"}, []),
        ({"resolution": "4K"}, []),
        ({"size": "8:1"}, []),
        ({"n": 3, "size": "64x64"}, []),
    ],
)
def test_bodies_of_programs_bring_images(key, model, fields, ignored):
    response = call(key, model=model, **fields)
    assert response.status_code == 200, response.content
    answer = response.json()
    assert len(answer["data"]) == (fields.get("n") or 1)
    if model == "sample-one":  # it has no quality either
        ignored = ["quality", *ignored] if fields.get("quality") else ignored
    assert [name for name in answer["metadata"]["ignored"] if name in ("quality", "style")] == ignored
    if "quality" in ignored:
        assert answer.get("quality") != fields["quality"]
    if fields.get("output_format") == "jpg":
        assert answer["output_format"] == "jpeg"
    if (fields.get("size") or "").startswith("128") or "width" in fields:
        assert answer["metadata"]["requested_size"] == "128x192"


def test_old_qualities_are_mapped_where_a_model_has_others(key, simulator):
    assert call(key, model="gpt-image-9", quality="hd", size="64x64").status_code == 200
    assert call(key, model="gpt-image-9", quality="superb").status_code == 400  # not an old one, so it is an error


@pytest.mark.parametrize("name", ["num_images", "num_outputs", "batch_size", "numberOfImages"])
def test_a_providers_own_count_is_rejected_before_anything_is_paid(key, name):
    response = call(key, n=1, **{name: 4})
    assert (response.status_code, response.json()["error"]["param"]) == (400, name)
    assert not Call.objects.exists()


def test_a_form_without_files_is_read_as_json_is(key):
    body = urlencode({"model": "sample-one", "prompt": "Dämmerung", "size": "64x64", "n": "2"})
    response = Client().generic(
        "POST", "/openai/v1/images/generations", body, "application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {key.secret}"},
    )  # fmt: skip
    assert response.status_code == 200, response.content
    assert len(response.json()["data"]) == 2


def test_edits_with_empty_fields_several_images_and_parts_without_a_file_name(key):
    agent = {"n": "", "size": "auto", "quality": "auto", "input_fidelity": "high", "user": ""}
    assert edit(key, {"image[]": picture()}, **agent).status_code == 200
    boundary = "simple-boundary"
    parts = [
        (b'Content-Disposition: form-data; name="model"', b"sample-one"),
        (b'Content-Disposition: form-data; name="prompt"', "Dämmerung".encode()),
        (b'Content-Disposition: form-data; name="size"', b"96x64"),
        (b'Content-Disposition: form-data; name="image"\r\nContent-Type: image/png', make.picture("a", 96, 64)),
    ]
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head, value) for head, value in parts)
    response = Client().generic(
        "POST", "/openai/v1/images/edits", body + b"--%s--\r\n" % boundary.encode(),
        f"multipart/form-data; boundary={boundary}", headers={"Authorization": f"Bearer {key.secret}"},
    )  # fmt: skip
    assert response.status_code == 200, response.content


def test_a_source_as_plain_base64_and_as_one_of_our_own_urls(key):
    plain = base64.b64encode(make.picture("a", 96, 64)).decode()
    assert call(key, "images/edits", image=plain).status_code == 200
    url = call(key, response_format="url", size="64x64").json()["data"][0]["url"]
    assert call(key, "images/edits", image=url).status_code == 200
    forged = url.replace("-0.png", "-1.png")
    response = call(key, "images/edits", image=forged)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "image")


def test_a_mask_of_another_size_is_rejected_before_anything_is_paid(key):
    response = edit(key, {"image": picture(), "mask": picture("mask", 100, 100)})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "mask")
    assert not Call.objects.exists()


def test_too_many_or_too_large_uploads_are_rejected_before_they_are_read(key, client, settings):
    images = [picture(f"{number}") for number in range(17)]
    assert "at most 16" in edit(key, {"image": images}).json()["error"]["message"]
    settings.GATEWAY_LARGEST_REQUEST = 100
    assert edit(key, {"image": [picture(), picture()]}).status_code == 413


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ({"only": ["simulated-replicate"]}, "simulated-replicate"),
        ({"order": ["simulated-replicate"]}, "simulated-replicate"),
        ({"ignore": ["simulated-openai"]}, "simulated-replicate"),
        ({"max_price": 0.015}, "simulated-openai"),
        (None, "simulated-openai"),
        ({"max_price": 0.001}, 400),
        ({"only": ["nobody"]}, 400),
        ({"sort": "beauty"}, 400),
        ({"onyl": []}, 400),
    ],
)
def test_a_request_says_which_providers_may_make_it(key, provider, expected):
    offered("sample-two", "simulated-openai", "simulated-replicate")  # $0.01 and $0.02
    response = call(key, model="sample-two", size="64x64", provider=provider)
    if expected == 400:
        assert response.status_code == 400, response.content
        assert response.json()["error"]["param"] == "provider"
    else:
        assert response.json()["metadata"]["provider"] == expected


# Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alias_stands_for_a_model_for_one_key_or_for_all(key):
    other, secret = ApiKey.make("other")
    other.secret = secret
    one, two = ImageModel.objects.get(slug="sample-one"), offered("sample-two")
    offered("dall-e-3")
    ModelAlias.objects.create(alias="dall-e-3", image_model=one)  # before an id: the operator has said so
    ModelAlias.objects.create(alias="dall-e-3", image_model=two, api_key=key)
    assert call(other, model="dall-e-3").json()["metadata"]["model"] == "sample-one"
    assert call(key, model="dall-e-3").json()["metadata"]["model"] == "sample-two"
    refuses("an alias means one model for a key", lambda: ModelAlias.objects.create(alias="dall-e-3", image_model=two))
    refuses("an alias is one word", lambda: ModelAlias.objects.create(alias="dall e", image_model=two))


def test_a_request_without_a_model_uses_the_keys_default_or_says_how(key):
    response = call(key, model="")
    assert (response.status_code, response.json()["error"]["param"]) == (400, "model")
    assert "default model" in response.json()["error"]["message"]
    ApiKey.objects.update(default_model="sample-one")
    clear_process_caches()  # an error does not confirm the cached key
    assert call(key, model="").json()["metadata"]["model"] == "sample-one"


def test_lists_and_suggestions_name_only_what_can_be_called(key):
    make.make_offering(make.make_model("sample-uno"), "fal", price="0.001")  # no key of fal is set here
    make.make_offering(ImageModel.objects.get(slug="sample-one"), "fal", price="0.001")
    response = Client().get("/openai/v1/models", headers={"Authorization": f"Bearer {key.secret}"}).json()
    models = {model["id"]: model for model in response["data"]}
    assert "sample-uno" not in models
    assert models["sample-one"]["providers"] == ["simulated-openai"]
    assert models["sample-one"]["price_from"] == 0.01
    assert {(price["provider"], price["mode"]) for price in models["sample-one"]["prices"]} == {
        ("simulated-openai", "text-to-image"), ("simulated-openai", "edit"),
    }  # fmt: skip
    message = call(key, model="sample-un").json()["error"]["message"]
    assert "sample-one" in message
    assert "sample-uno" not in message
    assert "sample-uno" not in Client().get("/api/").content.decode()


# Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_uses_only_its_models_until_it_expires(key):
    ApiKey.objects.update(allowed_models=["gpt-image-9"])
    response = call(key)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "model_not_allowed")
    listed = Client().get("/openai/v1/models", headers={"Authorization": f"Bearer {key.secret}"}).json()
    assert [model["id"] for model in listed["data"]] == ["gpt-image-9"]
    assert call(key, model="gpt-image-9").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert call(key, model="gpt-image-9").status_code == 401


def test_a_rotated_key_is_accepted_for_its_grace_and_no_longer(key):
    new = ApiKey.objects.get().rotate(timedelta(minutes=5))
    assert call(key).status_code == 200
    old, key.secret = key.secret, new
    assert call(key).status_code == 200
    ApiKey.objects.update(previous_expires_at=timezone.now())
    key.secret = old
    assert call(key).status_code == 401


def test_a_key_shows_its_own_limits_and_spending(key):
    ApiKey.objects.update(monthly_budget=1)
    call(key)
    answer = Client().get("/openai/v1/key", headers={"Authorization": f"Bearer {key.secret}"}).json()
    assert answer["month"] == {"budget": 1.0, "spent": 0.01, "remaining": 0.99}
    assert answer["day"] == {"budget": None, "spent": 0.01, "remaining": None}
    assert key.secret not in json.dumps(answer)


# URLs, browsers, headers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/openai/v1/images/generations/", "/openai/v1//images/generations"])
def test_slashes_too_many(key, path):
    fields = {"model": "sample-one", "prompt": "A kite"}
    headers = {"Authorization": f"Bearer {key.secret}"}
    assert Client().post(path, fields, "application/json", headers=headers).status_code == 200
    assert Client().get("/openai/v1/models/sample-one/", headers=headers).json()["id"] == "sample-one"
    assert resolve("//openai/v1/images/generations").view_name == "providers:gateway:generations"


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1", "/openai", "/openai/v2/models"])
def test_a_wrong_base_url_is_named_in_json(client, path):
    response = client.post(path, {}, "application/json")
    assert response.status_code == 404
    assert "/openai/v1;" in response.json()["error"]["message"]


def test_a_browsers_preflight_is_answered_and_every_response_may_be_read(key, client):
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
    }
    response = client.options("/openai/v1/images/generations", headers=headers)
    assert response.status_code == 204
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert response["Access-Control-Allow-Headers"] == "authorization, content-type, x-stainless-lang"
    for response in (call(key), call(key, n=0), client.get("/openai/v1/models"), client.get("/openai/nothing")):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "x-request-id" in response["Access-Control-Expose-Headers"]


def test_every_response_to_a_key_has_request_id_and_rate_limit(key):
    ApiKey.objects.update(monthly_budget="0.01")
    for response in (call(key), call(key, n=0), call(key, model="nothing"), call(key)):
        assert response["x-request-id"].startswith("req_")
        assert int(response["x-ratelimit-remaining-requests"]) >= 0
    assert response.status_code == 402
    key, secret = ApiKey.make("of two a minute", requests_per_minute=2)
    key.secret = secret
    for path, status in (("models", 200), ("key", 200), ("models/nothing", 404), ("images/jobs/job_1", 404)):
        response = call(key, path, "GET")
        assert (response.status_code, response["x-ratelimit-limit-requests"]) == (status, "2")
    assert response["x-ratelimit-remaining-requests"] == "2"  # what makes nothing does not count
    for path, method, status in (("nothing", "GET", 404), ("models", "POST", 405), ("images/edits", "DELETE", 405)):
        response = call(key, path, method)
        assert (response.status_code, response["x-ratelimit-remaining-requests"]) == (status, "2")
    key.secret = "ia_unknown"
    assert "x-ratelimit-limit-requests" not in call(key, "nothing", "GET")


def test_head_is_answered_where_get_is(key):
    response = Client().head("/openai/v1/models", headers={"Authorization": f"Bearer {key.secret}"})
    assert (response.status_code, response.content) == (200, b"")


def test_options_are_for_one_provider_alone_and_are_priced(key):
    model = offered("sample-two", "simulated-openai", "simulated-fal")
    options = {"simulated-openai": {"odd_parameter": 3}, "simulated-fal": {"other_parameter": "x"}}
    for provider, passed in (("simulated-openai", ["odd_parameter"]), ("simulated-fal", ["other_parameter"])):
        answer = call(key, model="sample-two", provider={"only": [provider], "options": options}).json()
        assert answer["metadata"]["passed_through"] == passed
    Offering.objects.filter(image_model=model).update(price_unit="megapixel")
    target, request = Target(model), ImageRequest("A kite", size="1024x1024")
    large = preferences.read({"options": {"simulated-openai": {"width": 4096, "height": 4096}}})
    assert budgets.highest_price(target, request, large) == 8 * budgets.highest_price(target, request)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"simulated-openai": {"num_images": 4}}, "write n"),
        ({"simulated-openai": {"prompt": "Another"}}, "provider.options.simulated-openai.prompt"),
        ({"simulated-openai": 3}, "provider.options"),
        ("x", "provider.options"),
    ],
)
def test_options_cannot_multiply_or_replace_what_is_checked(key, options, says):
    response = call(key, provider={"options": options})
    assert response.status_code == 400
    assert says in response.json()["error"]["message"]
    assert not Call.objects.exists()


# Texts that no column holds ──────────────────────────────────────────────────────────────────────────────────────────

ODD = st.text(alphabet=st.sampled_from(["\x00", "\ud800", "\n", "=", "'", "é", "🪁", "a", " ", ":", "x", "1", "."]))
NUMBERS = st.sampled_from([-1, 0, 1.5, 2**63 - 1, 2**63, 10**40, 1e-320, 1e308, "1e400", True, "NaN", "Infinity", "٣"])
PREFERENCE = st.sampled_from(["only", "order", "ignore", "allow_fallbacks", "max_price", "sort", "image"])
VALUES = st.one_of(
    ODD,
    NUMBERS,
    st.text(min_size=41, max_size=300),
    st.lists(st.one_of(ODD, NUMBERS), max_size=2),
    st.dictionaries(st.one_of(ODD, PREFERENCE), st.one_of(ODD, NUMBERS, st.lists(ODD, max_size=2))),
    st.builds(json.loads, st.sampled_from([depth * "[" + depth * "]" for depth in (30, 31, 300, 900)])),
)
NAMES = st.sampled_from([*wire.PARAMETERS, "user", "provider", "quality", "background", "style", "width", "odd\x00"])


@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True, deadline=None
)
@given(
    fields=st.dictionaries(NAMES, VALUES, min_size=1, max_size=2),
    idempotency_key=st.sampled_from(["", "k" * 255, "ключ"]),
    headers=st.fixed_dictionaries(
        {}, optional={"Prefer": st.just("respond-async"), "X-Stainless-Retry-Count": st.sampled_from(["1", "-1", "x"])}
    ),
    path=st.sampled_from(["images/generations", "responses"]),
)
def test_no_value_ends_in_an_internal_error(key, fields, idempotency_key, headers, path):
    plain = {"model": "sample-one", "prompt": "A kite", "size": "64x64"}
    if path == "responses":
        body = json.dumps(
            {"model": "sample-one", "input": "A kite"} | {"tools": [{"type": "image_generation"} | fields]}
        )
    else:
        body = json.dumps(plain | fields)
    headers |= {"Authorization": f"Bearer {key.secret}"}
    if idempotency_key:
        headers["Idempotency-Key"] = f"{idempotency_key[:200]}{abs(hash(body))}"
    response = Client().generic("POST", f"/openai/v1/{path}", body, "application/json", headers=headers)
    content = b"".join(response) if response.streaming else response.content
    response.close()
    assert response.status_code in (200, 202, 400, 404, 415, 422), content
    for pk in jobs.take_due():
        jobs.run(pk)
    assert not GatewayRequest.objects.filter(http_status__gte=500).exists()
    assert not GatewayRequest.objects.filter(status="running").exists()


def test_a_variation_is_an_edit_that_needs_no_prompt(key):
    form = {"model": "sample-one", "n": 1, "response_format": "b64_json", "image": picture()}
    headers = {"Authorization": f"Bearer {key.secret}"}
    response = Client().post("/openai/v1/images/variations", form, headers=headers)
    assert response.status_code == 200, response.content
    assert response.json()["data"][0]["b64_json"]
    assert GatewayRequest.objects.get().mode == "edit"
    missing = Client().post("/openai/v1/images/variations", {"model": "sample-one"}, headers=headers)
    assert missing.json()["error"]["param"] == "image"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.program)
def test_what_a_program_with_a_recipe_sends_brings_an_image(key, recipe):
    model = ImageModel.objects.get(slug="gpt-image-9")
    if recipe.alias:
        assert call(key, model=recipe.alias, **recipe.request).status_code == 404
        ModelAlias.objects.create(alias=recipe.alias, image_model=model)
        clear_process_caches()
    for name in [recipe.alias] if recipe.alias else ["sample-one", "gpt-image-9"]:
        body = {"response_format": None, "model": name} | dict(recipe.request)
        response = call(key, **body)
        assert response.status_code == 200, response.content
        assert response.json()["data"][0].get("url") or response.json()["data"][0]["b64_json"]
    text = recipe.text("https://arena.example/openai/v1", "sample-one")
    assert "https://arena.example/openai/v1" in text
    assert "{" not in text.replace("createOpenAI({", "")
