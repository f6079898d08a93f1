"""Images in object storage, on a real S3 server: `rclone serve s3`, from a wheel."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.core.management import call_command

from arena import generation, orphans
from arena.models import Entry, Generation
from config.demo import ports
from config.object_storage import options_of
from providers.files import file_store
from providers.models import Call
from tests import factories as make
from tests.config.processes import eventually

KEY, SECRET, BUCKET = "arena", "a/secret+of/32=characters", "images"


class Server:
    """An S3 server that can be killed and started again, its bucket a folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, ports.any_free()
        (home / BUCKET).mkdir(parents=True)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"s3://{KEY}:{SECRET.replace('/', '%2F').replace('+', '%2B')}@127.0.0.1:{self.port}/{BUCKET}?tls=0"

    def start(self) -> None:
        program = str(Path(sys.executable).with_name("rclone"))
        command = [program, "serve", "s3", str(self.home), "--addr", f"127.0.0.1:{self.port}", "--config", "/dev/null"]
        command += ["--auth-key", f"{KEY},{SECRET}", "--vfs-cache-mode", "off", "--log-level", "ERROR"]
        command += ["--dir-cache-time", "1ms"]  # what tests delete is gone; with 0 it keeps a core busy from then on
        self.process = subprocess.Popen(command)
        eventually(self.answers, 60)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path, settings) -> Iterator[Server]:
    server = Server(tmp_path / "s3")
    server.start()
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "config.object_storage.ObjectStorage", "OPTIONS": options_of(server.url)}
    }
    file_store._known.clear()
    yield server
    server.kill()


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (
            "s3://k:s%2F%2B@h:9000/b/in/side?region=eu-1&tls=0",
            {"access_key": "k", "secret_key": "s/+", "endpoint_url": "http://h:9000"}
            | {"bucket_name": "b", "location": "in/side", "region_name": "eu-1"},
        ),
        ("s3:///b?region=us-1", {"bucket_name": "b", "location": "", "region_name": "us-1"}),
    ],
)
def test_one_url_says_where_images_are(url, options):
    assert options_of(url) == options


@pytest.mark.parametrize("url", ["http://h/b", "s3://k:s@h", "s3://k@h/b", "s3://h/b", "s3:///b?zone=1", "/var/images"])
def test_a_url_that_cannot_be_meant_stops_the_start(url):
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL is not of the form"):
        options_of(url)


@pytest.mark.django_db
def test_an_image_is_stored_shown_missed_and_swept(server, client, settings):
    assert file_store.trouble() == ""
    entry = make.make_entry()
    public = f"/images/{entry.thumbnail.name}"
    assert len(client.get(public).content) > 100
    assert (server.home / BUCKET / entry.thumbnail.name).exists()
    battle = make.make_battle(left=entry, right=make.make_entry(entry.prompt))
    assert client.get(f"/i/{battle.left_token}.webp").status_code == 200
    file_store.save({"image": ("public", "webp", b"nobody's")})

    assert orphans.sweep(timedelta(seconds=-60)) == 1
    default_storage.delete(entry.thumbnail.name)
    assert client.get(public).status_code == 404


@pytest.mark.django_db
def test_while_it_is_away_pages_say_so_and_a_wrong_key_is_named(server, client, settings):
    entry = make.make_entry()
    server.kill()
    reply = client.get(f"/images/{entry.thumbnail.name}")
    assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    file_store._known.clear()
    assert "EndpointConnectionError" in file_store.trouble()
    assert "EndpointConnectionError" in client.get("/readyz").json()["store"]
    server.start()
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "config.object_storage.ObjectStorage",
            "OPTIONS": options_of(server.url) | {"secret_key": "another"},
        }
    }
    file_store._known.clear()
    assert file_store.trouble().startswith("OSError: object storage: ClientError")


@pytest.mark.django_db(transaction=True)
def test_killed_while_images_are_made_every_image_is_there_and_none_was_bought_twice(server, simulated):
    model = make.make_model()
    small = {"sends": {"image_size": {"width": 256, "height": 256}}}
    make.make_offering(model, "simulated-fal", endpoint=f"studio/{model.slug}", parameters=small)
    competition = make.make_competition()
    for number in range(6):
        generation.plan(make.make_prompt(competition, f"Snow, number {number}"), [model])
    pks = list(Generation.objects.order_by("pk").values_list("pk", flat=True))
    for pk in pks[:2]:
        generation.run(pk)
    file_store._known.put(file_store.TROUBLE, "")  # the probe has just said that all is well
    server.kill()
    generation.run(pks[2])  # bought, not stored
    for pk in pks[3:]:
        generation.run(pk)  # nobody is asked any more
    states = dict(Generation.objects.values_list("pk", "status"))
    assert [states[pk] for pk in pks] == ["succeeded"] * 2 + ["storing"] + ["queued"] * 3
    server.start()
    file_store._known.clear()
    Generation.objects.filter(status="storing").update(due_at="2020-01-01T00:00:00Z")
    for pk in pks:
        generation.run(pk)
    assert Entry.objects.count() == 6
    assert Call.objects.filter(outcome="ok").count() == 6
    assert len(default_storage.listdir("originals")[1]) == 6


@pytest.mark.django_db(transaction=True)
def test_a_backup_takes_the_objects_and_brings_them_back(server, tmp_path):
    entry = make.make_entry()
    call_command("backup", str(tmp_path / "arena.tar"), stdout=StringIO())
    default_storage.delete(entry.original.name)
    call_command("restore", str(tmp_path / "arena.tar"), yes=True, stdout=StringIO())
    assert default_storage.exists(entry.original.name)


@pytest.mark.django_db
def test_with_a_proxy_no_web_process_reads_an_image_and_the_signed_place_is_for_nginx_alone(server, client, settings):
    entry = make.make_entry()
    settings.STORAGE_ACCEL = "/stored/"
    reply = client.get(f"/images/{entry.thumbnail.name}")
    assert (reply.content, reply["Cache-Control"]) == (b"", "public, max-age=60")
    place = reply["X-Accel-Redirect"]
    assert place.startswith(f"/stored/{BUCKET}/public/")
    stored = httpx.get(f"http://127.0.0.1:{server.port}/{place.removeprefix('/stored/')}", timeout=60)
    assert stored.status_code == 200
    assert stored.content == (server.home / BUCKET / entry.thumbnail.name).read_bytes()
    unsigned = urlsplit(place).path.removeprefix("/stored/")
    assert httpx.get(f"http://127.0.0.1:{server.port}/{unsigned}", timeout=60).status_code in (400, 403)


@pytest.mark.django_db
def test_with_a_proxy_and_a_folder_both_sides_of_a_battle_differ_in_their_place_alone(client, settings):
    settings.STORAGE_ACCEL = "/stored/"
    entry = make.make_entry()
    battle = make.make_battle(left=entry, right=make.make_entry(entry.prompt))
    left, right = (client.get(f"/i/{token}.webp") for token in (battle.left_token, battle.right_token))
    assert left["X-Accel-Redirect"] == f"/stored/{entry.image.name}"
    for reply in (left, right):
        del reply["X-Accel-Redirect"]
    assert list(left.items()) == list(right.items())
