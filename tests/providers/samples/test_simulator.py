"""The simulator itself: many at once, the same every time, on this machine only, gone at a signal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from providers.samples.renderer import SAMPLE_MODELS
from providers.samples.simulator import Simulator, gallery
from providers.samples.simulator.__main__ import main
from providers.samples.simulator.canvas import canvas
from providers.samples.simulator.job_log import JobLog
from providers.samples.simulator.jobs import sample_model_of
from providers.samples.simulator.scenarios import Scenario, usual_seconds, work_seconds
from tests.config.processes import eventually

ROOT = Path(__file__).parents[3]


def test_eighty_slow_requests_are_worked_on_at_once():
    def run(number):
        order = {"prompt": "a kite [sim:slow=600]", "image_size": {"width": 96, "height": 64}}
        with contextlib.suppress(httpx.HTTPError):  # the simulator stops before any of them is done
            client.post(f"{simulator.url}/fal/run/tests/many", json=order)

    with (
        httpx.Client(
            headers={"Authorization": "Key id:secret"}, limits=httpx.Limits(max_connections=80), timeout=120
        ) as client,
        ThreadPoolExecutor(80) as pool,
        Simulator() as simulator,
    ):
        for number in range(80):
            pool.submit(run, number)
        eventually(lambda: simulator.journal().get("fal", {}).get("tests/many", {}).get("running") == 80, seconds=60)


def test_after_it_is_stopped_nothing_of_it_is_left():
    before = set(threading.enumerate())
    with Simulator() as running:
        httpx.get(f"{running.url}/healthz", trust_env=False).raise_for_status()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/healthz", trust_env=False)
    for thread in set(threading.enumerate()) - before:  # its painters and connections are on their way out
        thread.join(10)
        assert not thread.is_alive(), thread.name


@pytest.mark.parametrize("is_cut", [False, True])
def test_jobs_survive_a_simulator_that_was_killed(tmp_path, is_cut):
    log = tmp_path / "jobs.jsonl"
    order = {"prompt": "a kite [sim:slow=0]", "image_size": {"width": 96, "height": 64}}
    options = {"headers": {"Authorization": "Key id:secret"}, "trust_env": False}
    with Simulator(job_log=log) as first:
        url = f"{first.url}/fal/queue/tests/killed"
        slow = order | {"prompt": "a kite [sim:slow=60]"}
        done, cancelled = (httpx.post(url, json=body, **options).json() for body in (order, slow))
        httpx.put(cancelled["cancel_url"], **options)
        eventually(lambda: httpx.get(done["response_url"], **options).status_code == 200)
        image = httpx.get(done["response_url"], **options).json()["images"][0]["url"]
        drawn = httpx.get(image, trust_env=False).content
        port, journal = first.port, first.journal()
    if is_cut:  # in the middle of a line
        log.write_bytes(log.read_bytes() + b'{"id": "')
    with Simulator(port=port, job_log=log) as second:
        eventually(lambda: httpx.get(done["response_url"], **options).status_code == 200)
        image = httpx.get(done["response_url"], **options).json()["images"][0]["url"]
        assert httpx.get(image, trust_env=False).content == drawn
        assert second.journal()["fal"]["tests/killed"] == journal["fal"]["tests/killed"]
        httpx.post(url, json=order, **options)
    assert len(JobLog(log).jobs()) == 3
    log.unlink()
    with Simulator(port=port, job_log=log):
        assert httpx.get(done["status_url"], **options).status_code == 404


def test_a_connection_is_used_again(simulator):
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((simulator.host, simulator.port)) as connection:
        for _ in range(3):
            connection.sendall(request)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"}")


def test_images_say_nothing_about_their_model(line_to):
    image = line_to("openai").ask("a kite", endpoint="tests/recognisable").images[0]
    assert b"recognisable" not in image.data
    with Image.open(BytesIO(image.data)) as opened:
        assert not opened.info
        assert not opened.getexif()


def test_the_sample_model_is_the_last_part_that_names_one():
    slug = SAMPLE_MODELS[-1].slug
    assert sample_model_of(f"owner/{slug}/edit") == slug
    assert (
        sample_model_of("fal-ai/unknown")
        == sample_model_of("fal-ai/unknown")
        in {model.slug for model in SAMPLE_MODELS}
    )


def test_each_model_has_its_own_speed_and_prompts_vary_around_it():
    speeds = [usual_seconds(f"model-{number}") for number in range(200)]
    assert 0.3 <= min(speeds) < 0.6
    assert 1.8 < max(speeds) <= 3
    times = [work_seconds("model-1", f"prompt {number}", 1) for number in range(200)]
    assert times[0] == work_seconds("model-1", "prompt 0", 1)
    assert len(set(times)) == 200
    assert max(times) > 2 * min(times)


@pytest.mark.parametrize(
    ("order", "size"),
    [
        ({}, (1024, 1024)),
        ({"image_size": "landscape_4_3"}, (1024, 768)),
        ({"image_size": {"width": 1183, "height": 887}}, (1183, 887)),
        ({"image_size": "1536x1024"}, (1536, 1024)),
        ({"size": "1024x1536"}, (1024, 1536)),
        ({"size": "auto"}, (1024, 1024)),
        ({"size": "2K", "aspect_ratio": "1:1"}, (2048, 2048)),
        ({"aspect_ratio": "16:9"}, (1365, 768)),
        ({"aspect_ratio": "4:3", "output_megapixels": "0.25"}, (591, 443)),
        ({"aspect_ratio": "1:1", "resolution": "1 MP"}, (1024, 1024)),
        ({"aspect_ratio": "custom", "width": 640, "height": 480}, (640, 480)),
        ({"image_size": {"width": 20_000, "height": 10_000}}, (4096, 2048)),
    ],
)
def test_a_size_is_understood_in_each_way_of_asking(order, size):
    assert canvas(order) == size


def test_an_edit_keeps_the_shape_of_its_source():
    assert canvas({}, (300, 200)) == (1254, 836)


def test_scenarios_are_read_from_the_prompt():
    scenario = Scenario.of("a kite [sim:slow=2.5] over [sim:result-404] dunes")
    assert scenario.number("slow") == 2.5
    assert scenario.result == "404"
    assert "reset" not in scenario


def test_a_picture_drawn_with_little_detail_has_its_size_and_colours():
    pictures, coarse = gallery.Gallery(), gallery.Gallery(drawn_side=96)
    commission = gallery.Commission("sample-slate", "a kite over dunes", 700, 320, 3)
    images = [Image.open(BytesIO(one.order(commission).result(60).read())) for one in (pictures, coarse)]
    assert images[0].size == images[1].size == (700, 320)
    assert images[1].getcolors(96 * 64)  # None would be more colours than a drawing of this size has pixels
    assert not images[0].getcolors(96 * 64)
    means = [np.asarray(image.resize((4, 4), Image.Resampling.BOX), dtype=float) for image in images]
    assert np.abs(means[0] - means[1]).mean() < 12
    pictures.close()
    coarse.close()


def test_only_so_many_bytes_of_pictures_are_stored(monkeypatch):
    monkeypatch.setattr(gallery, "MAX_STORED", 1000)
    pictures = gallery.Gallery()
    names = [f"{number:032x}.upload" for number in range(4)]
    for number, name in enumerate(names):
        pictures.keep(name, bytes([number]) * 400, "image/png")
    first, second, third, fourth = (pictures.find(name) for name in names)
    assert first is None is second  # the third took the place of the first, the fourth of the second
    assert third.read() == bytes([2]) * 400
    assert fourth.read() == bytes([3]) * 400
    pictures.keep(names[0], bytes(900), "image/png")
    with pytest.raises(LookupError):
        fourth.read()
    pictures.close()


@pytest.mark.parametrize("host", ["0.0.0.1", "10.0.0.7", "example.org", "::"])
def test_it_is_served_to_this_machine_only(host):
    with pytest.raises(CommandError, match="loopback"):
        call_command("simulate_providers", host=host, stdout=StringIO())


def test_a_port_that_is_taken_is_said_so(simulator, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--port", str(simulator.port)])
    assert caught.value.code == 1
    assert "--port" in capsys.readouterr().err


@pytest.mark.processes
def test_the_command_is_up_at_once_stays_small_and_stops_at_a_signal():
    process = subprocess.Popen(
        [sys.executable, "manage.py", "simulate_providers", "--port", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    assert process.stdout
    try:
        url = process.stdout.readline().split()[3]
        order = {"prompt": "a kite [sim:slow=0]", "image_size": "square_hd"}
        answer = httpx.post(f"{url}/fal/run/x", json=order, headers={"Authorization": "Key k"}, timeout=30)
        assert answer.status_code == 200
        if sys.platform == "linux":
            (used,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            assert int(used) < 90 * 1024
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
