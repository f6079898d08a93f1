"""Static files under names that carry a hash of their content, so that browsers may cache them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


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
