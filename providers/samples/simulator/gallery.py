"""Draws pictures and keeps them: two at a time, each only once, on disk so that memory stays small."""

from __future__ import annotations

import hashlib
import os
import queue
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

PAINTERS = 2  # drawing is pure computation; more at once only makes each slower
MAX_STORED = 200 * 2**20  # bytes of pictures, uploads too; the oldest go first
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


@dataclass(frozen=True, slots=True)
class Commission:
    """Everything a picture follows from."""

    model: str
    prompt: str
    width: int
    height: int
    seed: int
    format: str = "png"
    source: bytes = b""
    black: bool = False

    @property
    def name(self) -> str:
        """A file name that says nothing about what is on it: the arena is blind."""
        parts = (self.model, self.prompt, self.width, self.height, self.seed, self.black)
        digest = hashlib.sha256(repr(parts).encode())
        digest.update(self.source)
        return f"{digest.hexdigest()[:32]}.{'jpg' if self.format == 'jpeg' else self.format}"


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    content_type: str
    size: int
    at: int  # where in the gallery's file
    gallery: Gallery = field(repr=False, compare=False)

    def read(self) -> bytes:
        return self.gallery.read(self)


class Gallery:
    """Pictures by name. Their bytes are in one file without a name, so nothing is left behind however we end.

    `drawn_side`: pixels. Of a picture with a longer side a smaller one is drawn and enlarged, which is quick: for those
    who want images of the right size and do not look at them.
    """

    def __init__(self, drawn_side: int | None = None) -> None:
        self._drawn_side = drawn_side
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 – open as long as the gallery
        self._end = 0
        self._pictures: OrderedDict[str, Future[Picture]] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[Commission, Future[Picture]] | None] = queue.SimpleQueue()
        for number in range(PAINTERS):
            # Daemons: a program that is stopping does not wait for a picture nobody will see.
            threading.Thread(target=self._paint, name=f"painter-{number}", daemon=True).start()

    def order(self, commission: Commission) -> Future[Picture]:
        """The picture, now or soon; the same commission is drawn once."""
        with self._lock:
            if (known := self._pictures.get(commission.name)) is not None:
                return known
            future: Future[Picture] = Future()
            self._pictures[commission.name] = future
        self._waiting.put((commission, future))
        return future

    def keep(self, name: str, data: bytes, content_type: str) -> None:
        """Keeps uploaded bytes."""
        future: Future[Picture] = Future()
        future.set_result(self._store(name, data, content_type))
        with self._lock:
            self._pictures[name] = future

    def find(self, name: str) -> Picture | None:
        with self._lock:
            return self._known(name)

    def read(self, picture: Picture) -> bytes:
        """The picture's bytes; LookupError when newer ones have taken their place."""
        with self._lock:
            if self._known(picture.name) != picture:
                raise LookupError(f"{picture.name} is no longer kept.")
            return os.pread(self._file.fileno(), picture.size, picture.at)

    def close(self) -> None:
        for _ in range(PAINTERS):
            self._waiting.put(None)
        with self._lock:
            self._file.close()

    def _known(self, name: str) -> Picture | None:
        future = self._pictures.get(name)
        return future.result() if future is not None and future.done() and not future.exception() else None

    def _paint(self) -> None:
        while (task := self._waiting.get()) is not None:
            commission, future = task
            try:
                data = _draw(commission, self._drawn_side)
                future.set_result(self._store(commission.name, data, TYPES[commission.format]))
            except Exception as error:  # those who wait for it see what went wrong
                with self._lock:
                    self._pictures.pop(commission.name, None)
                future.set_exception(error)

    def _store(self, name: str, data: bytes, content_type: str) -> Picture:
        """Writes to the end of the file, or over its beginning when it is full: what was there is forgotten."""
        with self._lock:
            at = self._end if self._end + len(data) <= MAX_STORED else 0
            self._end = at + len(data)
            for old in [picture for known in self._pictures if (picture := self._known(known))]:
                if old.at < self._end and at < old.at + old.size:
                    del self._pictures[old.name]
            os.pwrite(self._file.fileno(), data, at)
        return Picture(name, content_type, len(data), at, self)


def _reduced(size: tuple[int, int], shortest: int, longest: int) -> tuple[int, int]:
    """About the same shape with sides of at most `longest` pixels, but none below `shortest`."""
    factor = min(1.0, longest / max(size))
    width, height = (max(shortest, round(side * factor)) for side in size)
    return width, height


def _draw(commission: Commission, drawn_side: int | None = None) -> bytes:
    """The picture's bytes, without any metadata."""
    size = (commission.width, commission.height)
    if commission.black:
        image = Image.new("RGB", size)
    else:
        from providers.samples import renderer  # loaded with the first picture, so that the server is up at once

        source = Image.open(BytesIO(commission.source)).convert("RGB") if commission.source else None
        drawn = _reduced(size, renderer.SMALLEST, drawn_side) if drawn_side else size
        image = renderer.render(commission.model, commission.prompt, *drawn, seed=commission.seed, source=source)
        if drawn != size:
            image = image.resize(size, Image.Resampling.NEAREST)
    buffer = BytesIO()
    options: Mapping[str, dict[str, int]] = {
        "png": {"compress_level": 1}, "jpeg": {"quality": 92}, "jpg": {"quality": 92},
        "webp": {"quality": 90, "method": 2},
    }  # fmt: skip
    kind = "jpeg" if commission.format == "jpg" else commission.format
    image.convert("RGB").save(buffer, kind.upper(), **options.get(commission.format, {}))
    return buffer.getvalue()
