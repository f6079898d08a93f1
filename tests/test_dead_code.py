"""Every function, class and method has a use outside the tests, so that no test guards a twin that nothing calls.

A use is found by name: of a function, in its own module or in one that also imports its module; of a method, anywhere.
So a name as common as `recent` may hide a dead function, but nothing that is used is ever reported.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
APPS = ("arena", "config", "leaderboard", "providers")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# What only tests call, with the reason. Lines leave this list with the code they name.
ALLOWED = {
    "arena/admin/competitions.py:view_on_site": "Django's admin calls it for its link",
    "arena/admin/prompts.py:prepare_value": "Django calls it for a bound field",
    "arena/monthly_indexes.py:AddIndexByMonth": "for migrations to come: their linter asks for it",
    "arena/monthly_indexes.py:RemoveIndexByMonth": "likewise",
}
# Classes and methods that Django, Celery, asyncio, argparse or the standard library look up by name.
FRAMEWORK = re.compile(
    r"Command|\w+Config|__\w+__|clean\w*|get_\w+|has_\w+|save\w*|formfield_\w+|handle\w*|add_arguments|ready|run|lookups|"
    r"queryset|to_python|to_url|render\w*|delete\w*|construct_\w+|validate\w*|process_\w+|changelist_view|changeform_view|"
    r"connection_\w+|\w+_writing|response_\w+|message_user|value_from_datadict|do_[A-Z]+|log_\w+|feed|close|database_(?:for|back)wards|read|write|execute|emit|format"
)
# Decorators that change a function. Every other one registers it with something that will call it.
CHANGING = {"property", "cached_property", "staticmethod", "classmethod", "dataclass", "contextmanager", "cache"}


@functools.cache
def modules() -> dict[str, ast.Module]:
    paths = (path for app in (*APPS, "benchmarks") for path in (ROOT / app).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
        for path in paths
        if "migrations" not in path.parts
    }


@functools.cache
def words(*nodes: ast.AST) -> set[str]:
    """What code mentions: variables, attributes, keywords, imports, words of short strings."""
    mentioned: set[str] = set()
    for root in nodes:
        for node in ast.walk(root):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                    mentioned.add(name)
                case ast.alias(name=name):
                    mentioned.update(name.split("."))
                case ast.ImportFrom(module=str(name)):
                    mentioned.update(name.split("."))
                case ast.Constant(value=str(text)) if len(text) < 400:
                    mentioned.update(re.findall(r"\w+", text))
    return mentioned


def is_registered(node: Definition) -> bool:
    names = {getattr(part, "id", getattr(part, "attr", "")) for line in node.decorator_list for part in ast.walk(line)}
    return bool(node.decorator_list) and not names & CHANGING


def definitions(tree: ast.Module) -> Iterator[tuple[Definition, bool]]:
    """Top-level functions and classes, and methods (True)."""
    for node in tree.body:
        if isinstance(node, Definition):
            yield node, False
        if isinstance(node, ast.ClassDef):
            yield from ((part, True) for part in node.body if isinstance(part, Definition))


@functools.cache
def nested_definitions(tree: ast.Module) -> list[Definition]:
    return [part for part in ast.walk(tree) if isinstance(part, Definition)]


def unused() -> list[str]:
    trees = modules()
    mentioned = {name: set[str]().union(*map(words, tree.body)) for name, tree in trees.items()}
    templates = {
        word
        for path in (ROOT / "templates").rglob("*")
        if path.is_file()
        for word in re.findall(r"\w+", path.read_text())
    }
    dead = []
    for name, tree in trees.items():
        stem = Path(name).parent.name if name.endswith("__init__.py") else Path(name).stem
        face = mentioned.get(f"{Path(name).parent.as_posix()}/__init__.py", set())  # a package may re-export
        for node, is_method in definitions(tree):
            if name.startswith("benchmarks/") or FRAMEWORK.fullmatch(node.name) or is_registered(node):
                continue
            others = [mentioned[other] for other in trees if other != name and node.name in mentioned[other]]
            if is_method:
                is_used = bool(others) or any(
                    node.name in words(*part.body) for part in nested_definitions(tree) if part is not node
                )
            else:
                inside = any(
                    node.name in words(part) for part in tree.body if part is not node and not _is_export(part)
                )
                imported = {stem, Path(name).parent.name} if node.name in face else {stem}
                is_used = inside or any(imported & other for other in others)
            if not is_used and node.name not in templates:
                dead.append(f"{name}:{node.name}")
    return dead


def _is_export(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets)


def test_nothing_is_called_by_tests_alone():
    assert set(unused()) - set(ALLOWED) == set()
