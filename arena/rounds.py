"""Votes come in rounds of five, each with a card at its end: which round a voter is in, and how far.

Pure: everything follows from the number of votes. A round is shorter only where no pair is left to fill it.
"""

from __future__ import annotations

from dataclasses import dataclass

SIZE = 5  # votes of a round; our judgement
LEAST = 3  # votes of a shorter one, at the end of the pairs, that are worth a card


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """Where a pair stands: in the round of this number it is the one after `done`, of `size`. Of those done, the votes
    whose bit is set in `uncounted` do not count."""

    number: int
    done: int
    size: int = SIZE
    uncounted: int = 0

    @property
    def position(self) -> int:
        return min(self.done + 1, self.size)

    @property
    def marks(self) -> tuple[str, ...]:
        """A class for each of five bars: done, uncounted, current, to come (""), or absent from a shorter round."""
        return tuple(self._mark(n) for n in range(SIZE))

    def _mark(self, n: int) -> str:
        if n < self.done:
            return "is-uncounted" if self.uncounted >> n & 1 else "is-done"
        return "is-absent" if n >= self.size else "is-current" if n == self.done else ""


def of_pair(votes: int, uncounted: int = 0, *, is_last: bool = False) -> RoundProgress:
    """The place of a pair that is asked after so many votes, those of its round that do not count given as bits;
    `is_last` where none can follow it."""
    done = votes % SIZE
    return RoundProgress(votes // SIZE + 1, done, done + 1 if is_last else SIZE, uncounted)


def of_answered(votes: int, uncounted: int = 0, *, is_last: bool = False) -> RoundProgress:
    """The place of the pair whose vote was the last of so many."""
    return of_pair(max(votes - 1, 0), uncounted, is_last=is_last)


def finished(votes: int, *, is_last: bool = False) -> int | None:
    """The number of the round that the last of so many votes completed; None in the middle of one."""
    is_over = votes % SIZE == 0 or (is_last and votes % SIZE >= LEAST)
    return -(-votes // SIZE) if votes and is_over else None
