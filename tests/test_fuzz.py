"""No input makes a 5xx: every route with hostile paths, queries, forms, cookies and files.

Short here; `FUZZ_EXAMPLES=20000 bin/test tests/test_fuzz.py` looks for longer.
"""

from __future__ import annotations

import os
import random
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from arena import voting
from providers.models import ApiKey
from tests import factories as make
from tests.test_permissions import actions, all_routes
from tests.test_roles import PAGES

pytestmark = pytest.mark.django_db(transaction=False)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "250"))

TEXTS = [
    "", " ", "0", "-1", "1", "99999999999999999999", "1e309", "nan", "\0", "a\0b", "%00", "%0%000", "%", "%zz", "'",
    '"', "<script>", "../../etc/passwd", "..%2f", "\\", "\u202e", "😀", "%ed%a0%bd", "猫", "e\u0301", "a" * 5000,
    "\r\nX: y", "text-to-image", "sample-one", "left", "both_bad", "null", "[]", "{}", "true", "2024-02-30", "٣",
]  # fmt: skip
NAMES = [
    "q", "tag", "tags", "sort", "page", "category", "model", "recent", "lab", "licence", "min", "max", "price", "use",
    "from", "to", "n", "size", "outcome", "ballot", "side", "reason", "prompt", "models", "key", "image", "seed",
    "next", "expires", "signature", "schema", "dryRun", "as", "budget", "priority", "one", "two",
]  # fmt: skip


def text(rng: random.Random) -> str:
    choice = rng.choice(TEXTS)
    return choice + rng.choice(TEXTS) if rng.random() < 0.2 else choice


def path(rng: random.Random, known: dict[str, list[str]]) -> str:
    _, pattern = rng.choice(ROUTES)
    parts = {}
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        real = known.get(kind, [])
        parts[name] = rng.choice(real) if real and rng.random() < 0.6 else quote(text(rng) or "x", safe="")
    route = str(pattern.pattern)
    for name in parts:
        for kind in ("int", "uuid", "slug", "str", "path", "dotted"):
            route = route.replace(f"<{kind}:{name}>", parts[name])
    prefix = rng.choice(["", "", "", "/"])
    return f"{prefix}/{route.strip('^$')}"


ROUTES = [(name, pattern) for name, pattern in all_routes() if not name.startswith("admin:")]


def query(rng: random.Random) -> str:
    values = [text(rng) for _ in range(rng.randint(0, 4))]
    fields = [f"{rng.choice(NAMES)}={quote(value) if rng.random() < 0.7 else value}" for value in values]
    return "&".join(fields).encode().decode("latin1")


def form(rng: random.Random) -> dict[str, object]:
    fields: dict[str, object] = {rng.choice(NAMES): text(rng) for _ in range(rng.randint(0, 5))}
    if rng.random() < 0.3:
        content = rng.choice([b"", b"GIF89a", make.picture("a")[:200], make.picture("b", kind="GIF"), os.urandom(300)])
        fields["image"] = SimpleUploadedFile(rng.choice(["a.png", "..png", "\0.gif", "a" * 300]), content, "image/png")
    return fields


HEADERS = [
    ("HTTP_ACCEPT", "*/*;q=9e999"), ("HTTP_ACCEPT_LANGUAGE", "é" * 300), ("HTTP_RANGE", "bytes=9-1,-0,x"),
    ("HTTP_IF_NONE_MATCH", '"' * 50), ("HTTP_IF_MODIFIED_SINCE", "Thu, 99 Foo 0000"),
    ("HTTP_X_FORWARDED_FOR", "::,\x01,1.2.3"), ("HTTP_HX_REQUEST", "true"), ("HTTP_HX_CURRENT_URL", "http://[::"),
    ("HTTP_REFERER", "//\\evil"), ("HTTP_ORIGIN", "null"), ("HTTP_AUTHORIZATION", "Bearer \xff\x00"),
    ("HTTP_AUTHORIZATION", "Basic"), ("HTTP_CONTENT_ENCODING", "gzip"), ("HTTP_EXPECT", "100-continue"),
    ("HTTP_COOKIE", "voter=\x00; =; sessionid=\xff\xfe; playground=" + "a" * 4000),
]  # fmt: skip
_PART = b"--x\r\nContent-Disposition: form-data; name="
BODIES = [  # (content type, bytes) that no form sends
    ("application/x-www-form-urlencoded", b"outcome=%ff%fe&side=\xed\xa0\x80&q=%00"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(1200))),
    ("multipart/form-data", b"--"),
    ("multipart/form-data; boundary=" + "x" * 300, b""),
    ("multipart/form-data; boundary=x", _PART + b'"\x00"\r\n\r\n\x00\r\n--x--'),
    ("multipart/form-data; boundary=x", _PART + b"image; filename*=utf-9''%ff\r\n\r\n--x--"),
    ("multipart/form-data; boundary=x", _PART + b"n\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--x--"),
    ("application/json", b"[" * 3000),
    ("application/json", b'{"n": 1e999, "size": "\\ud800"}'),
    ("text/plain", b"\x00" * 100),
]
# Lists, forms and histories of the admin, where staff look for anything and open any id.
ADMIN = [
    f"/admin/{model._meta.app_label}/{model._meta.model_name}/{rest}"
    for model in site._registry
    for rest in ("", "add/", f"{10**20}/change/", "x%00/change/", "0/history/", "?q=%2500&p=9e9&o=-99.x&id__in=x")
]  # fmt: skip


def test_no_body_or_header_makes_a_5xx():
    rng = random.Random(os.environ.get("FUZZ_SEED", "bodies"))
    battle = make.make_battle()
    boss = User.objects.create_superuser("boss")
    known = {
        "UUIDConverter": [str(battle.pk)],
        "IntConverter": [str(battle.left_id), "99999999999999999999"],
        "SlugConverter": ["text-to-image"],
        "DottedSlug": [battle.left.image_model.slug],
    }
    failures = []
    for number in range(EXAMPLES // 2):
        browser = Client(raise_request_exception=False)
        if rng.random() < 0.3:
            browser.force_login(boss)
            where = rng.choice(ADMIN)
        else:
            make.sign_in(browser, battle.voter)
            where = path(rng, known)
        kind, body = rng.choice(BODIES)
        headers: dict[str, Any] = dict(rng.choices(HEADERS, k=rng.randint(0, 3)))
        try:
            if rng.random() < 0.6:
                reply = browser.generic("POST", where, body, content_type=kind, **headers)
            else:
                reply = browser.get(where, **headers)
        except (UnicodeError, ValueError) as error:  # the test client cannot send it
            assert "surrogates" in str(error) or "URL" in str(error), error  # noqa: PT017
            continue
        if reply.status_code >= 500 and not (reply.status_code == 503 and "Retry-After" in reply):
            failures.append(f"{number}: {where} {kind} {body[:80]!r} {headers}: {reply.status_code}")
    assert not failures, "\n".join(failures[:20])


@pytest.mark.parametrize("path", ["images/generations", "images/edits", "images/variations", "responses"])
@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_no_body_of_a_key_holder_makes_a_5xx(path, kind, body):
    """What comes with a key is read; without one nothing is."""
    _, secret = ApiKey.make("fuzz")
    browser = Client(raise_request_exception=False)
    reply = browser.generic("POST", f"/openai/v1/{path}", body, kind, HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert 400 <= reply.status_code < 500, reply.content


def test_no_input_makes_a_5xx():
    rng = random.Random(os.environ.get("FUZZ_SEED", "arena"))
    entry = make.make_entry()
    battle = make.make_battle(left=entry)
    known = {
        "UUIDConverter": [str(battle.pk), str(uuid.uuid4())],
        "IntConverter": [str(entry.pk), "0", "9223372036854775808"],
        "SlugConverter": ["text-to-image", "simulated-fal"],
        "DottedSlug": [entry.image_model.slug, "text-to-image", battle.prompt.competition.slug],
    }
    failures = []
    for number in range(EXAMPLES):
        browser = Client(raise_request_exception=False)
        if rng.random() < 0.5:
            make.sign_in(browser, battle.voter)
        if rng.random() < 0.2:
            cookie = rng.choice(["voter", "sessionid", "playground", "csrftoken"])
            browser.cookies[cookie] = rng.choice(["x", "a:b:c", "=" * 99])
        where, asked = path(rng, known), query(rng)
        method = rng.choice(["GET", "GET", "HEAD", "POST", "POST", "PUT"])
        if where.startswith(("/readyz", "//readyz")):
            continue
        send = getattr(browser, method.lower())
        data = form(rng) if method == "POST" else None
        try:
            reply = send(where, data=data, QUERY_STRING=asked) if data is not None else send(where, QUERY_STRING=asked)
        except (UnicodeError, ValueError) as error:  # the test client cannot send it
            assert "surrogates" in str(error) or "header" in str(error) or "URL" in str(error), error  # noqa: PT017
            continue
        if reply.status_code >= 500 and not (reply.status_code == 503 and "Retry-After" in reply):
            failures.append(f"{number}: {method} {where}?{asked} {data}: {reply.status_code}")
        if getattr(reply, "streaming", False):
            b"".join(reply.streaming_content)
    assert not failures, "\n".join(failures[:20])


def staff_form(rng: random.Random, model_admin: ModelAdmin[Any], boss: User) -> dict[str, object]:
    """Some of the fields that the form of a model has, and those of every confirmation, with hostile values."""
    request = RequestFactory().get("/admin/")
    request.user = boss
    names = [*model_admin.get_form(request).base_fields, "reason", "confirmed", "confirm", "file", "text", "prompts"]
    fields: dict[str, object] = {name: text(rng) for name in names if rng.random() < 0.6}
    for name in rng.sample(names, 1):
        fields[name] = SimpleUploadedFile("a.csv", rng.choice([b"", b"\xff\xfe", b"a,b\n\0,", b"PK\x03\x04", b'{"a":']))
    return fields


def test_no_input_of_staff_makes_a_5xx():
    """Forms, bulk actions and our own pages of the admin, on rows that are there."""
    rng = random.Random(os.environ.get("FUZZ_SEED", "staff"))
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    offering = make.make_offering()
    ApiKey.make("fuzz")
    boss = User.objects.create_superuser("boss")
    browser = Client(raise_request_exception=False)
    browser.force_login(boss)
    own = [
        reverse(name, args=args)
        for name in PAGES
        for args in ([], [battle.prompt.competition_id], [battle.prompt_id], [offering.pk])
        if can_be_reversed(name, args)
    ]
    failures = []
    for number in range(EXAMPLES // 4):
        model = rng.choice(list(site._registry))
        model_admin, row = site._registry[model], model._default_manager.first()
        lists = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        key = str(row.pk) if row else "1"
        data = staff_form(rng, model_admin, boss)
        where = rng.choice([lists, lists, f"{lists}add/", f"{lists}{key}/change/", rng.choice(own)])
        if where == lists:
            names = [name for name, _ in actions(model_admin)]
            data |= {"action": rng.choice([*names, text(rng)]), "_selected_action": rng.choice([key, text(rng)])}
            data |= {"select_across": rng.choice(["0", "1", "x"]), "index": rng.choice(["0", "x"])}
        try:
            reply: Any = browser.post(where, data)
        except (UnicodeError, ValueError) as error:  # the test client cannot send it
            assert "surrogates" in str(error) or "header" in str(error), error  # noqa: PT017
            continue
        if reply.status_code >= 500:
            failures.append(f"{number}: {where} {data}: {reply.status_code}")
        if reply.streaming:
            b"".join(reply.streaming_content)
    assert not failures, "\n".join(failures[:20])


def can_be_reversed(name: str, args: list[Any]) -> bool:
    try:
        reverse(name, args=args)
    except NoReverseMatch:
        return False
    return True


def test_the_paths_reach_most_routes():
    rng = random.Random("paths")
    reached = set()
    known = {"UUIDConverter": [str(uuid.uuid4())], "IntConverter": ["1"], "SlugConverter": ["a"], "DottedSlug": ["a"]}
    for _ in range(3000):
        try:
            reached.add(resolve(path(rng, known).replace("//", "/")).view_name)
        except Resolver404:
            continue
    assert len(reached) > 0.7 * len(ROUTES)
