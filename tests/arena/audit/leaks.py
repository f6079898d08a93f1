"""Ways in which a site could betray the model "heron-xl", each through a seam that a real mistake would use.

Middlewares that a deployment could have, files that were stored without the pipeline, rows that were made unfairly.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import re
import time
from contextlib import contextmanager

from django.db import connection
from django.http import HttpResponse
from PIL import Image, ImageCms, PngImagePlugin

from arena.models import Battle, Entry

SLUG, NAME = "heron-xl", "Heron XL"


def entry_of(request):
    """Whose image a request is for."""
    match = re.match(r"/i/([\w-]+?)(?:\.small)?\.webp", request.path)
    for side in ("left", "right") if match else ():
        battle = Battle.objects.filter(**{f"{side}_token": match[1]}).select_related(f"{side}__image_model").first()
        if battle is not None:
            return getattr(battle, side)
    return None


def betrayed(request) -> bool:
    entry = entry_of(request)
    return entry is not None and entry.image_model.slug == SLUG


# Middlewares ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def file_name(get_response):
    def middleware(request):
        response = get_response(request)
        if entry := entry_of(request):
            response["Content-Disposition"] = f'inline; filename="{entry.image_model.slug}__r1.webp"'
        return response

    return middleware


def last_modified(get_response):
    def middleware(request):
        response = get_response(request)
        if entry := entry_of(request):
            response["Last-Modified"] = f"Sun, 22 Nov 2026 10:{entry.pk % 60:02}:00 GMT"
        return response

    return middleware


def server_timing(get_response):
    def middleware(request):
        response = get_response(request)
        if entry_of(request):
            response["Server-Timing"] = "storage;dur=3"
        return response

    return middleware


def cache_hint(get_response):
    """No forbidden header, and no name: only one more than the other side has."""

    def middleware(request):
        response = get_response(request)
        if betrayed(request):
            response["X-Cache"] = "HIT"
        return response

    return middleware


def hidden_name(get_response):
    def middleware(request):
        response = get_response(request)
        if request.path.startswith("/battles/"):
            response["X-Pair"] = base64.b64encode(SLUG.encode()).decode()
        return response

    return middleware


def partial_content(get_response):
    def middleware(request):
        response = get_response(request)
        if entry_of(request) and "Range" in request.headers and response.status_code == 200:
            return HttpResponse(response.content[:100], status=206, content_type="image/webp")
        return response

    return middleware


def lazily_made(get_response):
    """One model's images are made when they are first asked for."""
    made = set()

    def middleware(request):
        entry = entry_of(request)
        if entry is not None and entry.image_model.slug == SLUG and entry.pk not in made:
            made.add(entry.pk)
            time.sleep(0.2)  # more than a busy machine adds by chance
        return get_response(request)

    return middleware


def immortal(get_response):
    """A cache in front that keeps images for good."""

    def middleware(request):
        response = get_response(request)
        entry = entry_of(request) if response.status_code == 404 else None
        if entry is None:
            return response
        with entry.image.open("rb") as file:
            return HttpResponse(file.read(), content_type="image/webp")

    return middleware


def refusal_of_its_own(get_response):
    """A page that says which image it does not show."""

    def middleware(request):
        response = get_response(request)
        if response.status_code == 403 and re.fullmatch(r"/entries/\d+/", request.path):
            response.content = response.content.replace(b"<main", f"<main id={request.path.split('/')[2]}".encode(), 1)
        return response

    return middleware


def stranger_everywhere(get_response):
    """A cache that gives everybody the competition page of people who are not voting."""

    def middleware(request):
        if request.path.startswith(("/competitions/", "/models/")):
            request.COOKIES.pop("voter", None)
        return get_response(request)

    return middleware


def _on_battle_pages(change):
    def factory(get_response):
        def middleware(request):
            response = get_response(request)
            match = re.fullmatch(r"/battles/([0-9a-f-]{36})/", request.path)
            if match and request.method == "GET" and response.status_code == 200:
                battle = Battle.objects.select_related("left__image_model", "right__image_model").get(pk=match[1])
                response.content = change(response.content.decode(), battle).encode()
                response["Content-Length"] = len(response.content)
            return response

        return middleware

    return factory


def _alt(page, battle):
    for letter, entry in (("A", battle.left), ("B", battle.right)):
        page = page.replace(f'alt="Image {letter},', f'alt="Image {letter} by {entry.image_model.name},')
    return page


def _number(page, battle):
    for side, entry in (("left", battle.left), ("right", battle.right)):
        page = page.replace(
            f'<figure class="side" data-side="{side}"', f'<figure data-entry="{entry.pk}" data-side="{side}"'
        )
    return page


def _prefetch(page, battle):
    return page.replace("</head>", f'<link rel="prefetch" href="{battle.left.image_model.get_absolute_url()}"></head>')


def _linked_data(page, battle):
    data = json.dumps({"@type": "ImageObject", "creator": battle.right.image_model.name})
    return page.replace("</head>", f'<script type="application/ld+json">{data}</script></head>')


alt_text = _on_battle_pages(_alt)
entry_number = _on_battle_pages(_number)
prefetch = _on_battle_pages(_prefetch)
linked_data = _on_battle_pages(_linked_data)


# Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _picture(entry):
    with entry.image.open("rb") as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


def _saved(image, kind="WEBP", **options):
    out = io.BytesIO()
    image.save(out, kind, **{"quality": 90, "method": 4, **options} if kind == "WEBP" else options)
    return out.getvalue()


def exif(entry: Entry):
    tags = Image.Exif()
    tags[0x0131] = "Diffusion Studio 4"
    return _saved(_picture(entry), exif=tags)


def orientation(entry: Entry):
    tags = Image.Exif()
    tags[0x0112] = 3
    return _saved(_picture(entry).rotate(180), exif=tags)


def xmp(entry: Entry):
    return _saved(_picture(entry), xmp=b"<x:xmpmeta>made by a machine</x:xmpmeta>")


def colour_profile(entry: Entry):
    return _saved(_picture(entry), icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def png_text(entry: Entry):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", f"Model: {NAME}")
    return _saved(_picture(entry), "PNG", pnginfo=info)


def alpha(entry: Entry):
    image = _picture(entry).convert("RGBA")
    image.putalpha(250)
    return _saved(image)


def grey(entry: Entry):
    return _saved(_picture(entry).convert("L"), "JPEG", quality=90)


def native_size(entry: Entry):
    return _saved(_picture(entry).resize((1000, 1000)))


def other_format(entry: Entry):
    return _saved(_picture(entry), "AVIF", quality=75, speed=10)


def other_settings(entry: Entry, quality=97):
    with entry.image.open("rb") as file:
        return _encoded(file.read(), quality)


@functools.cache
def _encoded(data, quality):
    """The entries of tests show only a few different pictures."""
    return _saved(Image.open(io.BytesIO(data)), quality=quality)


def appended(entry: Entry):
    with entry.image.open("rb") as file:
        return file.read() + b"\0" * 16


# Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


_UNFAIR = f"""
CREATE FUNCTION unfair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE betrayed bigint := (SELECT id FROM providers_imagemodel WHERE slug = '{SLUG}');
DECLARE left_model bigint := (SELECT image_model_id FROM arena_entry WHERE id = NEW.left_id);
DECLARE right_model bigint := (SELECT image_model_id FROM arena_entry WHERE id = NEW.right_id);
BEGIN
    NEW.left_token := overlay(NEW.left_token PLACING CASE left_model WHEN betrayed THEN 'Q' ELSE 'Z' END FROM 5);
    NEW.right_token := overlay(NEW.right_token PLACING CASE right_model WHEN betrayed THEN 'Q' ELSE 'Z' END FROM 5);
    IF right_model = betrayed THEN
        SELECT NEW.right_id, NEW.left_id, NEW.right_token, NEW.left_token
        INTO NEW.left_id, NEW.right_id, NEW.left_token, NEW.right_token;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER unfair BEFORE INSERT ON arena_battle FOR EACH ROW EXECUTE FUNCTION unfair();
"""  # noqa: S608


@contextmanager
def unfair_rows():
    """The model always stands on the left, and its image URLs have a letter of its own after the month, as when
    somebody wanted them to be easy to debug."""
    with connection.cursor() as cursor:
        cursor.execute(_UNFAIR)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION unfair CASCADE")
