"""The sentences about two models that take more than one form. Pure."""

from __future__ import annotations

from leaderboard.rating.number_words import rounded, times
from providers.web.sentence import per_cent, sentence, sentences


def early(votes: int, more_votes: int | None) -> str:
    """Before so many votes between the two support a conclusion; `more_votes` would, None where unforeseeable."""
    between = (
        sentences(
            "Too early: %(votes)s vote between them.", "Too early: %(votes)s votes between them.", votes, votes=votes
        )
        if votes
        else sentence("Too early: no vote between them.")
    )
    if not more_votes:
        return between
    return sentence("%(between)s About %(votes)s more would decide.", between=between, votes=rounded(more_votes))


def level(share: float, lower: float, upper: float, cheaper: str) -> str:
    """Between whom votes see no difference; `cheaper` is the one that costs less, "" if that is not known."""
    values = {"share": per_cent(round(100 * share)), "low": f"{100 * lower:.0f}", "high": f"{100 * upper:.0f}"}
    if not cheaper:
        return sentence("Votes see no difference (%(share)s, %(low)s–%(high)s).", **values)
    return sentence(
        "Votes see no difference (%(share)s, %(low)s–%(high)s); %(name)s costs less.", name=cheaper, **values
    )


def dearer(winner: str, wins: int, factor: float) -> str:
    """The better of the two costs more, `factor` times as much."""
    return sentence(
        "%(winner)s wins %(wins)s of 10 and costs %(times)s as much.", winner=winner, wins=wins, times=times(factor)
    )


def better(winner: str, *, is_cheaper: bool, is_faster: bool) -> str:
    """In more than votes: price, time, or both."""
    if is_cheaper and is_faster:
        return sentence("%(winner)s: better, cheaper and faster.", winner=winner)
    if is_cheaper:
        return sentence("%(winner)s: better and cheaper.", winner=winner)
    return sentence("%(winner)s: better and faster.", winner=winner)
