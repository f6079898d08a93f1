"""OpenAI's own Python client, with another base URL and key and nothing else, against the gateway on a real port."""

from __future__ import annotations

import base64
import io
from urllib.parse import quote

import httpx
import openai
import pytest
from PIL import Image

from providers.models import Call, GatewayRequest
from tests import factories as make

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key=gateway.secret, max_retries=2) as client:
        yield client


def opened(image) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image.b64_json)))


def test_images_by_url_with_metadata(client, gateway):
    answer = client.images.generate(
        model="sample-one", prompt="A red kite", size="128x192", n=2, extra_body={"seed": 7}
    )
    images = [Image.open(io.BytesIO(httpx.get(image.url).content)) for image in answer.data]
    assert [image.size for image in images] == [(128, 192)] * 2
    assert images[0].tobytes() != images[1].tobytes()
    assert [image.seed for image in answer.data] == [7, 8]
    assert (answer.size, answer.output_format) == ("128x192", "png")
    assert answer.metadata["executed_model"] == "simulated-openai/sample-one"
    assert answer.metadata["cost"] == 0.02
    assert answer.metadata["delivered_size"] == "128x192"
    row = GatewayRequest.objects.get()
    assert answer._request_id == answer.metadata["request_id"] == row.request_id
    assert (row.status, row.n, row.http_status, str(row.cost)) == ("ok", 2, 200, "0.020000")
    assert {call.caller for call in Call.objects.all()} == {"gateway"}


@pytest.mark.parametrize(
    ("format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("gif", "GIF"), ("webp", "WEBP"), ("avif", "AVIF")]
)
def test_every_file_format(client, format, kind):
    answer = client.images.generate(
        model="sample-one", prompt="Snow", size="64x64", output_format=format, response_format="b64_json",
        output_compression=40,
    )  # fmt: skip
    assert answer.output_format == format
    assert opened(answer.data[0]).format == kind


def test_edits_with_one_image_with_several_and_with_a_mask(client):
    picture = make.picture("source", 96, 64)
    one = client.images.edit(
        model="sample-one", prompt="Make it night", image=("a.png", picture), size="96x64", response_format="b64_json"
    )
    assert opened(one.data[0]).size == (96, 64)
    masked = client.images.edit(
        model="sample-one", prompt="Make it night", image=[("a", picture), ("b", picture)], mask=("m", picture),
        n=2, response_format="b64_json",
    )  # fmt: skip
    assert len(masked.data) == 2
    with pytest.raises(openai.BadRequestError, match="as large as the image"):
        client.images.edit(model="sample-one", prompt="x", image=picture, mask=make.picture("mask", 64, 64))


def test_a_stream_brings_one_event_for_each_image(client):
    events = list(client.images.generate(model="sample-one", prompt="Snow", size="64x64", n=2, stream=True))
    assert [event.type for event in events] == ["image_generation.completed"] * 2
    assert [opened(event).size for event in events] == [(64, 64)] * 2
    edited = client.images.edit(model="sample-one", prompt="Dusk", image=make.picture("a", 64, 64), stream=True)
    assert [event.type for event in edited] == ["image_edit.completed"]


def test_partial_images_come_before_the_whole_one_where_the_provider_sends_any(client):
    offered("sample-two", "simulated-replicate")
    events = list(client.images.generate(
        model="sample-one", prompt="Snow", size="64x64", stream=True, partial_images=2, output_format="webp"
    ))  # fmt: skip
    partial = ["image_generation.partial_image"] * 2
    assert [event.type for event in events] == [*partial, "image_generation.completed"]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]
    assert [(opened(event).size, opened(event).format) for event in events] == [((64, 64), "WEBP")] * 3
    assert len({event.b64_json for event in events}) == 3
    edited = client.images.edit(
        model="sample-one", prompt="Dusk", image=make.picture("a", 64, 64), stream=True, partial_images=1
    )
    assert [event.type for event in edited] == ["image_edit.partial_image", "image_edit.completed"]
    for more in ({"n": 2}, {"model": "sample-two"}):  # fewer are allowed: none of several, none without support
        fields = {"model": "sample-one", "prompt": "Snow", "size": "64x64", "stream": True, "partial_images": 3} | more
        assert {event.type for event in client.images.generate(**fields)} == {"image_generation.completed"}
    with pytest.raises(openai.APIError, match="Every provider"):
        list(client.images.generate(model="sample-one", prompt="[sim:fail-after-queue]", stream=True, partial_images=1))


def test_several_images_without_a_seed_differ_also_where_each_is_a_call_of_its_own(client):
    offered("sample-two", "simulated-replicate")
    answer = client.images.generate(
        model="sample-two", prompt="Snow", size="64x64", n=3, response_format="b64_json"
    )  # fmt: skip
    assert len({opened(image).tobytes() for image in answer.data}) == 3


def test_masks_reach_fal_under_its_own_name_and_are_an_error_where_unsupported(client):
    picture, mask = make.picture("source", 96, 64), make.picture("mask", 64, 64)
    offered("sample-two", "simulated-fal", images={"field": "image_urls", "list": True, "mask": "mask_image_url"})
    offered("sample-three", "simulated-replicate")
    fields = {"prompt": "Dusk", "image": picture, "size": "96x64", "response_format": "b64_json"}
    assert client.images.edit(model="sample-two", mask=picture, **fields).data
    with pytest.raises(openai.BadRequestError, match="as large as the image"):
        client.images.edit(model="sample-two", mask=mask, **fields)
    with pytest.raises(openai.BadRequestError, match="takes none") as caught:
        client.images.edit(model="sample-three", mask=picture, **fields)
    assert caught.value.param == "mask"


def test_a_stream_that_fails_raises(client):
    with pytest.raises(openai.APIError, match="Every provider"):
        list(client.images.generate(model="sample-one", prompt="Snow [sim:500]", stream=True))
    assert GatewayRequest.objects.get().status == "failed"


def test_models_also_those_with_a_slash_in_both_spellings(client, gateway):
    assert [model.id for model in client.models.list()] == ["sample-one"]
    assert client.models.retrieve("simulated-openai/sample-one").id == "simulated-openai/sample-one"
    for name in ("simulated-openai/sample-one", quote("simulated-openai/sample-one", safe="")):
        model = gateway.client.get(f"/openai/v1/models/{name}?schema=true").json()
        assert model["schema"]["text-to-image"]["properties"]["size"]["x-providers"] == {
            "simulated-openai": {"behaviour": "converted", "sent_as": "size"}
        }


def test_a_model_named_with_its_provider_is_what_that_provider_offers(client):
    model = offered("sample-two", "simulated-fal", "simulated-openai")
    model.offerings.get(provider="simulated-openai", mode="edit").delete()
    both, one = (client.models.retrieve(name).model_extra for name in ("sample-two", "simulated-openai/sample-two"))
    assert (both["providers"], both["price_from"]) == (["simulated-fal", "simulated-openai"], 0.01)
    assert both["modes"] == ["text-to-image", "edit"]
    assert (one["providers"], one["price_from"], one["modes"]) == (["simulated-openai"], 0.02, ["text-to-image"])


def test_every_error_is_the_clients_own_exception(client, gateway):
    def ask(prompt="x", **more):
        return client.images.generate(**{"model": "sample-one", "prompt": prompt} | more)

    with pytest.raises(openai.NotFoundError, match="Did you mean sample-one") as caught:
        ask(model="sample-on")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(size="huge")
    assert caught.value.param == "size"
    with pytest.raises(openai.BadRequestError) as caught:
        ask("x [sim:policy]")
    assert caught.value.code == "moderation_blocked"
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="ia_wrong.key").models.list()


def test_when_every_provider_has_failed_the_client_does_not_retry(client, gateway):
    offered("sample-two", "simulated-openai", "simulated-replicate", endpoint="tests/fails-everywhere")
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(model="sample-two", prompt="x [sim:500]")
    assert caught.value.status_code == 502
    assert caught.value.response.headers["x-should-retry"] == "false"
    attempts = caught.value.response.json()["metadata"]["attempts"]
    assert [attempt["provider"] for attempt in attempts] == ["simulated-openai", "simulated-replicate"]
    assert gateway.journal("tests/fails-everywhere")["asked"] == 1  # by the client's two retries no more


def test_the_provider_that_takes_the_parameters_is_called_first_and_another_when_it_is_forced(client):
    choosy = {"name": "style", "type": "string", "group": "additional", "behaviour": "passthrough", "enum": ["oil"]}
    offered("sample-two", "simulated-fal", accepts=[choosy])  # it comes first by name, and takes no other style
    offered("sample-two", "simulated-openai")
    answer = client.images.generate(model="sample-two", prompt="Snow", size="64x64", style="fresco")
    attempts = [(attempt["provider"], attempt["outcome"]) for attempt in answer.metadata["attempts"]]
    assert attempts == [("simulated-openai", "ok")]
    forced = client.images.generate(model="simulated-fal/sample-two", prompt="Snow", size="64x64")
    assert forced.metadata["provider"] == "simulated-fal"


def test_dry_run_prices_and_calls_no_provider(client):
    priced = client.images.with_raw_response.generate(
        model="sample-one", prompt="x", n=3, extra_query={"dryRun": "true"}
    )
    assert priced.http_response.json()["total_cost_micros"] == 30_000
    assert not Call.objects.exists()
    assert not GatewayRequest.objects.exists()


def test_unknown_parameters_pass_through_and_are_listed(client):
    answer = client.images.generate(
        model="sample-one", prompt="x", size="64x64", extra_body={"go_fast": True, "seed": 7, "user": "me"}
    )
    assert answer.metadata["passed_through"] == ["go_fast", "user"]
    assert answer.data[0].seed == 7


TOOL = {"type": "image_generation", "size": "128x192", "quality": "auto", "output_format": "png"}


def test_the_image_tool_of_the_responses_api(client, gateway):
    response = client.responses.create(model="sample-one", input="A red kite", tools=[TOOL])
    (call,) = response.output
    assert (call.type, call.status, response.status) == ("image_generation_call", "completed", "completed")
    image = Image.open(io.BytesIO(base64.b64decode(call.result)))
    assert image.size == (128, 192)
    assert response.output_text == ""
    row = GatewayRequest.objects.get()
    assert (row.mode, response.arena["request_id"]) == ("text-to-image", row.request_id)


def test_what_the_tool_made_and_what_the_user_sends_is_edited(client, gateway):
    first = client.responses.create(model="any-name", input="A red kite", tools=[TOOL | {"model": "sample-one"}])
    picture = "data:image/png;base64," + base64.b64encode(make.picture("a", 128, 128)).decode()
    turns = [
        {"role": "user", "content": "A red kite"},
        first.output[0].model_dump(exclude_unset=True, include={"id", "type", "status", "result"}),
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "At night"}, {"type": "input_image", "image_url": picture}],
        },
    ]
    second = client.responses.create(model="sample-one", input=turns, tools=[TOOL])
    assert second.output[0].result != first.output[0].result
    assert list(GatewayRequest.objects.order_by("asked_at").values_list("mode", flat=True)) == ["text-to-image", "edit"]


def test_a_stream_of_responses_ends_with_the_image(client, gateway):
    events = list(client.responses.create(model="sample-one", input="A red kite", tools=[TOOL], stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert "response.image_generation_call.completed" in kinds
    assert kinds[-1] == "response.completed"
    assert events[-1].response.output[0].result
    assert [event.sequence_number for event in events] == list(range(len(events)))


@pytest.mark.parametrize(
    "body", [{"tools": []}, {"tools": [{"type": "web_search"}]}, {"tools": 3}, {"tools": [TOOL], "input": []}]
)
def test_what_is_no_request_for_an_image_is_an_error_that_says_so(client, gateway, body):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/responses", body={"model": "sample-one", "input": "A kite"} | body, cast_to=object)
    assert caught.value.param in ("tools", "prompt")
    assert not Call.objects.exists()
