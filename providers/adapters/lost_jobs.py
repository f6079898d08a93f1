"""A job that was made, though the answer that names it did not arrive, is found in the provider's list of jobs.

It is recognised by its seed: one that is ours alone, chosen where the request names none and the model takes one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.errors import ProviderError
from providers.request import ProviderCall

from .wire import Wire

CLOCKS_DIFFER = timedelta(minutes=5)  # the provider's and ours, at most


def with_own_seed(call: ProviderCall) -> ProviderCall:
    """The call with a seed that nobody else has, where the model takes one and the request names none."""
    if not call.spare_seed:
        return call
    return replace(call, arguments={**call.arguments, call.spare_seed: secrets.randbelow(2**31)})


def earliest_start() -> str:
    """Before any job that is submitted from now on, by the provider's clock; ISO 8601."""
    return (datetime.now(UTC) - CLOCKS_DIFFER).isoformat()


def find(
    wire: Wire, call: ProviderCall, url: str, pauses: Sequence[float], *, rows: str, arguments: str
) -> dict[str, Any] | None:
    """The row of the job that this call has made; None where the list does not show it in time.

    `pauses` are the seconds before each look at `url`, whose answer has the jobs in `rows`, what was requested of each
    in `arguments`. `call` is one that `with_own_seed` has returned.
    """
    if not call.spare_seed:
        return None
    seed = call.arguments[call.spare_seed]
    for pause in pauses:
        try:
            wire.deadline.sleep(pause, "looking for a job", possibly_charged=True)
            listed = wire.ask(url).object().get(rows)
        except ProviderError:
            return None
        for row in listed if isinstance(listed, list) else ():
            given = row.get(arguments) if isinstance(row, dict) else None
            if isinstance(given, dict) and given.get(call.spare_seed) == seed:
                return dict(row)
    return None
