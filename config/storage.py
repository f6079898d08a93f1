"""Static files under names that carry a hash of their content, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    # Our scripts import each other: in `import … from "./pair.js"` the name becomes the hashed one. Django's own support
    # for that reads every script, and stumbles over what installed packages say in their comments.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r'(?P<matched>from "(?P<url>\./[\w.-]+)")', 'from "%(url)s"'),)),
    )
