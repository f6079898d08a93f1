"""How a vote stands to those of others, in numbers and words. Pure.

With five votes of others on the very same two images, these speak. Before, the models' ratings say what to expect of
the pair, and the words call it an expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

from arena.reveals import Crowd

ENOUGH = 5  # votes of others before their share says more than the ratings
EVEN = (45, 55)  # per cent: within, neither side is the larger one
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Others:
    """How others answered on the same two images, turned the way this voter saw them."""

    left: int
    tie: int
    both_bad: int
    right: int

    @property
    def votes(self) -> int:
        return self.left + self.tie + self.both_bad + self.right

    @property
    def share(self) -> int | None:
        """Of A, in whole per cent; None where nobody preferred anything."""
        decided = self.left + self.tie + self.right
        return round(100 * (self.left + self.tie / 2) / decided) if decided else None


def without(counts: Others, outcome: str) -> Others:
    """The counts without one vote of this outcome; "" for none."""
    left, tie, both_bad, right = (
        max(0, count - (outcome == name))
        for name, count in (
            ("left", counts.left), ("tie", counts.tie), ("both_bad", counts.both_bad), ("right", counts.right),
        )
    )  # fmt: skip
    return Others(left, tie, both_bad, right)


def of(outcome: str, others: Others, expected: float | None) -> Crowd:
    """`expected` is the chance of A by both ratings; None where one of the models has none."""
    share = others.share
    if share is not None and (others.votes >= ENOUGH or expected is None):
        basis, left = "votes", share
    elif expected is not None:
        basis, left = "expected", round(100 * min(max(expected, 0.01), 0.99))
    else:
        return Crowd("", 50, others.votes, "")
    if outcome not in ("left", "right") or (basis == "votes" and others.votes < ENOUGH):
        return Crowd(basis, left, others.votes, "")
    own = left if outcome == "left" else 100 - left
    stand = "split" if EVEN[0] <= own <= EVEN[1] else "with" if own > EVEN[1] else "against"
    return Crowd(basis, left, others.votes, stand)


def headline(outcome: str, crowd: Crowd) -> str:
    """One short sentence."""
    if outcome == "tie":
        return "A tie, you say."
    if outcome == "both_bad":
        return "Neither, you say."
    if not crowd.stand:
        return f"You chose {'A' if outcome == 'left' else 'B'}."
    words = {
        "votes": {"with": "You agree with most.", "against": "You see it differently.", "split": "Others are split."},
        "expected": {
            "with": "You chose the favourite.",
            "against": "You chose the outsider.",
            "split": "Nobody could call this one.",
        },
    }
    return words[crowd.basis][crowd.stand]


def line(outcome: str, crowd: Crowd, others: Others) -> str:
    """What others did, in figures."""
    n = others.votes
    if not n:
        return "You are the first to vote on this pair." if crowd.basis else "First vote on these two."
    if n < ENOUGH:
        return f"{n} other{'' if n == 1 else 's'} so far: {_few(others)}."
    chosen, letter = (others.right, "B") if outcome == "right" else (others.left, "A")
    other, other_letter = (others.left, "A") if outcome == "right" else (others.right, "B")
    text = f"{chosen} of {n} others chose {letter}" + (", as you did." if outcome in ("left", "right") else ".")
    if crowd.stand != "with":
        text += f" {other} chose {other_letter}."
    return text + (f" {others.both_bad} found both bad." if others.both_bad else "")


def _few(others: Others) -> str:
    counts = (("A", others.left), ("B", others.right), ("a tie", others.tie), ("neither", others.both_bad))
    return ", ".join(f"{_NUMBERS[count]} {name}" if name in "AB" else f"{_NUMBERS[count]} for {name}"
                     for name, count in counts if count)  # fmt: skip
