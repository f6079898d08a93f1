"""Images from outside are hostile and talkative; images of battles are neither."""

from __future__ import annotations

import io
import math
import os
import struct
import threading
import warnings
import zlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from arena import images
from tests.factories import picture


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("shape", "size"),
    [("1:1", (1024, 1024)), ("4:3", (1024, 768)), ("3:4", (768, 1024)), ("16:9", (1024, 576)), ("2:3", (683, 1024))],
)
@pytest.mark.parametrize("native", [(1024, 1024), (1183, 887), (1152, 896), (640, 960)])
def test_every_image_of_a_shape_has_the_same_size_whatever_came(shape, size, native):
    made = images.normalise(picture("a", *native), shape)
    assert (made.width, made.height) == size == opened(made.image).size
    assert opened(made.small).size == images.small_size(*size)
    assert math.prod(images.small_size(*size)) == pytest.approx(images.SMALL_PIXELS, rel=0.01)
    assert images.small_size(1024, 256) == (1024, 256)
    assert max(opened(made.thumbnail).size) == 512


def test_a_nearly_right_shape_is_cropped_and_a_wrong_one_padded():
    nearly = opened(images.normalise(picture("a", 1183, 887), "4:3").image).convert("RGB")
    wrong = opened(images.normalise(picture("a", 1024, 1024), "16:9").image).convert("RGB")
    grey = [abs(channel - 128) < 6 for channel in wrong.getpixel((2, 288))]
    assert all(grey)
    assert not all(abs(channel - 128) < 6 for channel in nearly.getpixel((2, 384)))


def test_no_more_images_are_worked_on_at_once_than_there_are_processors(monkeypatch):
    """Or a worker's many threads, each with its own priority, keep the site's pages from the processors."""
    save, held, written_while_held = Image.Image.save, threading.Event(), []

    def noting(image, *args, **options):
        written_while_held.append(held.is_set())
        save(image, *args, **options)

    data, processors = picture("a", 64, 64), os.cpu_count() or 1
    monkeypatch.setattr(Image.Image, "save", noting)
    held.set()
    for _ in range(processors):
        assert images._processors.acquire(blocking=False)
    thread = threading.Thread(target=images.normalise, args=(data, "1:1"))
    thread.start()
    thread.join(0.3)  # long enough to write a file, if nothing held it up
    held.clear()
    images._processors.release(processors)
    thread.join()
    assert written_while_held == [False, False, False]


def test_nothing_but_pixels_survives():
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Some Model 9")
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Some Model 9</x:xmpmeta>")
    exif = Image.Exif()
    exif[0x0131] = "Some Model 9"
    out = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    opened(picture("a")).save(out, "PNG", pnginfo=info, exif=exif, icc_profile=profile)
    made = images.normalise(out.getvalue(), "1:1")
    for data in (made.image, made.small, made.thumbnail):
        assert b"Some Model" not in data
        assert not set(opened(data).info) & {"exif", "xmp", "icc_profile", "Software"}
        assert [data[12:16]] == [b"VP8 "]  # the plain lossy container: it has no room for metadata


def test_the_same_pixels_give_the_same_bytes_whatever_the_container():
    png, bmp_like = picture("a"), io.BytesIO()
    opened(png).save(bmp_like, "WEBP", lossless=True)
    assert images.normalise(png, "1:1") == images.normalise(bmp_like.getvalue(), "1:1")


def test_orientation_transparency_profile_and_depth_are_resolved_to_what_one_sees():
    upright = Image.new("RGB", (100, 200), "white")
    upright.paste("red", (0, 0, 100, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, clear, deep = io.BytesIO(), io.BytesIO(), io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, "JPEG", exif=exif, quality=95)
    Image.new("RGBA", (100, 100), (255, 0, 0, 0)).save(clear, "PNG")
    Image.new("I;16", (100, 100), 32_768).save(deep, "PNG")
    assert images.decode(turned.getvalue()).size == (100, 200)
    assert images.decode(turned.getvalue()).getpixel((50, 50))[0] > 200
    assert images.decode(clear.getvalue()).getpixel((50, 50)) == (255, 255, 255)
    assert images.decode(deep.getvalue()).getpixel((50, 50)) == (128, 128, 128)


def test_a_profile_of_the_wrong_kind_does_not_cost_the_image():
    out = io.BytesIO()
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.new("RGB", (100, 100), (120, 30, 30)).save(out, "PNG", icc_profile=lab_like)
    assert images.decode(out.getvalue()).mode == "RGB"
    assert images.decode(out.getvalue()).getpixel((5, 5)) == (120, 30, 30)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_colour_profile_is_applied_not_dropped(mode):
    """A profile whose red is green: red numbers mean green light, and that is what must be seen."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    out = io.BytesIO()
    Image.new("RGB", (100, 100), (255, 0, 0)).convert(mode).save(out, "PNG", icc_profile=swapped)
    red, green, _ = images.decode(out.getvalue()).getpixel((5, 5))
    assert green > 200
    assert red < 60


_MODES = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["1", "L", "RGB", "CMYK", "YCbCr"],
    "WEBP": ["L", "LA", "P", "RGB", "RGBA"],
    "AVIF": ["L", "LA", "P", "RGB", "RGBA"],
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in _MODES.items() for mode in modes])
def test_every_mode_of_every_format_becomes_the_same_kind_of_image(kind, mode):
    level = 255 if mode == "1" else 204  # 204 is a colour of the palette that convert("P") makes
    image = Image.new("RGB", (96, 96), (level, level, level))
    image = Image.new("I;16", (96, 96), level * 257) if mode == "I;16" else image.convert(mode)
    out = io.BytesIO()
    image.save(out, kind)
    decoded = images.decode(out.getvalue())
    assert (decoded.mode, decoded.info) == ("RGB", {})
    assert all(abs(channel - level) <= 3 for channel in decoded.getpixel((48, 48)))


def test_half_transparent_colours_are_converted_before_they_meet_the_white():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    out = io.BytesIO()
    Image.new("RGBA", (100, 100), (255, 0, 0, 128)).save(out, "PNG", icc_profile=swapped)
    red, green, blue = images.decode(out.getvalue()).getpixel((5, 5))
    assert green > 200
    assert red < 160
    assert blue < 160


def test_a_jpeg_with_a_preview_behind_it_is_a_still_image():
    out = io.BytesIO()
    Image.new("RGB", (200, 100), "red").save(
        out, "MPO", save_all=True, append_images=[Image.new("RGB", (100, 50), "blue")]
    )
    assert images.decode(out.getvalue()).size == (200, 100)
    assert images.decode(out.getvalue()).getpixel((50, 50))[0] > 200


def test_an_image_in_hdr_is_refused_rather_than_shown_washed_out():
    data = picture("a")
    at = data.index(b"IDAT") - 4
    body = b"cICP" + bytes([9, 16, 0, 1])
    hdr = data[:at] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[at:]
    with pytest.raises(images.BadImage, match="HDR"):
        images.decode(hdr)


@settings(max_examples=40, deadline=None)
@given(junk=st.binary(max_size=80), turned=st.integers(0, 9))
def test_damaged_exif_never_costs_the_image(junk, turned):
    header = struct.pack(">2sHIHHHIHH", b"MM", 42, 8, 1, 0x0112, 3, 1, turned, 0)
    out = io.BytesIO()
    opened(picture("a")).save(out, "JPEG", exif=b"Exif\0\0" + header + junk)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert images.decode(out.getvalue()).size == (256, 256)


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def _animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A good PNG with further chunks behind its header."""
    data = picture("a")
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return data[:33] + more + data[33:]


@cache
def _inflating() -> bytes:
    """200 MB in 200 kB, which takes a second to make."""
    return b"a\0\0" + zlib.compress(bytes(200_000_000), 9)


def _animated_png() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _flipped() -> bytes:
    data = bytearray(picture("a"))
    data[len(data) // 2] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty", b"", "empty"),
        ("html", b"<!doctype html><h1>Sorry</h1>", "HTML"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("heavy", b"\x89PNG\r\n\x1a\n" + b"\0" * (65 * 1024 * 1024), "MB"),
        ("bomb", _png_header(12_000, 12_000), "pixels"),
        ("ribbon", _png_header(40_000, 64), "pixels"),
        ("speck", picture("a", 10, 10), "only 10×10"),
        ("lying header", _png_header(500, 500), "cut off|damaged"),
        ("cut", picture("a")[:-40], "cut off"),
        ("cut jpeg", picture("a", kind="JPEG")[:-200], "cut off"),
        ("cut webp", picture("a", kind="WEBP")[:-40], "cut off"),
        ("cut avif", picture("a", kind="AVIF")[:-40], "cut off"),
        ("flipped bit", _flipped(), "damaged"),
        ("animated", _animated(), "animated"),
        ("animated png", _animated_png(), "animated"),
        ("tiff", picture("a", kind="TIFF"), "TIFF"),
        ("one pixel", picture("a", 1, 1), "only 1×1"),
        ("text that inflates", lambda: _png_with((b"zTXt", _inflating())), "damaged"),
        ("profile that inflates", lambda: _png_with((b"iCCP", _inflating())), "damaged"),
        ("header twice", _png_with((b"IHDR", _png_header(4000, 4000)[16:29])), "."),
    ],
)
def test_hostile_bytes_are_refused_with_the_reason(name, data, reason):
    data = data() if callable(data) else data
    with pytest.raises(images.BadImage, match=reason):
        images.normalise(data, "1:1")


def test_a_page_behind_an_image_does_not_come_along():
    """It is an image to one and a page to another; ours is made from the pixels alone."""
    made = images.normalise(picture("a") + b"<html><script>alert(1)</script></html>", "1:1")
    for data in (made.image, made.small, made.thumbnail):
        assert b"script" not in data


def test_a_source_image_is_reencoded():
    cleaned = images.clean_source(picture("a", 3000, 1500))
    assert opened(cleaned).format == "JPEG"
    assert opened(cleaned).size == (2048, 1024)
