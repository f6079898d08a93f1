"""ZIP archives from outside: read into memory within limits, by plain names."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

from arena.imports.tabular import BadFile

MAX_FILES = 30_000
MAX_FILE = 64 * 1024 * 1024  # bytes of one file, unpacked
MAX_TOTAL = 2 * 1024**3  # … of all of them
MAX_RATIO = 200  # unpacked to packed: images hardly shrink, bombs do
RATIO_FROM = 1024 * 1024  # bytes, unpacked: a small text may shrink as it likes


class BadArchive(BadFile):
    """Not a ZIP archive, or one that is not taken; the message says why."""


def read(data: bytes) -> dict[str, bytes]:
    """Name → content of every file of the archive; folders and what macOS adds are left out. Raises BadArchive.

    Nothing is written to disk. A name that is absolute, leads outside or is not plain is refused, and so is an archive
    that unpacks to more than the limits: sizes are those that come out, whatever the archive's directory says.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not _is_skipped(info)]
            if len(members) > MAX_FILES:
                raise BadArchive(f"The archive holds {len(members):,} files; {MAX_FILES:,} is the limit.")
            contents: dict[str, bytes] = {}
            total = 0
            for info in members:
                name = _plain(info.filename)
                if name in contents:
                    raise BadArchive(f"The archive holds “{name}” twice.")
                contents[name] = _unpacked(archive, info, MAX_TOTAL - total)
                total += len(contents[name])
            return contents
    except BadArchive:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        raise BadArchive(f"This is no ZIP archive that can be read: {error}.") from error
    except NotImplementedError as error:
        raise BadArchive(f"The archive is packed in a way that is not read here: {error}.") from error


def _is_skipped(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return info.is_dir() or "__MACOSX" in path.parts or path.name in (".DS_Store", "Thumbs.db")


def _plain(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable():
        raise BadArchive(f"The archive holds a file with the name {name!r}, which leads elsewhere.")
    return str(path)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    limit = min(MAX_FILE, left)
    with archive.open(info) as file:
        content = file.read(limit + 1)
    if len(content) > MAX_FILE:
        raise BadArchive(f"“{info.filename}” unpacks to more than {MAX_FILE >> 20} MB.")
    if len(content) > left:
        raise BadArchive(f"The archive unpacks to more than {MAX_TOTAL >> 30} GB.")
    if len(content) > RATIO_FROM and len(content) > MAX_RATIO * max(info.compress_size, 1):
        raise BadArchive(
            f"“{info.filename}” unpacks to {len(content) / max(info.compress_size, 1):,.0f} times its size."
        )
    return content
