"""Static files under names that carry a hash of their content, so that browsers may keep them for ever."""

from collections.abc import Callable
from re import Match

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    # Our scripts import each other: in `import … from "./pair.js"` the name becomes the hashed one. Django's own
    # support for that reads every script, and stumbles over what installed packages say in their comments.
    # Comments are for those who read the sources; browsers would load them with every first visit.
    patterns = (
        ("css/*.css", ((r"(?s)(?P<comment>/\*.*?\*/\s*)", ""),)),
        ("js/*.js", ((r"(?sm)(?P<comment>^ *//[^\n]*\n|^ */\*\*.*?\*/\s*)", ""),)),
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r'(?P<matched>from "(?P<url>\./[\w.-]+)")', 'from "%(url)s"'),
                (r'(?P<matched>import\("(?P<url>\./[\w.-]+)"\))', 'import("%(url)s")'),
            ),
        ),
    )

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[Match[str]], str]:
        convert = super().url_converter(name, hashed_files, template)
        return lambda found: "" if "comment" in found.groupdict() else convert(found)
