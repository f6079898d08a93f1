"""Keys and models that were just looked up, so that a burst of images does not look them up again for each.

What is cached may have changed meanwhile – a key revoked, a model retired – so nothing is decided by it alone: the
statement that stores the request confirms key and model (`idempotency.claim`), and where it finds them changed, both
are deleted here and looked up again. So a change counts at once, and costs a second look-up only when there was one.
"""

from __future__ import annotations

from providers.cache import ProcessCache
from providers.models import ApiKey
from providers.routing.selection import Target

SECONDS = 5.0


class Changed(Exception):
    """The key or the model is not what it was when it was cached."""


api_keys: ProcessCache[str, ApiKey] = ProcessCache(seconds=SECONDS, max_entries=1000)  # by digest
targets: ProcessCache[tuple[int, str], Target] = ProcessCache(seconds=SECONDS, max_entries=1000)  # by key and name
