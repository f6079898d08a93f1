"""Static files under names that carry a hash of their content, so that browsers may cache them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    # Our scripts import each other: in `import … from "./pair.js"` the name becomes the hashed one. Django's own
    # support for that reads every script, and fails on comments in those of installed packages.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r'(?P<matched>from "(?P<url>\./[\w.-]+)")', 'from "%(url)s"'),
                (r'(?P<matched>import\("(?P<url>\./[\w.-]+)"\))', 'import("%(url)s")'),
            ),
        ),
    )
