"""Rules by which votes do not count: their names with versions, and the sentence that a voter reads.

A rule's name is stored with every vote it leaves out; a change of what a rule does is a new version. Pure: no Django.
"""

from __future__ import annotations

from dataclasses import dataclass


def gettext_noop(text: str) -> str:
    """Marks a text for translation: its readers' language is known where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class VoteRule:
    """`title` names it in the ledger, `means` says what it does there, `reason` completes “it does not count: …”."""

    name: str
    title: str
    means: str
    reason: str
    since: str  # the day of this version


CAP = VoteRule(
    "cap-3", gettext_noop("Over the limit of one voter"),
    gettext_noop("more than one voter's share of a board, until it has grown"),
    gettext_noop("beyond the first {cap} votes of one voter in {days} days, until the board has grown"), "2026-11-30",
)  # fmt: skip
LARGER_CAP = VoteRule(
    "cap-2",
    gettext_noop("Over the limit of one voter"),
    gettext_noop("more than one voter's share, which was twice as large; replaced by cap-3"),
    "",
    "2026-11-30",
)
FIXED_CAP = VoteRule(
    "cap-1",
    gettext_noop("Over a limit that did not grow"),
    gettext_noop("more than 200 votes of one voter; replaced by cap-2"),
    "",
    "2026-11-28",
)
gettext_noop("beyond this voter's 200 counted votes in 90 days")  # as cap-1 has stored it
UNSEEN = VoteRule(
    "unseen-1", gettext_noop("Images not loaded"),
    gettext_noop("at least one of the two was never fetched"),
    gettext_noop("at least one of the two images was never loaded by this browser"), "2026-11-30",
)  # fmt: skip
FAST = VoteRule(
    "fast-1", gettext_noop("Too fast to have looked"),
    gettext_noop("cast sooner after both images stood than anybody can look"),
    gettext_noop("it came sooner after the images than anybody can look at them"), "2026-11-30",
)  # fmt: skip
SIDE = VoteRule(
    "side-1", gettext_noop("Always the same side"),
    gettext_noop("the running test of side: left or right, whatever stands there"),
    gettext_noop("this browser's votes follow one side of the screen, whatever stands there"), "2026-11-30",
)  # fmt: skip
ONE_MODEL = VoteRule(
    "one-model-1", gettext_noop("Pushes or sinks one model"),
    gettext_noop("the running test of votes for and against single models"),
    gettext_noop("this browser's votes push or sink one model, beyond what tastes explain"), "2026-11-30",
)  # fmt: skip
INFLUENCE = VoteRule(
    "influence-1", gettext_noop("Moves one model's rating"),
    gettext_noop("the running test of votes that all move one rating the same way"),
    gettext_noop("this browser's votes all move one model's rating the same way"), "2026-11-30",
)  # fmt: skip
CONSENSUS = VoteRule(
    "consensus-1", gettext_noop("Copies the ranking"),
    gettext_noop("the running test of votes that repeat the board"),
    gettext_noop("this browser's votes repeat the ranking, whatever the pictures show"), "2026-11-30",
)  # fmt: skip
TIES = VoteRule(
    "ties-1", gettext_noop("Always equal"),
    gettext_noop("the running test of ties and both-bad"),
    gettext_noop("nearly all of this browser's votes are “Tie” or “Both bad”"), "2026-11-30",
)  # fmt: skip
SKIPS = VoteRule(
    "skips-1", gettext_noop("Picks its pairs"),
    gettext_noop("the running test of skips: until one model comes"),
    gettext_noop("this browser skips pairs until one model comes"), "2026-11-30",
)  # fmt: skip
NETWORK = VoteRule(
    "network-1", gettext_noop("New voters of one network agree"),
    gettext_noop("the running test of first votes and first pairs of one network"),
    gettext_noop("the first votes from your network follow one pattern; a curator can let them count"), "2026-11-30",
)  # fmt: skip
WITHDRAWN = VoteRule(
    "withdrawn-1",
    gettext_noop("Withdrawn"),
    gettext_noop("deleted by the voter"),
    gettext_noop("withdrawn by the voter"),
    "2026-11-30",
)
CURATOR = VoteRule(
    "curator-1", gettext_noop("By a curator"), gettext_noop("decided by hand, with a reason"), "", "2026-11-28"
)
NOT_BLIND = VoteRule(
    "not-blind-1", gettext_noop("Not blind"),
    gettext_noop("an image named its model"),
    gettext_noop("an image of the pair named its model"), "2026-11-28",
)  # fmt: skip

ALL = {
    rule.name: rule
    for rule in (FAST, UNSEEN, CAP, LARGER_CAP, FIXED_CAP, SIDE, TIES, ONE_MODEL, INFLUENCE, CONSENSUS, SKIPS, NETWORK,
                 CURATOR, NOT_BLIND, WITHDRAWN)
}  # fmt: skip
CAPS = (CAP.name, LARGER_CAP.name, FIXED_CAP.name)
AT_THE_VOTE = (*CAPS, UNSEEN.name, FAST.name)  # decided by the vote's own statement, about that vote alone
OF_FAMILY = {
    "side": SIDE, "one model": ONE_MODEL, "influence": INFLUENCE, "consensus": CONSENSUS, "ties": TIES,
}  # fmt: skip
