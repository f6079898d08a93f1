"""What files say besides their pixels: shown with originals, and absent from battles."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from arena import images
from providers.transfer import colour, metadata
from tests.factories import picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def talkative(kind: str) -> bytes:
    """An image that says as much about its maker as its format allows."""
    exif = Image.Exif()
    exif[0x0131] = "Some Model 9"
    options: dict[str, Any] = {"exif": exif, "icc_profile": PROFILE, "xmp": b"<x:xmpmeta>Some Model 9</x:xmpmeta>"}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", "Steps: 20, Model: some-model-9")
        info.add_text("comment", "packed " * 50, zip=True)
        info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Some Model 9</x:xmpmeta>")
        info.add(b"caBX", b"jumb and a signature", after_idat=False)
        options = {"exif": exif, "icc_profile": PROFILE, "pnginfo": info}
    out = io.BytesIO()
    Image.open(io.BytesIO(picture("a"))).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_everything_a_file_says_is_listed_by_name(kind):
    names = {remark.name for remark in metadata.remarks(talkative(kind))}
    assert {"EXIF", "XMP", "ICC colour profile"} <= names
    if kind == "PNG":
        assert {"PNG text “parameters”", "PNG text “comment”", "C2PA: signed provenance"} <= names


def test_texts_are_shown_and_shortened():
    remarks = {remark.name: remark.text for remark in metadata.remarks(talkative("PNG"))}
    assert remarks["PNG text “parameters”"] == "Steps: 20, Model: some-model-9"
    assert remarks["EXIF Software"] == "Some Model 9"
    assert remarks["PNG text “comment”"].startswith("packed packed")
    bomb = PngImagePlugin.PngInfo()
    bomb.add_text("bomb", "x" * 900_000, zip=True)
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG", pnginfo=bomb)
    assert [len(remark.text) for remark in metadata.remarks(out.getvalue())] == [400]


def test_bytes_behind_the_end_are_a_remark():
    for kind in ("PNG", "JPEG", "WEBP"):
        assert metadata.remarks(picture("a", kind=kind) + b"PK model 9")[-1].name == "Bytes after the end of the image"


def test_battle_images_say_nothing():
    for kind in ("PNG", "JPEG", "WEBP", "AVIF"):
        made = images.normalise(talkative(kind), "1:1")
        for data in (made.image, made.small, made.thumbnail):
            assert [block.name for block in metadata.blocks(data)] == ["VP8"]


def test_hdr_is_known_by_its_numbers():
    body = b"cICP" + bytes([9, colour.PQ, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    assert metadata.transfer(picture("a")[:33] + chunk + picture("a")[33:]) == colour.PQ
    assert metadata.transfer(picture("a")) is None
    assert metadata.transfer(picture("a", kind="AVIF")) not in (colour.PQ, colour.HLG)


@given(
    kind=st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF\xff\0\0\0WEBP", b"\0\0\0\x20ftypavif", b""]
    ),
    rest=st.binary(max_size=300),
)
def test_no_bytes_whatever_make_it_raise_or_run_on(kind, rest):
    assert len(metadata.remarks(kind + rest)) <= 400
    metadata.transfer(kind + rest)


@given(cut=st.integers(0, 4000))
def test_cut_files_are_read_as_far_as_they_go(cut):
    for kind in ("PNG", "WEBP"):
        metadata.remarks(talkative(kind)[:cut])
