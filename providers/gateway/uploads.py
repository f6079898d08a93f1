"""Source images as clients send them: form parts, data URIs, URLs. Their type is taken from their bytes.

Both official clients send one image as `image` and several as `image[]`; others number them. File names and content
types are ignored: the JavaScript client says application/octet-stream for every file whose type it does not know.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict

from providers.errors import BadOutput, TimedOut
from providers.gateway import signed_files
from providers.gateway.errors import ApiError, invalid
from providers.request import SourceImage
from providers.transfer.deadline import Deadline
from providers.transfer.download import fetch
from providers.transfer.image_reader import source_of
from providers.transfer.image_type import kind_of

from .wire import read_json

MAX_SOURCES = 16
MAX_BYTES = 25 * 1024 * 1024  # of one source image
FETCH_SECONDS = 20.0  # for all URLs of one request together
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_IMAGE_PART = re.compile(r"image(?:s)?(?:\[\d*\])?")


Sources = tuple[dict[str, Any], tuple[SourceImage, ...], SourceImage | None]


def read(request: HttpRequest, *, largest: int, is_api: bool = True) -> Sources:
    """(fields, source images, mask) of a form or of JSON of at most `largest` bytes. Raises ApiError.

    `is_api`: nobody has read the form before, so that image parts without a file name can be read too.
    """
    kind = request.content_type or ""
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return _of_form(request, largest, has_bytes=is_api and kind == "multipart/form-data")
    if kind not in ("application/json", "", "text/plain") and not kind.endswith("+json"):
        message = (
            f"Content-Type {ascii(kind)[1:-1][:100]} is not supported. Send application/json or multipart/form-data."
        )
        raise ApiError(415, "unsupported_media_type", message)
    body = request.read(largest + 1)
    if len(body) > largest:
        raise too_large(largest)
    fields = read_json(body)
    images, mask = of_json(fields)
    return fields, images, mask


def too_large(largest: int) -> ApiError:
    return ApiError(413, "request_too_large", f"The request is larger than {largest >> 20} MB. Send smaller images.")


# Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_form(request: HttpRequest, largest: int, *, has_bytes: bool) -> Sources:
    """`has_bytes`: its texts may be the bytes of images."""
    if has_bytes:
        request.encoding = "latin-1"  # keeps every byte: Django reads a part without a file name as text
    try:
        texts, files = request.POST, request.FILES
    except RequestDataTooBig as error:
        raise too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) from error
    except (BadRequest, MultiPartParserError, SuspiciousOperation, ValueError) as error:
        raise invalid(None, f"The form cannot be read: {error}", "invalid_form") from error
    parts = list(_parts(files))
    # Counted before they are read: until then they are files on disk, not memory.
    _check_count(sum(1 for name, _ in parts if _IMAGE_PART.fullmatch(name)))
    if sum(file.size or 0 for _, file in parts) > largest:
        raise too_large(largest)
    images, mask = [], None
    for name, file in parts:
        if _IMAGE_PART.fullmatch(name):
            images.append(_of_part(name, file))
        elif name in ("mask", "mask[]"):
            mask = _of_part("mask", file)
        else:
            raise invalid(name, f"{name}: a file is not expected here; send images as 'image' or 'image[]'.")
    fields = _fields(texts)
    if has_bytes:
        fields = _decoded(fields)
    named = {name: fields.pop(name) for name in ("image", "images", "mask") if name in fields}
    if any(named.values()):  # a browser's form sends an empty one when no file was chosen
        more, more_mask = of_json({name: value for name, value in named.items() if value})
        images, mask = [*images, *more], mask or more_mask
    _check_count(len(images))
    return fields, tuple(images), mask


def _decoded(value: Any, name: str = "") -> Any:
    """The UTF-8 texts that were read as Latin-1; the bytes of an image stay a text of its bytes."""
    match value:
        case dict():
            return {_utf8(key): _decoded(part, _utf8(key)) for key, part in value.items()}
        case list():
            return [_decoded(part, name) for part in value]
        case str() if name in ("image", "images", "mask") and kind_of(value[:64].encode("latin-1")):
            return value.encode("latin-1")
        case _:
            return _utf8(value)


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _parts(files: MultiValueDict[str, UploadedFile[Any]]) -> Iterator[tuple[str, UploadedFile[Any]]]:
    for name in files:
        for file in files.getlist(name):
            yield name, file


def _of_part(name: str, file: UploadedFile[Any]) -> SourceImage:
    _check_bytes(name, file.size or 0)
    return _of_bytes(name, file.read())


def _check_bytes(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise invalid(name, f"{name}: the file is larger than {MAX_BYTES >> 20} MB.", "image_too_large")


def _fields(texts: MultiValueDict[str, str]) -> dict[str, Any]:
    """Form texts as clients write them: name, name[] for an item of a list, name[key] for an entry of an object."""
    fields: dict[str, Any] = {}
    for name in texts:
        values = texts.getlist(name)
        base, bracket, key = name.partition("[")
        key = key.removesuffix("]")
        if not bracket or not base:
            fields[name] = values[-1]
        elif not key:
            fields[base] = values
        elif isinstance(table := fields.setdefault(base, {}), dict):
            table[key] = values[-1]
    return fields


# JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_json(fields: Mapping[str, Any]) -> tuple[tuple[SourceImage, ...], SourceImage | None]:
    """(source images, mask) of JSON: `images` as OpenAI's reference has it ([{"image_url": …}]), and simpler: `image`,
    plain texts, one or many. Those behind URLs are together no larger than a request may be."""
    deadline, largest = Deadline(FETCH_SECONDS), settings.GATEWAY_LARGEST_REQUEST
    images: list[SourceImage] = []
    for name in ("image", "images"):
        given = fields.get(name)
        for item in given if isinstance(given, list) else [given] if given is not None else []:
            _check_count(len(images) + 1)
            images.append(_of_value(name, item, deadline))
            if sum(len(image.data) for image in images) > largest:
                raise too_large(largest)
    mask = None if fields.get("mask") is None else _of_value("mask", fields["mask"], deadline)
    return tuple(images), mask


def _of_value(name: str, value: Any, deadline: Deadline) -> SourceImage:
    if isinstance(value, bytes):
        return _of_bytes(name, value)
    if isinstance(value, Mapping):
        if "file_id" in value:
            raise invalid(name, f"{name}: files cannot be stored here; send the image itself, or its URL.")
        value = value.get("image_url")
    if isinstance(value, Mapping):
        value = value.get("url")
    if not isinstance(value, str) or not value:
        text = f'{name}: write {{"image_url": "data:image/png;base64,…"}}, or an https URL there.'
        raise invalid(name, text)
    if (content := _own_file(value)) is not None:
        return _of_bytes(name, content)
    if (content := _base64(value)) is not None:
        return _of_bytes(name, content)
    try:
        download = fetch(value, deadline=deadline)
    except (BadOutput, TimedOut) as error:
        raise _unreadable(name, str(error)) from error
    _check_bytes(name, len(download.data))
    return _of_bytes(name, download.data)


def _of_bytes(name: str, data: bytes) -> SourceImage:
    try:
        return source_of(data)
    except BadOutput as error:
        raise _unreadable(name, str(error)) from error


def _unreadable(name: str, reason: str) -> ApiError:
    reason = reason.replace("The delivered image is unusable", "the image cannot be used")
    return invalid(name.partition("[")[0], f"{name}: {reason}", "invalid_image")


def _own_file(url: str) -> bytes | None:
    """The image behind one of our own signed URLs, which need not be downloaded; None for any other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    name = parts.path.removeprefix("/openai/files/")
    query = dict(parse_qsl(parts.query))
    if name == parts.path or not signed_files.is_signed(name, query.get("expires", ""), query.get("signature", "")):
        return None
    content = signed_files.read(name)
    return None if content is None else content[0]


def _base64(text: str) -> bytes | None:
    """The bytes of plain base64, as some programs send it without a data URI; None where it is none."""
    if len(text) < 64 or not _BASE64.fullmatch(text):
        return None
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None
    return data if kind_of(data) else None


def _check_count(count: int) -> None:
    if count > MAX_SOURCES:
        raise invalid("image", f"image: {count} images; send at most {MAX_SOURCES}.")
