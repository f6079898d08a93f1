"""How a vote stands to those of others, in numbers and words.

With five votes of others on the very same two images, these speak. Before, the models' ratings say what to expect of
the pair, and the words call it an expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext_lazy

from arena.battle_page.reveal_registry import Crowd

ENOUGH = 5  # votes of others before their share says more than the ratings
EVEN = (45, 55)  # per cent: within, neither side is the larger one
_NUMBERS = (
    "", pgettext_lazy("votes", "one"), gettext_lazy("two"), gettext_lazy("three"), gettext_lazy("four"),
)  # fmt: skip
_HEADLINES = {
    ("votes", "with"): gettext_lazy("You agree with most."),
    ("votes", "against"): gettext_lazy("You see it differently."),
    ("votes", "split"): gettext_lazy("Others are split."),
    ("expected", "with"): gettext_lazy("You chose the favourite."),
    ("expected", "against"): gettext_lazy("You chose the outsider."),
    ("expected", "split"): gettext_lazy("Nobody could call this one."),
}


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
        return gettext("A tie, you say.")
    if outcome == "both_bad":
        return gettext("Neither, you say.")
    if not crowd.stand:
        return gettext("You chose A.") if outcome == "left" else gettext("You chose B.")
    return str(_HEADLINES[crowd.basis, crowd.stand])


def line(outcome: str, crowd: Crowd, others: Others) -> str:
    """What others did, in figures."""
    n = others.votes
    if not n:
        return (
            gettext("You are the first to vote on this pair.") if crowd.basis else gettext("First vote on these two.")
        )
    if n < ENOUGH:
        few = {"votes": n, "answers": _few(others)}
        return ngettext("%(votes)s other so far: %(answers)s.", "%(votes)s others so far: %(answers)s.", n) % few
    sentences = [_chosen(outcome) % {"left": others.left, "right": others.right, "votes": n}]
    if crowd.stand != "with":
        sentences.append(
            gettext("%(left)s chose A.") % {"left": others.left}
            if outcome == "right"
            else gettext("%(right)s chose B.") % {"right": others.right}
        )
    if others.both_bad:
        both_bad = ngettext("%(votes)s found both bad.", "%(votes)s found both bad.", others.both_bad)
        sentences.append(both_bad % {"votes": others.both_bad})
    return " ".join(sentences)


def _chosen(outcome: str) -> str:
    if outcome == "left":
        return gettext("%(left)s of %(votes)s others chose A, as you did.")
    if outcome == "right":
        return gettext("%(right)s of %(votes)s others chose B, as you did.")
    return gettext("%(left)s of %(votes)s others chose A.")


def _few(others: Others) -> str:
    answers = (
        (gettext("%(votes)s A"), others.left),
        (gettext("%(votes)s B"), others.right),
        (gettext("%(votes)s for a tie"), others.tie),
        (gettext("%(votes)s for neither"), others.both_bad),
    )
    return ", ".join(text % {"votes": _NUMBERS[votes]} for text, votes in answers if votes)
