"""The file store – a folder or object storage – as a part that may fail: full, gone, hanging, refusing our key.

Files are stored under random names, all of a set or none, within a time limit. Before money is spent on an image,
`trouble()` says whether it could be stored: it writes a probe, reads it back and deletes it. A failed save counts as a
failed probe, so the workers of a process stop at the first one.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import HttpResponse

from providers.cache import ProcessCache

Result = TypeVar("Result")

TIME_LIMIT = 20.0  # seconds for one set of files; a hanging network disk must not outlast a worker's lease
READ_TIME_LIMIT = 8.0  # seconds for one file; a page has 30, and shows without its images what it can
MAX_READS = 32  # at once in a process; its page threads are few, so more hang
PROBE_SECONDS = 5.0  # how long a probe's result counts
PROBE_TIME_LIMIT = 5.0
PROBE_BYTES = 64 * 1024
MIN_FREE = 8 * 1024 * 1024  # bytes left in a folder: a few images
PROBE_FOLDER = "probe"
TROUBLE = "trouble"

_known: ProcessCache[str, str] = ProcessCache(seconds=PROBE_SECONDS, max_entries=1)
_probing = threading.Lock()
_reads = threading.BoundedSemaphore(MAX_READS)


class StoreUnwritable(Exception):
    """The files could not be stored, and none was; the message says why."""


def save(files: Mapping[str, tuple[str, str, bytes]]) -> dict[str, str]:
    """Store a set of files, key → (folder, extension, content), under random names; returns key → name.

    Raises StoreUnwritable when one cannot be stored within TIME_LIMIT; the others are deleted again.
    """
    names = {key: f"{folder}/{secrets.token_hex(16)}.{extension}" for key, (folder, extension, _) in files.items()}
    try:
        _within(TIME_LIMIT, lambda: _write_all({names[key]: content for key, (_, _, content) in files.items()}))
    except Exception as error:  # object storages raise exceptions of their own
        _known.put(TROUBLE, _reason(error))
        delete(names.values())
        raise StoreUnwritable(_reason(error)) from error
    return names


def write(name: str, content: bytes) -> None:
    """Store one file under exactly this name, replacing a file of that name.

    Raises StoreUnwritable: at once when a probe or a save has just failed, or when it is not stored within TIME_LIMIT.
    """
    if reason := known_trouble():
        raise StoreUnwritable(reason)
    try:
        _within(TIME_LIMIT, lambda: _replace(name, content))
    except Exception as error:  # object storages raise exceptions of their own
        _known.put(TROUBLE, _reason(error))
        raise StoreUnwritable(_reason(error)) from error


def delete(names: Iterable[str]) -> None:
    """Delete the files, as far as the store allows now; what is left is an orphan and swept later."""
    for name in names:
        with contextlib.suppress(Exception):
            _within(PROBE_TIME_LIMIT, lambda name=name: default_storage.delete(name))  # type: ignore[misc]


def known_trouble() -> str:
    """What the last probe or save said within PROBE_SECONDS; "" where there was none."""
    return _known.get(TROUBLE) or ""


def read(name: str) -> bytes:
    """A whole file. A store that hangs, or sends a byte a second, holds its reader no longer than READ_TIME_LIMIT, and
    while MAX_READS hang nobody else. Raises FileNotFoundError, OSError; TimeoutError, which is one."""
    if not _reads.acquire(blocking=False):
        raise TimeoutError(f"{MAX_READS} files are being read from the file store, which does not answer")
    return _within(READ_TIME_LIMIT, lambda: _read(name))


def _read(name: str) -> bytes:
    try:
        with default_storage.open(name, "rb") as file:
            content: bytes = file.read()
            return content
    finally:
        _reads.release()


def response(name: str, content_type: str, headers: Mapping[str, str]) -> HttpResponse:
    """The file as a response: its bytes, or – with STORAGE_ACCEL – where nginx finds them, under the same headers.

    A redirect to the object storage itself would not do: its answers carry the age and a fingerprint of the file, which
    distinguish images that must look alike until the vote. Raises FileNotFoundError, OSError; nginx answers 404 itself.
    """
    if not settings.STORAGE_ACCEL:
        return HttpResponse(read(name), content_type=content_type, headers=headers)
    if _is_folder():
        location = quote(name)
    else:  # signed, for five minutes; the proxy's own location names the server
        signed = urlsplit(default_storage.url(name))
        location = f"{signed.path.lstrip('/')}?{signed.query}"
    accel = {"X-Accel-Redirect": f"{settings.STORAGE_ACCEL}{location}"}
    return HttpResponse(content_type=content_type, headers={**headers, **accel})


def trouble() -> str:
    """Why files cannot be stored now, in one sentence; "" when they can. Known for PROBE_SECONDS, then probed again."""
    known = _known.get(TROUBLE)
    if known is None:
        with _probing:  # of many threads one probes, and the others wait for what it says
            known = _known.get_or_compute(TROUBLE, _probe)
    return known


def _probe() -> str:
    try:
        return _within(PROBE_TIME_LIMIT, _try_out)
    except Exception as error:
        return _reason(error)


def _try_out() -> str:
    content = secrets.token_bytes(PROBE_BYTES)
    name = f"{PROBE_FOLDER}/{secrets.token_hex(16)}"
    try:
        _write(name, content)
        with default_storage.open(name) as file:
            if file.read() != content:
                return "what was written is not what is read"
    finally:
        default_storage.delete(name)
    if _is_folder():
        free = shutil.disk_usage(default_storage.path(".")).free
        if free < MIN_FREE:
            return f"only {free / 1e6:.1f} MB are free"
    return ""


def free_bytes() -> int | None:
    """What the disk of the folder has left; None for object storage, and where the disk does not answer."""
    if not _is_folder():
        return None
    try:
        return _within(PROBE_TIME_LIMIT, lambda: shutil.disk_usage(default_storage.path(".")).free)
    except OSError:
        return None


def _is_folder() -> bool:
    return isinstance(default_storage, FileSystemStorage) or hasattr(default_storage, "base_location")


def _write_all(contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        _write(name, content)


def _write(name: str, content: bytes) -> None:
    stored = default_storage.save(name, ContentFile(content))
    if stored != name:  # a random name that exists already: nobody may rely on it
        default_storage.delete(stored)
        raise FileExistsError(name)


def _replace(name: str, content: bytes) -> None:
    if default_storage.exists(name):  # half a file of an earlier try, or the file itself: the content is the same
        default_storage.delete(name)
    _write(name, content)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _within(seconds: float, function: Callable[[], Result]) -> Result:
    """Call in a thread of its own. Raises TimeoutError when it takes longer; the thread then ends when it can."""
    results: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=work, daemon=True, name="file store").start()
    try:
        value, error = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the file store did not answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
