"""What programs send that were written for other image APIs: shapes of bodies, names, URLs and headers."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import resolve

from providers.cache import clear_process_caches
from providers.gateway import budgets
from providers.gateway.recipes import RECIPES
from providers.models import ApiKey, Call, GatewayRequest, ImageModel, ModelAlias, Offering
from providers.request import ImageRequest
from providers.routing import preferences
from providers.routing.selection import Target
from tests import factories as make
from tests.arena.test_constraints import refuses

from .conftest import offered
from .requests import call, edit, picture

pytestmark = pytest.mark.django_db(transaction=True)


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
    metadata, row = response.json()["metadata"], GatewayRequest.objects.get()
    assert (metadata["attempts"], row.attempts, row.provider) == ([], 0, "")  # it was sent to nobody
    assert metadata["not_called"][0] | {"reason": ""} == {
        "provider": "simulated-openai", "outcome": "invalid_request", "reason": "",
    }  # fmt: skip


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


def test_sources_behind_urls_are_together_no_larger_than_a_request_may_be(key, settings):
    """A body of a kilobyte could name sixteen of 64 MB."""
    url = call(key, response_format="url", size="512x512").json()["data"][0]["url"]
    settings.GATEWAY_LARGEST_REQUEST = 3 * len(Client().get(url).content) // 2
    assert call(key, "images/edits", image=[url]).status_code == 200
    response = call(key, "images/edits", image=[url, url])
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")


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
