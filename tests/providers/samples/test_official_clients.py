"""The companies' own clients accept the simulator: what our adapters are tested against is what they speak."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
import warnings
from io import BytesIO

import httpx
import pytest
from PIL import Image

from providers.samples.simulator import Simulator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what the clients deprecate among themselves is not ours to fix
    import fal_client
    import fal_client.client
    import openai
    from replicate.client import Client as ReplicateClient
    from replicate.exceptions import ModelError, ReplicateError


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (96, 64), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(data)).size


# OpenAI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def openai_client(simulator):
    with openai.OpenAI(base_url=f"{simulator.url}/openai/v1", api_key="sk-simulated", max_retries=0) as client:
        yield client


def test_openai_generates(openai_client):
    answer = openai_client.images.generate(model="any", prompt="a kite", size="96x64", n=2)
    assert [size_of(base64.b64decode(image.b64_json)) for image in answer.data] == [(96, 64)] * 2
    assert answer.usage.total_tokens > 0
    assert answer._request_id.startswith("req_")


def test_openai_generates_an_address(openai_client):
    answer = openai_client.images.generate(
        model="any", prompt="a kite", size="96x64", extra_body={"response_format": "url"}
    )
    assert size_of(httpx.get(answer.data[0].url).content) == (96, 64)


@pytest.mark.parametrize("images", [("one.png", png()), [("one.png", png()), ("two.png", png())]], ids=["one", "list"])
def test_openai_edits(openai_client, images):
    answer = openai_client.images.edit(
        model="any", prompt="make it night", image=images, mask=("mask.png", png()), size="96x64", n=1
    )
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == (96, 64)


def test_openai_edits_in_json(simulator):
    uri = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    answer = httpx.post(
        f"{simulator.url}/openai/v1/images/edits",
        json={"model": "any", "prompt": "make it night", "images": [{"image_url": uri}], "size": "96x64"},
        headers={"Authorization": "Bearer sk"},
    )
    assert size_of(base64.b64decode(answer.json()["data"][0]["b64_json"])) == (96, 64)


def test_openai_streams(openai_client):
    with openai_client.images.generate(model="any", prompt="a kite", size="96x64", stream=True) as stream:
        events = list(stream)
    assert [event.type for event in events] == ["image_generation.completed"]
    assert size_of(base64.b64decode(events[0].b64_json)) == (96, 64)


def test_openai_streams_an_error(openai_client):
    with (
        openai_client.images.generate(model="any", prompt="a kite [sim:failed]", stream=True) as stream,
        pytest.raises(openai.APIError),
    ):
        list(stream)


@pytest.mark.parametrize(
    ("scenario", "error"),
    [
        ("policy", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("402", openai.RateLimitError),
        ("403", openai.PermissionDeniedError),
        ("404", openai.NotFoundError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("gateway-502", openai.InternalServerError),
        ("reset", openai.APIConnectionError),
    ],
)
def test_openai_raises(openai_client, scenario, error):
    with pytest.raises(error):
        openai_client.images.generate(model="any", prompt=f"a kite [sim:{scenario}]", size="96x64")


def test_openai_lists_models(openai_client):
    models = openai_client.models.list().data
    assert models
    assert openai_client.models.retrieve(models[0].id).id == models[0].id
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("no/such-model")


# Replicate ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def replicate_client(simulator):
    client = ReplicateClient(api_token="r8_simulated", base_url=f"{simulator.url}/replicate")
    client.poll_interval = 0.02
    yield client
    client._client.close()


ORDER = {"prompt": "a kite", "width": 96, "height": 64}


@pytest.mark.parametrize("wait", [True, False])
def test_replicate_runs(replicate_client, wait):
    output = replicate_client.run("tests/kite", input=ORDER, wait=wait)
    assert size_of(httpx.get(str(output[0])).content) == (96, 64)


def test_replicate_runs_what_answers_before_it_is_done(replicate_client):
    order = {**ORDER, "prompt": "a kite [sim:no-wait] [sim:queue=0.1] [sim:output-string]"}
    assert str(replicate_client.run("tests/kite", input=order)).startswith("http")


def test_replicate_fails(replicate_client):
    with pytest.raises(ModelError, match="E005"):
        replicate_client.run("tests/kite", input={**ORDER, "prompt": "a kite [sim:policy]"})


@pytest.mark.parametrize("scenario", ["missing", "401", "402", "404", "429=9"])
def test_replicate_refuses(replicate_client, scenario):
    with pytest.raises(ReplicateError):
        replicate_client.run("tests/kite", input={**ORDER, "prompt": f"a kite [sim:{scenario}]"})


def test_replicate_cancels(replicate_client, simulator):
    prediction = replicate_client.predictions.create(
        version="a" * 64, input={**ORDER, "prompt": "a kite [sim:slow=30]"}
    )
    prediction.cancel()
    prediction.wait()
    assert prediction.status == "canceled"
    assert simulator.journal()["replicate"]["a" * 64]["cancelled"] == 1


def test_replicate_describes_a_model_and_takes_files(replicate_client):
    version = replicate_client.models.get("tests/kite").latest_version
    assert "prompt" in version.openapi_schema["components"]["schemas"]["Input"]["properties"]
    file = replicate_client.files.create(BytesIO(png()), filename="kite.png", content_type="image/png")
    output = replicate_client.run("tests/kite", input={**ORDER, "images": [file.urls["get"]]})
    assert size_of(httpx.get(str(output[0])).content) == (96, 64)


# fal: its client always speaks https, so here the simulator does too ──────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A throw-away authority and a certificate of its for this machine."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed: fal's client cannot be driven without a certificate")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "leaf.cnf").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for command in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority",
         "-addext", "keyUsage=critical,keyCertSign"],
        ["req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
         "-out", "leaf.pem", "-extfile", "leaf.cnf"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def tls_simulator(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "leaf.pem", certificates / "leaf.key")
    with Simulator(pace=0.02, tls=context) as running:
        yield running


@pytest.fixture
def fal(tls_simulator, certificates, monkeypatch):
    place = f"https://localhost:{tls_simulator.port}/fal"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    monkeypatch.setattr(fal_client.client, "RUN_URL_FORMAT", f"{place}/run/")
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{place}/queue/")
    monkeypatch.setattr(fal_client.client, "REST_URL", f"{place}/rest")
    client = fal_client.SyncClient(key="id:secret")
    yield client
    client._client.close()
    vars(client._client._transport)["_client"].close()


FAL_ORDER = {"prompt": "a kite", "image_size": {"width": 96, "height": 64}, "sync_mode": True}


def delivered(output) -> tuple[int, int]:
    return size_of(base64.b64decode(output["images"][0]["url"].partition(",")[2]))


def test_fal_runs(fal):
    assert delivered(fal.run("tests/kite/fast", FAL_ORDER)) == (96, 64)


def test_fal_subscribes_and_hears_of_the_queue(fal):
    updates: list[fal_client.Status] = []
    order = {**FAL_ORDER, "prompt": "a kite [sim:queue=0.2] [sim:slow=0.3]"}
    output = fal.subscribe("tests/kite/fast", order, with_logs=True, on_queue_update=updates.append)
    assert delivered(output) == (96, 64)
    assert {type(update) for update in updates} == {fal_client.Queued, fal_client.InProgress, fal_client.Completed}


def test_fal_streams_the_status(fal):
    handle = fal.submit("tests/kite/fast", FAL_ORDER)
    assert delivered(handle.get()) == (96, 64)
    url = f"{fal_client.client.QUEUE_URL_FORMAT}tests/kite/requests/{handle.request_id}/status/stream"
    with fal._client.stream("GET", url) as response:
        events = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert '"COMPLETED"' in events[-1]


def test_fal_cancels(fal, tls_simulator):
    handle = fal.submit("tests/cancelled", {**FAL_ORDER, "prompt": "a kite [sim:slow=30]"})
    assert isinstance(handle.status(), fal_client.Queued | fal_client.InProgress)
    handle.cancel()
    assert tls_simulator.journal()["fal"]["tests/cancelled"]["cancelled"] == 1


@pytest.mark.parametrize("scenario", ["missing", "policy", "401", "404", "user-timeout", "fail-after-queue=500"])
def test_fal_raises(fal, scenario):
    with pytest.raises(fal_client.FalClientError):
        fal.subscribe("tests/kite/fast", {**FAL_ORDER, "prompt": f"a kite [sim:{scenario}]"})


def test_fal_tries_again_when_throttled(fal, tls_simulator):
    fal.run("tests/throttled", {**FAL_ORDER, "prompt": "a kite [sim:429-once]"})
    assert tls_simulator.journal()["fal"]["tests/throttled"]["asked"] == 2


def test_fal_uploads(fal):
    url = fal.upload(png(), "image/png", "kite.png", repository="fal")
    output = fal.run("tests/kite/edit", {**FAL_ORDER, "image_urls": [url]})
    assert delivered(output) == (96, 64)
