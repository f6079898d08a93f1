"""Where messages begin and end, however they are cut on their way."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.demo.framing import Body, Head, Malformed


def of(*fields: tuple[str, str]) -> Head:
    return Head("\r\n".join(["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]).encode())


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts if part) + b"0\r\nX: y\r\n\r\n"


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans(), st.binary(max_size=20), st.data())
def test_a_body_ends_where_it_ends_however_it_is_cut(parts, in_chunks, next_message, data):
    text = chunked(parts) if in_chunks else b"".join(parts)
    body = Body(of(("Transfer-Encoding", "chunked")) if in_chunks else of(("Content-Length", str(len(text)))))
    rest, taken = text + next_message, b""
    while rest and not body.over:
        size = data.draw(st.integers(1, len(rest)))
        step = body.take(rest[:size])
        taken, rest = taken + rest[:step], rest[step:]
    assert body.over
    assert (taken, rest) == (text, next_message)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(junk):
    for parse in (lambda: Head(junk).request(), lambda: Body(of(("Transfer-Encoding", "chunked"))).take(junk)):
        with contextlib.suppress(Malformed):
            parse()


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Length", "3"), ("Content-Length", "4")],
        [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "-1")],
        [("Content-Length", "+3")],
        [("Transfer-Encoding", "chunked, gzip")],
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(fields):
    with pytest.raises(Malformed):
        Body(of(*fields))


@pytest.mark.parametrize(
    "text",
    [b"GET / HTTP/1.1\r\nHost : a", b"GET / HTTP/1.1\r\n folded: a", b"GET / HTTP/1.1\r\nA: b\nC: d", b"GET /", b""],
)
def test_what_is_no_head_is_refused(text):
    with pytest.raises(Malformed):
        Head(text).request()


def test_a_target_may_name_its_host():
    assert Head(b"GET http://a.example/openai/v1?x=1 HTTP/1.1").request() == (b"GET", b"/openai/v1?x=1")
