"""Images through a real nginx with the configuration of docs/nginx: the same bytes and headers, and no others."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as site_settings

from config.demo import ports
from tests import factories as make
from tests.config.granian_site import Site
from tests.config.processes import eventually
from tests.config.test_object_storage import BUCKET, Server, server

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
DOCS = Path(__file__).parents[2] / "docs" / "nginx"
__all__ = ["server"]  # the fixture


@contextmanager
def nginx(home: Path, location: str, site: Site) -> Iterator[str]:
    if NGINX is None:
        pytest.skip("no nginx on this machine: apt-get install nginx-light")
    home.mkdir()
    port, file = ports.any_free(), home / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file.write_text(
        f"daemon off; pid {home}/pid; error_log {home}/error.log; user root;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port};\n"
        f"location / {{ proxy_pass http://127.0.0.1:{site.port}; proxy_set_header Host $host; }}\n{location}\n}} }}\n"
    )
    process = subprocess.Popen([NGINX, "-p", str(home), "-c", str(file)], stderr=subprocess.DEVNULL)

    def answers() -> bool:
        assert process.poll() is None, (home / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(answers, 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def check(home: Path, location: str, *, delete, **environment: str) -> None:
    """The same answers from the site alone and through the proxy, for a battle's image and for a public one."""
    entry = make.make_entry()
    battle = make.make_battle(left=entry, right=make.make_entry(entry.prompt))
    plain = Site(home, SECRET_KEY=site_settings.SECRET_KEY, **environment)
    accelerated = Site(home, SECRET_KEY=site_settings.SECRET_KEY, STORAGE_ACCEL="/stored/", **environment)
    try:
        with nginx(home / "nginx", location, accelerated) as url:
            sides = [f"/i/{token}.webp" for token in (battle.left_token, battle.right_token)]
            public = f"/images/{entry.thumbnail.name}"
            for path in [*sides, public]:
                expected = get(f"{plain.url}{path}")
                assert expected.status_code == 200
                for headers in ({}, {"Range": "bytes=0-9"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
                    reply = get(f"{url}{path}", headers=headers)
                    assert (reply.status_code, reply.content) == (200, expected.content)
                    assert comparable(reply) == comparable(expected)
            left, right = (get(f"{url}{path}").headers for path in sides)
            assert [name for name in left if name != "content-length"] == [
                name for name in right if name != "content-length"
            ]
            tag = get(f"{url}{public}").headers["etag"]
            assert get(f"{url}{public}", headers={"If-None-Match": tag}).status_code == 304
            assert get(f"{url}/stored/{entry.image.name}").status_code == 404  # nobody may ask for it directly
            delete(entry.image.name)
            assert get(f"{url}{sides[0]}").status_code == 404
    finally:
        plain.stop()
        accelerated.stop()


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, timeout=60, **options)


def comparable(reply: httpx.Response) -> dict[str, list[str]]:
    """The headers; directives of a policy stand in another order in each process."""
    return {name: sorted(value.split("; ")) for name, value in reply.headers.multi_items() if name not in CONNECTION}


CONNECTION = {"server", "date", "connection", "keep-alive", "content-length", "transfer-encoding"}


def test_images_in_a_folder(tmp_path, settings):
    media = str(settings.MEDIA_ROOT)
    location = (DOCS / "images-in-a-folder.conf").read_text().replace("/var/lib/arena/media/", f"{media}/")
    check(tmp_path, location, delete=lambda name: Path(media, name).unlink(), MEDIA_ROOT=media)


def test_images_in_object_storage(server: Server, tmp_path):
    host = f"127.0.0.1:{server.port}"
    location = (DOCS / "images-in-object-storage.conf").read_text().replace("https://s3.example.org", f"http://{host}")
    location = location.replace("s3.example.org", host)
    check(tmp_path, location, delete=lambda name: (server.home / BUCKET / name).unlink(), STORAGE_URL=server.url)
