"""Granian, with the application loaded before its workers are forked: they share what they never write to.

    python -m config.demo.serve MODULE [Granian's own arguments]

Granian loads it in each worker, which costs every one of them all of it. A worker that ended is also back at once.
"""

import gc
import importlib
import sys

from granian.cli import entrypoint

if __name__ == "__main__":
    importlib.import_module(sys.argv.pop(1))
    gc.collect()
    gc.freeze()  # or the first search for garbage would write to every object, and nothing would be shared
    entrypoint()  # type: ignore[no-untyped-call]
