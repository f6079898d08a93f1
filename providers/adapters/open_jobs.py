"""Whether a job that a provider has accepted may still bring its image, after we have stopped waiting for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from providers.errors import AnswerLost, TimedOut


@contextmanager
def job_stays_open() -> Iterator[None]:
    """Around what cannot be cancelled, or is done and is fetched: where the time ends, it can be fetched later."""
    try:
        yield
    except TimedOut as error:
        error.job_is_open = True
        raise


def give_up(error: BaseException, *, has_agreed: bool) -> None:
    """After `error` a job was to be cancelled. It stays open where the provider has not agreed: perhaps it is done."""
    if isinstance(error, TimedOut | AnswerLost):
        error.job_is_open = not has_agreed and (error.job_is_open or isinstance(error, TimedOut))
