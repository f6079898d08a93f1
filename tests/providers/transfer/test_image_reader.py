"""Odd but legal pictures, as phones, browsers and providers make them: taken, upright, in the right colours, silent."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFile, PngImagePlugin

from arena import images
from providers.errors import BadOutput, InvalidRequest
from providers.offering.normalisation import build
from providers.request import ImageRequest, SourceImage
from providers.transfer import colour, metadata
from providers.transfer.image_reader import decoded, is_clean, source_of
from providers.transfer.image_type import decode_base64, kind_of, measured

ORANGE, BLUE = (239, 178, 134), (30, 90, 200)


def scene(width: int = 400, height: int = 300) -> Image.Image:
    """Orange, with a blue quarter at the top left."""
    picture = Image.new("RGB", (width, height), ORANGE)
    ImageDraw.Draw(picture).rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=BLUE)
    return picture


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 95} if kind in ("JPEG", "WEBP", "AVIF", "MPO") else {}) | options)
    return out.getvalue()


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    return exif


def near(pixel: Any, expected: tuple[int, int, int], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(pixel[:3], expected, strict=True))


def shows_the_scene(picture: Image.Image) -> bool:
    across, down = picture.size
    return near(picture.getpixel((across // 8, down // 8)), BLUE) and near(
        picture.getpixel((across * 7 // 8, down * 7 // 8)), ORANGE
    )


BACK = {1: 0, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_is_upright_for_everybody_and_says_nothing_of_where_it_was_taken(kind, orientation):
    stored = scene().transpose(BACK[orientation]) if BACK[orientation] else scene()
    data = saved(stored, kind, exif=exif_of(orientation))
    image = measured(data)
    assert (image.width, image.height) == (400, 300)
    source = source_of(data)
    with Image.open(io.BytesIO(source.data)) as sent:
        assert sent.size == (400, 300)
        assert shows_the_scene(sent.convert("RGB"))
        assert not sent.getexif()
    assert b"Secret Camera" not in source.data
    assert is_clean(source.data)
    assert shows_the_scene(images.decode(data))


def test_the_size_of_a_png_is_known_without_its_pixels_unless_exif_may_stand_behind_them(monkeypatch):
    plain, photo = saved(scene(), "PNG"), saved(scene().transpose(BACK[6]), "PNG", exif=exif_of(6))
    start = photo.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(photo[start : start + 4], "big")
    pixels_first = photo[:start] + photo[end:-12] + photo[start:end] + photo[-12:]
    assert (measured(pixels_first).width, measured(pixels_first).height) == (400, 300)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("the pixels were decoded"))
    assert (measured(plain).width, measured(plain).height) == (400, 300)


def test_a_png_is_turned_as_the_xmp_in_its_text_says():
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", '<rdf:Description tiff:Orientation="6"/>')
    photo = measured(saved(scene().transpose(BACK[6]), "PNG", pnginfo=xmp))
    assert (photo.width, photo.height) == (400, 300)


def test_a_photo_with_a_second_picture_behind_it_is_a_still_picture():
    mpo = saved(scene(), "MPO", save_all=True, append_images=[scene(100, 76)])
    assert (measured(mpo).width, measured(mpo).content_type) == (400, "image/jpeg")
    source = source_of(mpo)
    assert b"MPF" not in source.data
    assert shows_the_scene(images.decode(mpo))


def test_what_follows_the_picture_is_dropped():
    motion = saved(scene()) + b"\0\0\0\x18ftypmp42" + bytes(5000) + b"film \xff\xd9"
    assert measured(motion).width == 400
    assert b"ftypmp42" not in source_of(motion).data
    assert shows_the_scene(images.decode(motion))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_cut_file_is_found_out_also_when_its_thumbnail_is_whole(kind):
    data = saved(scene(), kind, **({"exif": exif_of(1)} if kind == "JPEG" else {}))
    for share in (0.3, 0.9):
        with pytest.raises(BadOutput, match="cut off"):
            measured(data[: int(len(data) * share)])


def test_a_still_gif_is_taken_everywhere_and_a_moving_one_nowhere():
    still = saved(scene().convert("P"), "GIF")
    assert measured(still).content_type == "image/gif"
    assert source_of(still).content_type == "image/png"
    assert images.decode(still).size == (400, 300)
    assert images.extension(still) == "gif"
    moving = saved(scene(), "GIF", save_all=True, append_images=[Image.new("RGB", (400, 300), "red")])
    for reader in (measured, source_of, decoded):
        with pytest.raises(BadOutput, match="animated"):
            reader(moving)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (struct.pack(">I", 24) + b"ftypheic" + bytes(64), "HEIC"),
        (struct.pack(">I", 24) + b"ftypmif1\0\0\0\0heicmiaf" + bytes(64), "HEIC"),
        (b"II*\0" + bytes(64), "TIFF"),
        (b"BM" + bytes(64), "BMP"),
        (b"\n <svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"<!doctype html><p>secret words", "HTML"),
        (b"secret words of a stranger", "no PNG"),
        (saved(scene())[:30], "cut off"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40) + b"IEND\xaeB`\x82", "damaged"),
    ],
)
def test_what_is_no_picture_is_named_without_quoting_it(data, name):
    for reader in (measured, source_of):
        with pytest.raises(BadOutput, match=name) as caught:
            reader(data)
        for part in ("secret", "BytesIO", "0x", "\\x", "b'"):
            assert part not in str(caught.value)
    with pytest.raises(images.BadImage, match=name):
        images.decode(data)
    with pytest.raises(InvalidRequest, match=f"image: .*{name}"):
        build(
            ImageRequest("x", mode="edit", images=(SourceImage(data, "image/png"),)),
            endpoint="e", parameters={"images": {"field": "image"}},
        )  # fmt: skip


def test_an_avif_that_is_declared_by_a_compatible_brand_is_one():
    data = saved(scene(), "AVIF")
    size = int.from_bytes(data[:4], "big")
    renamed = data[:8] + b"mif1" + data[12:size] + data[size:]
    assert kind_of(renamed) == "AVIF"
    assert shows_the_scene(decoded(renamed))


def test_no_request_of_any_caller_takes_the_metadata_of_a_photo_along():
    photo = saved(scene(), exif=exif_of(6))
    request = ImageRequest("x", mode="edit", images=(SourceImage(photo, "image/jpeg"),))
    call = build(request, endpoint="e", parameters={"images": {"field": "image"}})
    assert b"Secret Camera" not in call.images[0].data
    with Image.open(io.BytesIO(call.images[0].data)) as sent:
        assert sent.size == (300, 400)


def test_a_file_with_nothing_to_take_out_is_sent_as_it_is():
    for kind in ("PNG", "JPEG", "WEBP"):
        data = saved(scene(), kind)
        assert source_of(data).data == data


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("I;16", "PNG")])
def test_what_backends_read_each_in_its_own_way_is_sent_as_plain_rgb(mode, kind):
    picture = scene().convert("CMYK") if mode == "CMYK" else Image.new("I;16", (400, 300), 0x8080)
    with Image.open(io.BytesIO(source_of(saved(picture, kind)).data)) as sent:
        assert sent.mode == "RGB"
        assert shows_the_scene(sent) if mode == "CMYK" else sent.getpixel((9, 9)) == (128, 128, 128)


@pytest.mark.parametrize("colour_type", [2, 6])
def test_a_png_of_16_bits_in_colour_is_sent_in_8(colour_type):
    """Which Pillow reads as an image of 8, so its mode does not tell."""
    header = struct.pack(">IIBBBBB", 2, 2, 16, colour_type, 0, 0, 0)
    rows = (b"\0" + b"\x80\x7f" * 2 * (4 if colour_type == 6 else 3)) * 2
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    sent = source_of(data).data
    assert sent[24] == 8  # bits per channel
    with Image.open(io.BytesIO(sent)) as image:
        assert image.getpixel((1, 1))[:3] == (128, 128, 128)


def test_transparency_survives_on_the_way_to_a_provider():
    clear = scene().convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    data = saved(clear, "PNG", exif=exif_of(1))
    with Image.open(io.BytesIO(source_of(data).data)) as sent:
        assert sent.getchannel("A").getextrema() == (0, 0)
    assert decoded(data).mode == "RGBA"
    assert images.decode(data).getpixel((5, 5)) == (255, 255, 255)


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return png[:33] + chunk + png[33:]


# Numbers in Display P3 and the same colour in sRGB, by the formulas of CSS Color 4.
P3_GREY_GREEN, IN_SRGB = (100, 180, 120), (62, 183, 116)


@pytest.mark.parametrize("declared", ["icc", "cicp", "nclx"])
def test_wide_colours_are_the_same_however_they_are_declared(declared):
    flat = Image.new("RGB", (96, 96), P3_GREY_GREEN)
    p3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
    if declared == "icc":
        data = saved(flat, "PNG", icc_profile=colour.icc_profile(p3, None))
    elif declared == "cicp":
        data = with_chunk(saved(flat, "PNG"), b"cICP", bytes([12, 13, 0, 1]))
    else:
        data = saved(flat, "AVIF", quality=100, subsampling="4:4:4")
        at = data.find(b"colrnclx")
        assert at > 0
        data = data[: at + 8] + struct.pack(">HH", 12, 13) + data[at + 12 :]
    assert near(decoded(data).getpixel((40, 40)), IN_SRGB, by=3)


def test_the_profile_made_here_agrees_with_the_srgb_of_the_library():
    ours = ImageCms.ImageCmsProfile(io.BytesIO(colour.icc_profile(colour._SRGB, None)))
    ramp = Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90), Image.new("L", (256, 256), 77)]
    )
    through = ImageCms.profileToProfile(ramp, ours, ImageCms.createProfile("sRGB"))
    assert through is not None
    worst = max(abs(a - b) for a, b in zip(ramp.tobytes(), through.tobytes(), strict=True))
    assert worst <= 1


def test_gamma_of_a_png_is_applied_and_the_usual_one_changes_nothing():
    flat = Image.new("RGB", (96, 96), (100, 100, 100))
    linear = with_chunk(saved(flat, "PNG"), b"gAMA", struct.pack(">I", 100_000))
    assert near(decoded(linear).getpixel((9, 9)), (167, 167, 167), by=2)  # 100/255 of light, in sRGB
    usual = with_chunk(saved(flat, "PNG"), b"gAMA", struct.pack(">I", 45_455))
    assert decoded(usual).getpixel((9, 9)) == (100, 100, 100)
    both = with_chunk(linear, b"sRGB", b"\0")
    assert decoded(both).getpixel((9, 9)) == (100, 100, 100)


def test_hdr_is_refused_by_the_one_reader():
    hdr = with_chunk(saved(scene(), "PNG"), b"cICP", bytes([9, colour.PQ, 0, 1]))
    with pytest.raises(BadOutput, match="HDR"):
        decoded(hdr)
    assert metadata.code_points(hdr) == (9, colour.PQ)


def test_a_large_image_that_was_paid_for_is_taken():
    data = saved(scene(), "PNG")
    padded = data[:33] + struct.pack(">I", 30 * 2**20) + b"prVt" + bytes(30 * 2**20)
    padded += struct.pack(">I", zlib.crc32(b"prVt" + bytes(30 * 2**20))) + data[33:]
    assert measured(padded).width == 400
    with pytest.raises(BadOutput, match="64 MB"):
        measured(bytes(64 * 2**20 + 1))


@pytest.mark.parametrize("wrap", ["{}", "{}\n", "  {}", "lines", "urlsafe", "unpadded"])
def test_base64_is_read_as_people_write_it(wrap):
    import base64

    data = bytes(range(256)) * 3 + b"?"
    text = base64.b64encode(data).decode()
    if wrap == "lines":
        text = base64.encodebytes(data).decode().replace("\n", "\r\n")
    elif wrap == "urlsafe":
        text = base64.urlsafe_b64encode(data).decode()
    elif wrap == "unpadded":
        text = text.rstrip("=")
    else:
        text = wrap.format(text)
    assert decode_base64(text) == data
