"""Whether a job that a provider has accepted may still bring its image, after we have stopped waiting for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from providers.errors import AnswerLost, TimedOut

from .reply import Reply


@contextmanager
def job_stays_open() -> Iterator[None]:
    """Around what cannot be cancelled, or is done and is fetched: where the time ends, it can be fetched later."""
    try:
        yield
    except TimedOut as error:
        error.job_is_open = True
        raise


def give_up(error: BaseException, cancelled: Reply | None) -> None:
    """After `error` a job was cancelled, with this answer: the job stays open where the provider did not agree."""
    if isinstance(error, TimedOut | AnswerLost):
        error.job_is_open = cancelled is None and (error.job_is_open or isinstance(error, TimedOut))
