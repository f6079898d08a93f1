"""Where messages of HTTP/1.1 begin and end, so that a proxy can tell them apart. It changes nothing but heads."""

import re

LARGEST_HEAD = 64 * 1024  # bytes
_LONGEST_LINE = 4096  # of a chunk's size with its extensions
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_REQUEST = re.compile(rb"([A-Z]{3,10}) ([^\s\0]+) HTTP/1\.[01]")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?")


class Malformed(Exception):
    """It is no HTTP, or can be read in two ways."""


class Head:
    """The first line and the fields of a message. Raises Malformed."""

    def __init__(self, text: bytes) -> None:
        self.first, *lines = text.split(b"\r\n")
        self.fields: list[tuple[bytes, bytes]] = []
        for line in lines:
            found = _FIELD.fullmatch(line)
            if found is None:
                raise Malformed("a line that is no field")
            self.fields.append((found[1].lower(), found[2]))

    def all(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known == name]

    def request(self) -> tuple[bytes, bytes]:
        """Method, and path with query, also where the target names a host before it."""
        found = _REQUEST.fullmatch(self.first)
        if found is None:
            raise Malformed("no request line")
        target = found[2]
        if target[:4].lower() == b"http" and b"://" in target:
            target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
        return found[1], target

    def status(self) -> int:
        found = _STATUS.fullmatch(self.first)
        if found is None:
            raise Malformed("no status line")
        return int(found[1])

    def without(self, names: frozenset[bytes], *more: tuple[bytes, bytes]) -> bytes:
        """As it is sent on: less these fields, and with others."""
        kept = [field for field in self.fields if field[0] not in names]
        lines = [self.first, *(name + b": " + value for name, value in (*kept, *more))]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class Body:
    """What follows a head: so many bytes, chunks, or whatever comes until the connection is closed."""

    def __init__(self, head: Head, *, none: bool = False, until_closed: bool = False) -> None:
        lengths, encodings = set(head.all(b"content-length")), head.all(b"transfer-encoding")
        if len(lengths) > 1 or (lengths and encodings) or any(not each.isdigit() for each in lengths):
            raise Malformed("two lengths, or none that can be read")
        if encodings and encodings[-1].lower().rpartition(b",")[2].strip() != b"chunked":
            raise Malformed("an encoding that has no end")
        self.chunked = bool(encodings) and not none
        self.left = int(lengths.pop()) if lengths and not none else 0  # of the body, or of the chunk with its line end
        self.endless = until_closed and not (none or self.chunked or head.all(b"content-length"))
        self.over = not (self.chunked or self.left or self.endless)
        self._line = b""
        self._trailers = False

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to it. Raises Malformed."""
        if self.endless:
            return len(data)
        at = 0
        while at < len(data) and not self.over:
            if self.left:
                step = min(self.left, len(data) - at)
                self.left -= step
                at += step
                self.over = not (self.left or self.chunked)
            else:
                at = self._take_line(data, at)
        return at

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        self._line += data[at : end + 1] if end >= 0 else data[at:]
        if len(self._line) > _LONGEST_LINE:
            raise Malformed("a chunk with too long a line")
        if end < 0:
            return len(data)
        line, self._line = self._line.strip(), b""
        if self._trailers:
            self.over = not line
        else:
            size = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise Malformed("a chunk without a size")
            self._trailers = int(size, 16) == 0
            self.left = 0 if self._trailers else int(size, 16) + 2
        return end + 1
