"""Generating the images: plan, dispatch, claim, run, store.

The rows are the queue. A worker owns a generation by moving it to `running` in one UPDATE (compare-and-set) for the
length of its lease; when a worker dies, the lease runs out and the row is due again. An image is stored only while the
attempt that brought it still owns the row, so nothing is ever stored twice. What cannot be sent now – a limit, an open
circuit, a spending cap – goes back into the queue with the reason and uses up no attempt.

An image is bought once. Storing it is part of the attempt: when the file store does not take it, its bytes wait in the
database (`SpooledImage`, status `storing`) and are stored from there, without asking the provider again. While files
cannot be stored, nobody is asked. What was retired or closed while it was queued is cancelled instead of asked.

A fault that may pass – the provider is down, hangs, answers with garbage – is tried again after growing pauses, over
about ten minutes. What may have been charged without bringing an image is tried once more, minutes later.

queue           plan, dispatch, retry, cancel: which rows are queued, and which are due
attempts        claim and run one generation, settle what became of it
storage         the entry and its files; spooled bytes
re_encoding     new files from old originals, after the pipeline has changed
cost_estimates  what asking the models would cost, shown before anything is asked
spend_cap       what a competition's images have cost, and its cap
progress        how many images of a category exist while others are generated
"""

from arena.generation.attempts import claim, request_for, run
from arena.generation.queue import (
    REDISPATCH_SECONDS,
    ahead_of,
    cancel,
    plan,
    plan_all,
    plan_check,
    retry_capped,
    retry_failed,
    take_due,
    unchecked,
)
from arena.generation.re_encoding import re_encode, re_encode_next
from arena.generation.storage import store

__all__ = [
    "REDISPATCH_SECONDS",
    "ahead_of",
    "cancel",
    "claim",
    "plan",
    "plan_all",
    "plan_check",
    "re_encode",
    "re_encode_next",
    "request_for",
    "retry_capped",
    "retry_failed",
    "run",
    "store",
    "take_due",
    "unchecked",
]
