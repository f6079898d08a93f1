"""Documents and comments name modules, commands and locks that exist."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).parents[1]
APPS = ("arena", "config", "leaderboard", "providers")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TREES = ("arena", "benchmarks", "bin", "config", "docs", "leaderboard", "providers", "static", "templates", "tests")
PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join(TREES)})/[\w./-]*\w(?:\.\w+)?)")
# A line of a package's docstring that names a module and says what it is for.
LISTED = re.compile(r"^([a-z_]+) {2,}\S", re.MULTILINE)
# Names of templates and the like, which are not paths from the root.
NOT_FILES = {
    "leaderboard/model.md",
    "providers/pricing.py",
}  # the latter in a help text, which a migration would follow


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    files = {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}
    if not files:  # an unpacked archive
        files = {path.relative_to(ROOT).as_posix() for tree in TREES for path in (ROOT / tree).rglob("*")}
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    return files | folders


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_files_that_exist(document: Path):
    files = tracked()
    text = document.read_text()
    for span in code_spans(text):
        for name in PATH.findall(span):
            assert name.rstrip("/") in files, f"{document.name}: {name}"
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_functions_and_modules_that_exist(document: Path):
    """`module.function` in a document: some module of that name has the function."""
    if document.name == "CHANGELOG.md":  # also of what is gone, and of fields of responses
        return
    sources = {name: (ROOT / name) for name in tracked() if name.endswith(".py")}
    for span in code_spans(document.read_text()):
        if not (match := re.fullmatch(r"([a-z_]+)\.([A-Za-z_]+)(?:\(\))?", span)):
            continue
        module, name = match.groups()
        places = [path for path in sources if path.endswith((f"/{module}.py", f"/{module}/__init__.py"))]
        if places:
            texts = [sources[path].read_text() for path in places]
            assert any(re.search(rf"\b{name}\b", text) for text in texts), f"{document.name}: {span}"
        elif (folder := ROOT / module).is_dir():
            assert (folder / f"{name}.py").exists() or (folder / name).exists(), f"{document.name}: {span}"


def test_comments_name_only_modules_that_exist():
    files = tracked()
    wrong = []
    for name in sorted(files):
        if name.endswith(".py") and "/migrations/" not in name:
            for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
                prose = line.partition("#")[2] if "#" in line else line if re.match(r"\s*[\"A-Za-z`(]", line) else ""
                wrong += [
                    f"{name}:{number}: {path}"
                    for path in re.findall(rf"(?<![\w/.-])((?:{'|'.join(TREES)})/[\w/]+\.(?:py|md|toml|js))", prose)
                    if path not in files | NOT_FILES
                ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_commands_and_options_that_exist(document: Path):
    commands = get_commands()
    text = document.read_text()
    for line in re.findall(r"(?:manage\.py|bin/manage) ([a-z_]+[^`|\n]*)", text):
        name, *rest = line.split()
        assert name in commands, f"{document.name}: {name}"
        app = commands[name]
        parser = (load_command_class(app, name) if isinstance(app, str) else app).create_parser("manage.py", name)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(rest)):
            assert option in parser._option_string_actions, f"{document.name}: {name} {option}"
    for module in re.findall(r"python -m ([a-z_.]+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists() or module in ("venv",), module
    for script in re.findall(r"`(bin/[a-z]+)", text):
        assert (ROOT / script).exists(), script


LOCK = r"select_for_update|FOR (NO KEY )?UPDATE|pg_(try_)?advisory"


def test_the_page_of_locks_names_every_lock_with_its_module():
    page = (ROOT / "docs" / "locking.md").read_text()
    for app in ("arena", "leaderboard", "providers", "config"):
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            source, name = path.read_text(), path.relative_to(ROOT).as_posix()
            if re.search(LOCK, source):
                assert f"`{name}`" in page, f"{name} takes a lock that docs/locking.md does not list"
            for key in re.findall(r"^_LOCK\w* = (0x[0-9A-F]+)", source, re.MULTILINE):
                assert f"`{key}`" in page, f"{name}: {key}"
            for call in re.findall(r"pg_(?:try_)?advisory_\w+\((hash\w+\([^)]*\))", source):
                assert call.partition("(")[0] in page, f"{name}: {call}"
    for name in re.findall(r"`([a-z_/]+\.py)`", page):
        assert re.search(LOCK, (ROOT / name).read_text()), f"docs/locking.md lists a lock of {name}, which takes none"


def test_no_two_modules_share_an_advisory_key():
    keys: dict[str, str] = {}
    for app in ("arena", "leaderboard", "providers", "config"):
        for path in (ROOT / app).rglob("*.py"):
            for key in re.findall(r"^_LOCK\w* = (0x[0-9A-F]+)", path.read_text(), re.MULTILINE):
                assert keys.setdefault(key, path.name) == path.name
    assert len(keys) >= 6


@pytest.mark.parametrize(
    "package",
    [path for app in APPS for path in sorted((ROOT / app).rglob("__init__.py")) if LISTED.search(path.read_text())],
    ids=lambda path: str(path.parent.relative_to(ROOT)),
)
def test_a_package_that_lists_its_modules_lists_all_of_them(package: Path):
    listed = LISTED.findall(ast.get_docstring(ast.parse(package.read_text())) or "")
    modules = {path.stem for path in package.parent.glob("*.py")} | {path.name for path in package.parent.glob("*/")}
    assert set(listed) == modules - {"__init__", "__pycache__", "locale", "urls"}
