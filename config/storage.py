"""Static files under names that carry a hash of their content, so that browsers may cache them for ever."""

import re
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

# A comment on lines of its own; what stands in front of a line; empty lines. So nothing inside a line can be mistaken
# for a comment, and lines stay lines: no semicolon has to be guessed.
_SPARE = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*\n|//[^\n]*\n|\n)|^[ \t]+", re.MULTILINE | re.DOTALL)


def squeezed(source: str | bytes) -> bytes:
    """A style sheet or script without what only its readers need: a sixth of its compressed bytes."""
    return _SPARE.sub(b"", source.encode() if isinstance(source, str) else source)


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    # Our scripts import each other: every "./pair.js" becomes the hashed name, in whatever form of import it stands.
    # Django's own support for that reads every script, and fails on comments in those of installed packages.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            ((r'(?P<matched>"(?P<url>\./[\w.-]+\.js)")', '"%(url)s"'),),
        ),
    )

    def __init__(self, location: str | Path | None = None, base_url: str | None = None) -> None:
        # Collected by one account (root, while an image is built), read by another. What people upload is for the
        # site's own account alone (FILE_UPLOAD_PERMISSIONS); that setting would otherwise count here, too.
        super().__init__(location, base_url, file_permissions_mode=0o644, directory_permissions_mode=0o755)

    def _save(self, name: str, content: Any) -> str:
        """No half of a file stays on a full disk: `collectstatic` would take it for the newer one, and hash it."""
        if name.startswith(("css/", "js/")):  # ours; packages have folders of their own
            content.seek(0)  # who made the name has read it
            content = ContentFile(squeezed(content.read()))
        try:
            return str(super()._save(name, content))
        except OSError:
            self.delete(name)
            raise
