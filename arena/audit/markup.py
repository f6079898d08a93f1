"""The two sides of a page: the parts that belong to either, with what may differ between them masked.

Pure. A side is whatever holds its token and not the other's, so the audit knows nothing of the page's classes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

_VOID = {"img", "br", "hr", "input", "link", "meta", "source", "area", "base", "col", "embed", "track", "wbr"}
_PLACE = re.compile(r"(?<![A-Za-z])(left|right)(?![A-Za-z])", re.IGNORECASE)
_LETTER = re.compile(r"(?<![A-Za-z])[AB](?![A-Za-z])")
_LOADS = {"preload", "prefetch", "modulepreload", "stylesheet", "icon", "prerender", "manifest"}


@dataclass(slots=True)
class Node:
    tag: str
    attributes: list[tuple[str, str]] = field(default_factory=list)
    children: list[Node | str] = field(default_factory=list)

    def own(self) -> str:
        return " ".join(f'{name}="{value}"' for name, value in self.attributes)

    def __str__(self) -> str:
        inside = "".join(child if isinstance(child, str) else str(child) for child in self.children)
        return f"<{self.tag} {self.own()}>{' '.join(inside.split())}</{self.tag}>"


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, [(name, value or "") for name, value in attrs])
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, [(name, value or "") for name, value in attrs]))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        self.open[-1].children.append(Node("comment", [("text", data)]))


def battle_url(page: str) -> str:
    """The URL of the battle on a voting page; "" where it has none."""
    match = re.search(r'data-url="(/battles/[^"]+)"', page)
    return match[1] if match else ""


def parse(page: str) -> Node:
    tree = _Tree()
    tree.feed(page)
    return tree.open[0]


@lru_cache(maxsize=1024)  # rules and features ask about the same pages
def sides(page: str, left: str, right: str) -> tuple[list[str], list[str]]:
    """Everything that belongs to the left token, and to the right one, masked so that equal sides read equal."""
    elements: tuple[list[str], list[str]] = ([], [])
    _collect(parse(page), (left, right), elements)
    return elements


def _collect(node: Node, tokens: tuple[str, str], elements: tuple[list[str], list[str]]) -> None:
    text = str(node)
    holds = [token in text for token in tokens]
    if all(holds):
        mine = [token in node.own() for token in tokens]
        if any(mine) and not all(mine):  # an element of one side around one of the other's: only its own words count
            which = mine.index(True)
            elements[which].append(masked(f"<{node.tag} {node.own()}>", tokens[which]))
        for child in node.children:
            if isinstance(child, Node):
                _collect(child, tokens, elements)
    elif any(holds):
        which = holds.index(True)
        elements[which].append(masked(text, tokens[which]))


def masked(text: str, token: str) -> str:
    """Text without its token, “left”, “right”, “A” and “B”, so that the two sides of a page can be compared."""
    return _LETTER.sub("X", _PLACE.sub("SIDE", text.replace(token, "TOKEN")))


def loaded(page: str) -> list[str]:
    """The URLs that a browser fetches by itself on this page, in their order."""
    urls: list[str] = []

    def walk(node: Node) -> None:
        attributes = dict(node.attributes)
        if node.tag == "link" and _LOADS & set(attributes.get("rel", "").lower().split()):
            urls.append(attributes.get("href", ""))
        if node.tag in ("img", "script", "source", "iframe", "video"):
            urls.append(attributes.get("src", ""))
        for part in attributes.get("srcset", "").split(","):
            urls.extend(part.split()[:1])
        for child in node.children:
            if isinstance(child, Node):
                walk(child)

    walk(parse(page))
    return list(dict.fromkeys(url for url in urls if url and not url.startswith("data:")))


def field_value(page: str, name: str) -> str:
    """The value of the page's first form field of that name."""

    def walk(node: Node) -> str | None:
        attributes = dict(node.attributes)
        if node.tag == "input" and attributes.get("name") == name:
            return attributes.get("value", "")
        for child in node.children:
            if isinstance(child, Node) and (value := walk(child)) is not None:
                return value
        return None

    return walk(parse(page)) or ""
