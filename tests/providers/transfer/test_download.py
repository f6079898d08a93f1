"""Images and addresses from outside are hostile; what comes through is one whole image, measured."""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

import httpcore
import pytest
from PIL import Image

from providers.errors import BadOutput, TimedOut
from providers.samples.renderer import SAMPLE_MODELS
from providers.samples.simulator.gallery import Commission
from providers.transfer import download
from providers.transfer.addresses import is_public, origin_of
from providers.transfer.deadline import Deadline
from providers.transfer.download import fetch
from providers.transfer.image_type import MAX_BYTES, measured


def encoded(kind: str, size: tuple[int, int] = (64, 48), **options) -> bytes:
    buffer = BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def address(simulator):
    """The address of a picture at the simulator, with whatever is wrong with it."""
    name = simulator.workshop.gallery.order(Commission(SAMPLE_MODELS[0].slug, "a kite", 96, 64, 1)).result().name

    def of(fault: str = "", argument: str = "", job: str = "") -> str:
        return f"{simulator.url}/files/{name}?fault={fault}&argument={argument}&job={job}"

    return of


@pytest.fixture
def get(simulator):
    def get(url: str, seconds: float = 10):
        return fetch(url, deadline=Deadline(seconds), trusted={origin_of(simulator.url)})

    return get


class Host:
    """A host that says the same few bytes to everybody and remembers what it was asked."""

    def __init__(self, answer: bytes | list[bytes], pause: float = 0.0) -> None:
        self._pieces = [answer] if isinstance(answer, bytes) else answer
        self._pause = pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65536).decode())
                try:
                    for piece in self._pieces:
                        connection.sendall(piece)
                        time.sleep(self._pause)
                except OSError:
                    pass

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def start(answer: bytes | list[bytes], pause: float = 0.0) -> Host:
        hosts.append(Host(answer, pause))
        return hosts[-1]

    yield start
    for one in hosts:
        one.close()


def answer(body: bytes, head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


# What comes through ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [("",), ("mislabelled",), ("redirect", "3"), ("404", "2", "a"), ("500", "2", "b")])
def test_an_image_comes_through_whatever_its_header_says_and_after_passing_trouble(address, get, fault):
    image = get(address(*fault))
    assert (image.width, image.height, image.content_type) == (96, 64, "image/png")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (("404",), "answered 404"),
        (("403",), "answered 403"),
        (("500",), "answered 500"),
        (("html",), "HTML"),
        (("wrong-type",), "SVG"),
        (("zero",), "empty"),
        (("huge",), "larger than 64 MB"),
        (("cut",), "could not be downloaded"),
        (("animated",), "animated"),
        (("redirect", "4"), "redirects"),
    ],
)
def test_what_is_no_usable_image_is_bad_output_and_may_have_been_charged(address, get, fault, why):
    with pytest.raises(BadOutput, match=why) as caught:
        get(address(*fault))
    assert caught.value.possibly_charged


def test_a_server_that_is_not_there_is_tried_three_times(get, simulator, monkeypatch):
    tries = []
    real = httpcore.SyncBackend.connect_tcp

    def connect(self, host, *rest, **named):
        tries.append(host)
        if len(tries) < 3:
            raise httpcore.ConnectError("refused")
        return real(self, host, *rest, **named)

    name = simulator.workshop.gallery.order(Commission(SAMPLE_MODELS[0].slug, "a kite", 96, 64, 1)).result().name
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    assert get(f"{simulator.url}/files/{name}").width == 96
    assert len(tries) == 3


def test_a_body_without_length_that_ends_early_is_noticed_by_its_own_format(host):
    whole = encoded("PNG")
    short = host(b"HTTP/1.1 200 OK\r\n\r\n" + whole[: len(whole) // 2])
    with pytest.raises(BadOutput, match="cut off"):
        fetch(short.url, deadline=Deadline(5), trusted={short.url})


# Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_that_stalls_cannot_hold_us_longer_than_the_deadline(address, get):
    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        get(address("slow", "30"), seconds=0.4)
    assert time.monotonic() - started < 15
    assert caught.value.possibly_charged


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_server_that_drips_cannot_hold_us_longer_than_the_deadline(host, start):
    dripping = host([start, *[b"x"] * 600], pause=0.05)  # for 30 s
    started = time.monotonic()
    with pytest.raises(TimedOut):
        fetch(dripping.url, deadline=Deadline(0.4), trusted={dripping.url})
    assert time.monotonic() - started < 15


# Where it may be ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/x.png",
        "http://127.0.0.1:1/x.png",
        "https://127.0.0.1:1/x.png",
        "https://localhost:1/x.png",
        "https://[::1]:1/x.png",
        "https://10.0.0.7/x.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:192.168.0.1]/x.png",
        "https://user:secret@images.test/x.png",
        "ftp://images.test/x.png",
        "file:///etc/passwd",
        "https://",
        "x.png",
        "",
    ],
)
def test_only_public_https_addresses_are_asked(url, monkeypatch):
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(BadOutput):
        fetch(url, deadline=Deadline(5))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:4700::1111", True), ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False), ("0.0.0.1", False), ("10.1.2.3", False), ("172.20.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("240.0.0.1", False), ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False),
        ("ff02::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False),
        ("2001:0:0:0:0:0:f5ff:fffe", False),
        # what some releases of Python take for public
        ("192.0.0.192", False), ("192.0.0.170", False), ("198.18.0.1", False), ("203.0.113.9", False),
        ("::ffff:0:10.0.0.1", False), ("64:ff9b:1::a00:1", False), ("100::1", False), ("5f00::1", False),
        ("3fff::1", False), ("2001:db8::1", False), ("fec0::1", False), ("4000::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


def test_the_connection_goes_to_the_very_address_that_was_checked(monkeypatch):
    asked, connected = [], []

    def resolve(name, port):
        asked.append(name)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]  # the name changes its mind

    def connect(self, address, *_, **__):
        connected.append(address)
        raise httpcore.ConnectError("nobody there")

    monkeypatch.setattr(download, "resolve", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(BadOutput, match="no public IP address"):
        fetch("https://images.test/x.png", deadline=Deadline(5))  # the second try is checked again, and refused
    assert connected == ["93.184.216.34"]
    assert asked == ["images.test"] * 2


def test_a_name_that_mixes_public_and_private_addresses_is_refused(monkeypatch):
    monkeypatch.setattr(download, "resolve", lambda *_: ["93.184.216.34", "192.168.0.1"])
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(BadOutput, match="no public IP address"):
        fetch("https://images.test/x.png", deadline=Deadline(5))


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "https://10.0.0.7/x.png", "file:///etc/passwd", "//[::1]/"])
def test_a_redirect_leads_only_where_we_would_have_gone_ourselves(host, target):
    redirecting = host(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())
    with pytest.raises(BadOutput):
        fetch(redirecting.url, deadline=Deadline(5), trusted={redirecting.url})


def test_a_key_goes_to_the_first_host_only(host):
    second = host(answer(encoded("PNG")))
    first = host(f"HTTP/1.1 307 Go\r\nLocation: {second.url}/x.png\r\nContent-Length: 0\r\n\r\n".encode())
    image = fetch(
        first.url, deadline=Deadline(5), trusted={first.url, second.url}, headers={"Authorization": "Bearer secret"}
    )
    assert image.width == 64
    assert "secret" in first.asked[0]
    assert "secret" not in second.asked[0]
    assert "User-Agent: image-arena" in second.asked[0]


# What the bytes are ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF"])
def test_each_format_is_known_by_its_bytes_and_noticed_when_cut(kind):
    data = encoded(kind)
    image = measured(data)
    assert (image.content_type, image.width, image.height) == (f"image/{kind.lower()}", 64, 48)
    for end in (len(data) // 2, len(data) - 20, 20):
        with pytest.raises(BadOutput):
            measured(data[:end])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animations_are_refused(kind):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    buffer = BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(BadOutput, match="animated"):
        measured(buffer.getvalue())


def _png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
def test_a_small_file_with_too_many_pixels_is_refused_unopened(side):
    with pytest.raises(BadOutput, match="pixel"):
        measured(_png_that_claims(side, side))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<html></html>", b"GIF89a;", bytes(100), b"RIFF    WEBP"])
def test_garbage_is_refused(data):
    with pytest.raises(BadOutput):
        measured(data)


def test_too_many_bytes_are_refused():
    with pytest.raises(BadOutput, match="64 MB"):
        measured(encoded("PNG") + bytes(MAX_BYTES))


def test_a_data_uri_is_an_address_too():
    data = encoded("WEBP")
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"  # its type is not believed either
    assert fetch(uri, deadline=Deadline(5)).content_type == "image/webp"
    escaped = "data:image/gif," + "".join(f"%{byte:02x}" for byte in encoded("GIF"))
    assert fetch(escaped, deadline=Deadline(5)).content_type == "image/gif"


@pytest.mark.parametrize("uri", ["data:", "data:image/png;base64,???", "data:image/png;base64,", "data:,hello"])
def test_a_broken_data_uri_is_bad_output(uri):
    with pytest.raises(BadOutput):
        fetch(uri, deadline=Deadline(5))
