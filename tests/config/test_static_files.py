"""Static files as a deployment serves them: collected, hashed, compressed."""

from __future__ import annotations

import errno
import importlib.resources
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from fontTools.ttLib import TTFont

from config import subset_font
from config.storage import HashedStaticFiles, squeezed

SOURCES = settings.BASE_DIR / "static" / "js"


def characters(ranges: str) -> set[int]:
    """Of a `unicode-range`."""
    bounds = [part.strip().removeprefix("U+").split("-") for part in ranges.split(",")]
    return {code for low, *high in bounds for code in range(int(low, 16), int((high or [low])[0], 16) + 1)}


def test_the_part_of_the_typeface_is_small_and_has_the_letters_that_the_style_sheet_says(settings, tmp_path: Path):
    settings.VAR_DIR = tmp_path
    path = finders.find(subset_font.NAME)
    assert path is not None
    assert len(brotli.compress(Path(path).read_bytes())) < 27_000
    assert [name for name, _ in subset_font.SubsetFontFinder().list(None)] == [subset_font.NAME]
    rest, latin = re.findall(r"unicode-range: ([^;]+);", (SOURCES.parent / "css/tokens.css").read_text())
    assert latin == subset_font.UNICODES
    whole = importlib.resources.files("font_manrope") / "files" / "Manrope-VariableFont_wght.ttf"
    with TTFont(str(whole)) as font:
        known = {code for code in font.getBestCmap() if code < 0xE000 or code >= 0xF900}  # none of private use
        features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
    assert "tnum" in features
    with TTFont(path) as font:
        assert set(font.getBestCmap()) == known & characters(latin)
        assert {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord} >= {"tnum"}
        assert (font["fvar"].axes[0].minValue, font["fvar"].axes[0].maxValue) == subset_font.WEIGHTS
    assert known <= characters(latin) | characters(rest)
    assert not characters(latin) & characters(rest)  # a character of both would load both


def test_scripts_import_each_other_by_names_that_exist(tmp_path: Path):
    storage = HashedStaticFiles(location=tmp_path, base_url="/static/")
    sources = FileSystemStorage(SOURCES.parent)
    paths = {}
    for source in SOURCES.glob("*.js"):
        name = source.relative_to(SOURCES.parent).as_posix()
        with source.open("rb") as file:
            storage.save(name, file)
        paths[name] = (sources, name)
    for _, _, done in storage.post_process(paths):
        assert not isinstance(done, Exception), done
    imported = [
        (script.name, name)
        for script in tmp_path.glob("js/*.js")
        for name in re.findall(r"""["'`]\./([^"'`]+)["'`]""", script.read_text())
    ]
    text = "".join(source.read_text() for source in SOURCES.glob("*.js"))
    assert all(re.search(rf'\b{form}"\./', text) for form in ("from ", "import ", r"import\(")), "a form is untried"
    for importer, name in imported:
        assert re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.js", name), (importer, name)
        assert (tmp_path / "js" / name).exists(), (importer, name)


def test_collected_files_can_be_read_by_an_account_that_did_not_collect_them(tmp_path: Path):
    storage = HashedStaticFiles(location=tmp_path, base_url="/static/")
    with (SOURCES / "pair.js").open("rb") as file:
        storage.save("js/pair.js", file)
    assert list(storage.post_process({"js/pair.js": (FileSystemStorage(SOURCES.parent), "js/pair.js")}))
    unreadable = [path.name for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_mode & 0o044 != 0o044]
    assert (tmp_path / "staticfiles.json").exists()
    assert not unreadable
    assert (tmp_path / "js").stat().st_mode & 0o055 == 0o055


def test_a_full_disk_leaves_no_half_of_a_file(tmp_path: Path):
    """It would be newer than its source, so that the next `collectstatic` leaves it, and serves it for ever."""

    class FillsTheDisk(ContentFile[bytes]):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"body { color"
            raise OSError(errno.ENOSPC, "No space left on device")

    storage = HashedStaticFiles(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        storage.save("img/mark.svg", FillsTheDisk(b"body { color: red }"))
    assert not storage.exists("img/mark.svg")
    assert storage.save("img/mark.svg", ContentFile(b"body { color: red }")) == "img/mark.svg"


def test_comments_and_indentation_go_and_nothing_else():
    source = """/* Of two
   lines. */
  .a { color: red; } /* stays */ .b::before { content: "/* no comment */"; }

// A line.
  const url = "https://example.org"; // stays
  /** Words. */
\tgo(url);
"""
    assert squeezed(source).decode().splitlines() == [
        '.a { color: red; } /* stays */ .b::before { content: "/* no comment */"; }',
        'const url = "https://example.org"; // stays',
        "go(url);",
    ]
    assert squeezed(squeezed(source)) == squeezed(source)


def test_no_text_of_our_own_runs_over_lines():
    """Its second line could look like a comment."""
    for path in SOURCES.glob("*.js"):
        assert not [number for number, line in enumerate(path.read_text().splitlines(), 1) if line.count("`") % 2], path


def test_only_our_own_files_are_squeezed(tmp_path: Path):
    sources, storage = FileSystemStorage(tmp_path / "from"), HashedStaticFiles(tmp_path / "to", "/static/")
    names = ["js/ours.js", "admin/js/theirs.js"]
    for name in names:
        sources.save(name, ContentFile(b"// words\ngo();\n"))
        with sources.open(name) as file:
            storage.save(name, file)
    assert list(storage.post_process({name: (sources, name) for name in names}))
    for name, content in zip(names, (b"go();\n", b"// words\ngo();\n"), strict=True):
        assert (tmp_path / "to" / storage.stored_name(name)).read_bytes() == content
