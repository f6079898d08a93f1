"""Static files as a deployment serves them: collected, hashed, compressed."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage

from config.storage import HashedStaticFiles

SOURCES = settings.BASE_DIR / "static" / "js"


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
