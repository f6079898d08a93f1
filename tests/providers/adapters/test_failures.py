"""No error carries a secret of the operator, and only those of the caller's making carry the provider's text."""

from __future__ import annotations

import ast
import base64
import inspect
import json
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import adapters, errors, transfer
from providers.adapters import ADAPTERS, failures
from providers.adapters.base import Account, Deadline
from providers.adapters.failures import PUBLIC, QUOTED, STATUSES, failure, kind_of_status, message_of
from providers.adapters.redaction import REDACTED, redacted
from providers.errors import ContentPolicy, InvalidRequest, ProviderError, TimedOut
from providers.request import ProviderCall

KEY = "sk-op3ratorS3cret-ABCDEFghij1234567890wxyz"
FAL_KEY = "7f3c2a10-5d11-4f7e-9b3a-0c1d2e3f4a5b:9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b"
MARK = "the flux capacitor is misaligned"  # words of the provider that are no secret
CALL = ProviderCall("owner/model", {"prompt": "a kite"})
LEAVES = tuple(PUBLIC)


def accounts() -> list[Account]:
    host = "https://mine.proxy.test"
    urls = {"run": f"{host}/run", "base": f"{host}/v1"}
    queue = {"run": f"{host}/run", "queue": f"{host}/queue"}
    return [
        Account("fal", "fal", "fal", queue, api_key=FAL_KEY),
        Account("fal-run", "fal", "fal", urls, api_key=FAL_KEY),
        *(Account(name, name.title(), name, urls, api_key=KEY) for name in ("replicate", "openai", "bfl", "gemini")),
    ]


def echoes(account: Account) -> list[str]:
    """The ways in which servers have been seen to give a key or its owner away."""
    key = account.api_key
    return [
        f"Incorrect API key provided: {key}",
        f"Incorrect API key provided: {key[:8]}{'*' * 20}{key[-4:]}",
        f"bad key {key[:7]}...{key[-4:]}",
        f"key that begins {key[:6]} or ends {key[-4:]}",
        f"got header 'Authorization: Bearer {key}'",
        f'{{"x-key": "{key[4:]}"}}',
        f"Basic {base64.b64encode(f'user:{key}'.encode()).decode()}",
        f"{key.upper()} {key[3:20]}",
        f"see https://admin:hunter2pass@db-17.corp.internal:5432/x?sig={key[:12]}",
        "Rate limit reached in organization org-AbC123dEf on project proj_9aZ8yX",
        "consumer 'project_number:123456789012' of ops@example.com",
        "upstream http://10.1.2.3:8000/v1 and https://mine.proxy.test/v1 failed",
    ]


def secrets_in(text: str, account: Account) -> list[str]:
    key = account.api_key
    runs = [key[start : start + 8] for start in range(len(key) - 7)]
    others = ["hunter2", "db-17", "org-AbC", "proj_9a", "123456789012", "ops@example", "10.1.2.3", "mine.proxy.test"]
    encoded = base64.b64encode(f"user:{key}".encode()).decode()[10:30]
    words = text.replace("'", " ").replace('"', " ").replace(".", " ").split()
    ends = [word for word in words if word in (key[:6], key[:7], key[-4:])]
    return ends + [part for part in [*runs, *others, encoded] if part.lower() in text.lower()]


def bodies(said: str) -> list[bytes]:
    text = f"{MARK}: {said}"
    shapes: list[object] = [
        {"error": {"message": text, "code": "x", "status": "X"}},
        {"error": text},
        {"detail": text},
        {"detail": [{"loc": ["body", "prompt"], "msg": text, "type": "value_error"}]},
        {"message": text, "title": text},
        {"error": {"message": text, "code": "moderation_blocked"}},
        {"detail": [{"loc": ["body"], "msg": text, "type": "content_policy_violation"}]},
        # success in name only
        {"id": "1", "status": "failed", "error": text},
        {"id": "1", "status": "failed", "error": f"NSFW {text}"},
        {"id": "1", "status": text, "output": None},
        {"status": "Error", "details": text, "polling_url": "https://mine.proxy.test/x"},
        {"status": "Content Moderated", "details": text, "polling_url": "https://mine.proxy.test/x"},
        {"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": text}]}}]},
        {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": text}},
        {"data": [{"b64_json": text}], "images": [{"url": f"https://{text}"}]},
        {"status_url": text, "output": [f"http://10.1.2.3/{text}"]},
    ]
    return [json.dumps(shape).encode() for shape in shapes] + [text.encode(), f"<html>{text}</html>".encode()]


def error_of(account: Account, status: int, body: bytes, seconds: float = 0.02) -> ProviderError | None:
    """What the adapter raises; jobs that are never done are asked about for `seconds`."""
    reply = httpx.Response(status, content=body, headers={"x-request-id": account.api_key[:20]})
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply)) as http:
        try:
            ADAPTERS[account.adapter].generate(CALL, account=account, http=http, deadline=Deadline(seconds))
        except ProviderError as error:
            return error
    return None


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account.key)
@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 408, 409, 418, 422, 429, 499, 500, 502, 504, 524])
def test_no_error_of_any_adapter_carries_a_secret_and_only_the_callers_faults_quote_the_provider(account, status):
    seen = set()
    several = echoes(account)
    for said in ("; ".join(several[:6]), "; ".join(several[6:])):
        for body in bodies(said):
            error = error_of(account, status, body)
            if error is None:
                continue
            seen.add(type(error))
            shown = [str(error), repr(error), error.detail]
            assert not [leak for text in shown for leak in secrets_in(text, account)], (shown, said)
            assert MARK not in str(error) or type(error) in QUOTED, (type(error), body)
    assert seen


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account.key)
def test_an_error_of_the_callers_making_says_what_the_provider_said(account):
    error = error_of(account, 422, json.dumps({"error": {"message": MARK}, "detail": MARK}).encode(), seconds=60)
    assert type(error) is InvalidRequest
    assert MARK in str(error)
    error = error_of(account, 500, json.dumps({"error": {"message": MARK}, "detail": MARK}).encode(), seconds=60)
    assert MARK not in str(error)
    assert MARK in error.detail  # staff see it


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account.key)
@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout])
def test_what_the_network_says_is_for_staff(account, kind):
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(f"{MARK} http://user:hunter2@10.1.2.3/ {account.api_key}")

    with httpx.Client(transport=httpx.MockTransport(fail)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS[account.adapter].generate(CALL, account=account, http=http, deadline=Deadline(2))
    assert MARK not in str(caught.value)
    assert MARK in caught.value.detail
    assert not secrets_in(f"{caught.value} {caught.value.detail}", account)


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account.key)
@pytest.mark.parametrize("kind", LEAVES)
def test_every_class_of_error_is_without_secrets_by_the_way_it_is_made(account, kind):
    for said in echoes(account):
        error = failure(kind, account, f"{MARK}: {said}", status=400)
        assert not secrets_in(f"{error} {error.detail}", account)
        assert (MARK in str(error)) is (kind in QUOTED)


@given(st.text(max_size=40), st.integers(0, 34), st.integers(8, 42), st.text(max_size=40))
def test_no_run_of_a_key_survives_whatever_surrounds_it(before, start, length, after):
    part = KEY[start : start + length]
    account = Account("x", "X", "openai", {"base": "https://x.test"}, api_key=KEY)
    clean = redacted(f"{before} {part} {after}", account)
    assert len(part) < 8 or part not in clean
    assert not set(clean) & set(map(chr, [*range(32), 0xD800]))


def split(key: str, size: int) -> list[str]:
    return [key[start : start + size] for start in range(0, len(key), size)]


@pytest.mark.parametrize(
    "said",
    [
        base64.b64encode(f"api:{KEY}".encode()).decode(),
        base64.b64encode(f"user-1:{KEY}:x".encode()).decode(),
        base64.urlsafe_b64encode(f"ab{KEY}".encode()).decode(),
        KEY.encode().hex(),
        "".join(f"\\u{ord(letter):04x}" for letter in KEY),
        "".join(f"%{ord(letter):02X}" for letter in KEY),
        "".join(f"&#{ord(letter)};" for letter in KEY),
        "".join(f"&#{ord(letter):07};" for letter in KEY),
        "".join(f"&#x{ord(letter):04x};" for letter in KEY),
        "".join(f"\\u{{{ord(letter):x}}}" for letter in KEY),
        "".join(f"\\U{ord(letter):08x}" for letter in KEY),
        "".join(f"%25{ord(letter):02x}" for letter in KEY),
        "".join(f"\\{ord(letter):03o}" for letter in KEY),
        " ".join(f"0x{ord(letter):02x}" for letter in KEY),
        json.dumps({"type": "Buffer", "data": list(KEY.encode())}),
        "".join(chr(ord(letter) + 0xFEE0) for letter in KEY),  # full width
        " ".join(split(KEY, 5)),
        "\n".join(split(KEY, 6)),
        "-".join(KEY),
        json.dumps({f"part{number}": part for number, part in enumerate(split(KEY, 6))}),
        json.dumps(split(KEY, 7)),
        json.dumps({"headers": {"Cookie": "session=abc123; csrf=def456"}}),
        "GET /generate?X-Amz-Signature=abc123def456&X-Amz-Credential=abc123def456/eu",
        "replicate.test/out.png?sig=abc123def456 is gone",
        "path /gw/tok3nabc123def456/images: not found",
        "query k=abc123def456xyz is wrong",
    ],
)
def test_a_key_survives_in_no_spelling_split_or_place(said):
    url = "https://x.test/gw/tok3nabc123def456/v1?k=abc123def456xyz"
    clean = redacted(f"{MARK}: {said} - {MARK}", Account("x", "X", "openai", {"base": url}, api_key=KEY))
    assert REDACTED in clean
    assert clean.startswith(MARK)
    pieces = [part for part in re.split(r"[^A-Za-z0-9]+", clean) if len(part) >= 5 and part in KEY]
    assert all(part.isalpha() or part.isdecimal() for part in pieces), pieces  # a word, a number
    assert "abc123" not in clean
    for part in split(base64.b64encode(f"api:{KEY}".encode()).decode()[6:-4], 10):
        assert part not in clean


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("wh9k3y7t5z1q is not the key of your webhooks", "wh9k3y7t5z1q"),
        ("the gateway gateway.proxy.test:8443 is full", "gateway.proxy.test"),
        ("no route to db1.prod.internal:5432", "db1.prod"),
        ("upstream 10.1.2.3:8080 refused", "10.1.2.3"),
        ("tenant t3n4nt5t0k3n6 is unknown", "t3n4nt5t0k3n6"),
        ("the code c0d3w0rd9x8y is wrong", "c0d3w0rd9x8y"),
        ("not allowed. Team: 6f1b2c3d-1111-4222-8333-944455556666, API key ID: 0a1b2c3d-7777", "6f1b2c3d"),
        ("not allowed. Team: 6f1b2c3d-1111-4222-8333-944455556666, API key ID: 0a1b2c3d-7777", "0a1b2c3d"),
        ('{"workspace_id": "w0rkspac3"}', "w0rkspac3"),
    ],
)
def test_what_names_the_operators_network_or_account_is_taken_out(said, secret):
    url = "https://gateway.proxy.test:8443/t3n4nt5t0k3n6/v1?code=c0d3w0rd9x8y"
    account = Account("x", "X", "openai", {"base": url}, api_key=KEY, webhook_key="wh9k3y7t5z1q")
    clean = redacted(f"{MARK}: {said}; 8.8.8.8 is public", account)
    assert secret not in clean
    assert clean.startswith(MARK)
    assert "8.8.8.8" in clean


@pytest.mark.parametrize(
    "said",
    [
        "gw3nd0lyn: the pass phrase s3same/open is wrong",
        "the pass phrase s3same%2Fopen is wrong",
        f"Proxy says {base64.b64encode(b'gw3nd0lyn:s3same/open').decode()}",
        "S3SAME/OPEN",
    ],
)
def test_the_user_and_password_of_a_url_are_secrets_of_their_own(said):
    url = "https://gw3nd0lyn:s3same%2Fopen@gateway.test/v1"
    clean = redacted(f"{MARK}: {said}", Account("x", "X", "openai", {"base": url}, api_key="none"))
    assert clean.startswith(MARK)
    for part in ("s3same", "open", "gw3nd0lyn", "Z3czbmQwbHlu", "czNzYW1l"):
        assert part.lower() not in clean.lower(), clean


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_key_whose_base64_has_signs_survives_in_neither_alphabet(encode, before):
    key = "fake>key?with~odd>>signs??~~12345"
    encoded = encode(f"{before}{key}".encode()).decode()
    assert set(encoded) & set("+/-_")
    clean = redacted(f"{MARK}: {encoded}", Account("x", "X", "openai", {"base": "https://x.test/v1"}, api_key=key))
    assert clean.startswith(MARK)
    for part in split(encoded[4:-6], 8):
        assert part not in clean


def test_texts_without_secrets_stay_as_they_are():
    account = Account("x", "X", "openai", {"base": "https://api.openai.com/v1"}, api_key=KEY)
    for text in (
        "Invalid value: 'hd'. Supported values are: 'low', 'medium', 'high', and 'auto'.",
        "Unknown parameter: 'style'.",
        "prompt: the text is longer than 32000 characters",
        "Your request was rejected by the safety system. safety_violations=[sexual].",
        "max_tokens must be at least 16; the token limit was 4096",
        "Failed to download https://example.com/cat.png",
    ):
        assert redacted(text, account) == text


def test_a_key_of_a_server_that_needs_none_is_an_ordinary_word():
    account = Account("x", "X", "openai", {"base": "http://127.0.0.1/v1"}, api_key="none")
    assert redacted("none of the images could be read", account) == "none of the images could be read"


def test_a_refusal_that_quotes_a_link_shows_it_without_its_signature():
    account = Account("x", "X", "openai", {"base": "https://x.test"}, api_key=KEY)
    assert redacted("see https://example.com/a?sig=abc", account) == "see https://example.com/a?…"
    assert REDACTED in redacted("see https://u:p4ssw0rd@192.168.0.7/a", account)


# The table of statuses ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_status_has_one_meaning_and_a_table_may_make_exceptions():
    for status in [*range(100, 200), *range(300, 600)]:
        assert issubclass(kind_of_status(status), ProviderError)
    assert kind_of_status(409, {409: InvalidRequest}) is InvalidRequest
    assert {kind_of_status(status) for status in (400, 405, 413, 415, 422)} == {InvalidRequest}
    assert STATUSES[524] is STATUSES[504] is TimedOut


def test_a_message_is_found_in_every_known_shape_of_an_error():
    for body, text in (
        ({"error": {"message": "a"}}, "a"),
        ({"error": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body", "n"], "msg": "a"}, {"loc": 5, "msg": {}}]}, "body.n: a; 5: "),
        ({"title": "a"}, "a"),
        ({"errors": [{"message": "a"}, {"message": "b"}]}, "a; b"),
        ({"error": {"a": 1}, "detail": 7}, ""),
        ({}, ""),
    ):
        assert message_of(body) == text.strip()


# By construction ─────────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, ProviderError)}
_OURS = {"MAX_BYTES", "MAX_PIXELS", "most", "size", "width", "height", "kind", "seconds", "reason", "megapixels"}


def _modules(package) -> list[Path]:
    return sorted(Path(package.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", _modules(adapters), ids=lambda path: path.stem)
def test_adapters_make_errors_at_the_border_alone(path):
    """And what they say in public is a constant: nothing of an answer can get into it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if path.stem not in (Path(failures.__file__).stem, "sources"):  # sources counts bytes, and says how many
            assert name not in _KINDS, f"line {node.lineno}: {name} must come from failure()"
        for keyword in node.keywords:
            if keyword.arg == "public":
                constants = [leaf for leaf in ast.walk(keyword.value) if isinstance(leaf, ast.Constant | ast.IfExp)]
                is_passed_on = isinstance(keyword.value, ast.Name)
                assert constants or is_passed_on, f"line {node.lineno}: public= must be a constant"
                assert not [leaf for leaf in ast.walk(keyword.value) if isinstance(leaf, ast.JoinedStr | ast.Call)]


@pytest.mark.parametrize("path", _modules(transfer), ids=lambda path: path.stem)
def test_what_downloads_and_uploads_say_in_public_names_no_host(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KINDS:
            for leaf in ast.walk(node.args[0]):
                if isinstance(leaf, ast.Name | ast.Attribute):
                    name = leaf.id if isinstance(leaf, ast.Name) else leaf.attr
                    assert name in _OURS | {"self", "FAILED", "str", "error", "message"}, f"line {node.lineno}: {name}"


def test_the_classes_that_quote_are_those_of_the_callers_fault():
    assert {InvalidRequest, ContentPolicy} == QUOTED
    assert set(PUBLIC) <= {value for value in vars(errors).values() if inspect.isclass(value)}
