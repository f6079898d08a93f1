"""What a model's standing comes to, beside its chart: claims with their evidence and, where it helps, a link. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.board_page.filters import BoardRow
from leaderboard.profiles.competitions import TagScore
from leaderboard.profiles.head_to_head import Matchups
from leaderboard.rating import number_words, verdict
from leaderboard.rating.elo import expected_score
from leaderboard.rating.intervals import USABLE_VOTES
from leaderboard.rating.shares import are_apart
from providers.offering.pricing import usd

CHEAPER = 3  # suggestions
CLEARLY_SLOWER = 1.3  # times


@dataclass(frozen=True, slots=True)
class StandingNote:
    claim: str
    evidence: str
    url: str = ""
    link: str = ""


def of_rated(
    slug: str, rows: Sequence[BoardRow], matchups: Matchups | None, uses: Sequence[TagScore]
) -> list[StandingNote]:
    own = next((row for row in rows if row.slug == slug), None)
    if own is None:
        return []
    notes = [_price(own, rows), _rival(own, rows, matchups), _bargain(own, rows), _uses(uses)]
    return [note for note in notes if note is not None]


def _price(own: BoardRow, rows: Sequence[BoardRow]) -> StandingNote | None:
    if own.price is None:
        return None
    as_cheap = [row for row in rows if row is not own and row.price is not None and row.price <= own.price]
    higher = [row for row in as_cheap if row.elo > own.elo and row.status != "provisional"]
    if not higher:
        rests = " – as far as unsettled ratings tell" if own.status == "provisional" else ""
        return StandingNote(
            "Highest rated at its price", f"Nothing that costs {usd(own.price)} or less rates higher{rests}."
        )
    better = [row for row in higher if _is_above(row, own)]
    best = max(better or higher, key=lambda row: row.elo)
    for_less = "for less" if best.price is not None and best.price < own.price else "at the same price"
    evidence = f"{best.elo - own.elo:.0f} Elo more" if better else "votes cannot distinguish the two"
    return StandingNote(
        f"{'Better' if better else 'Level'} {for_less}: {best.name}",
        f"{usd(best.price)} against {usd(own.price)}, {evidence}.",
        _compare(own, best),
        "Compare",
    )


def _is_above(one: BoardRow, other: BoardRow) -> bool:
    """Whether votes have shown that one is better: their places do not touch."""
    above, below = one.standing.place.high, other.standing.place.low
    return above is not None and below is not None and above < below


def _rival(own: BoardRow, rows: Sequence[BoardRow], matchups: Matchups | None) -> StandingNote | None:
    met = {matchup.opponent.slug: matchup for matchup in (matchups.shown if matchups else ())}
    near = [row for row in rows if row.slug in met]
    if not near:
        return None
    rival = min(near, key=lambda row: abs(row.elo - own.elo))
    matchup = met[rival.slug]
    text = f"{100 * matchup.share:.0f} % of {number_words.counted(matchup.votes, 'vote')}."
    if own.seconds and rival.seconds and rival.seconds >= CLEARLY_SLOWER * own.seconds:
        text += f" It takes {number_words.times(rival.seconds / own.seconds)} as long."
    return StandingNote(f"Rival: {rival.name}", text, matchup.compare_url, "Compare")


def _bargain(own: BoardRow, rows: Sequence[BoardRow]) -> StandingNote | None:
    if not own.price or own.status == "provisional":
        return None
    rated = [row for row in rows if row.elo < own.elo and row.status != "provisional"]
    cheap = [row for row in rated if row.price is not None and row.price * 3 <= own.price]
    cheap = [row for row in cheap if expected_score(row.elo, own.elo) >= verdict.BARGAIN_SHARE]
    if not cheap:
        return None
    row = max(cheap, key=lambda row: row.elo)
    wins = round(10 * expected_score(row.elo, own.elo))
    part = number_words.fraction(float(row.price / own.price)) if row.price else "nothing"
    text = f"{part[:1].upper()}{part[1:]} of the price; expected to win {wins} of 10 against it."
    return StandingNote(f"Bargain: {row.name}", text, _compare(own, row), "Compare")


def _uses(uses: Sequence[TagScore]) -> StandingNote | None:
    if len(uses) < 2:
        return None
    best, worst = uses[0], uses[-1]
    high, low = best.score, worst.score
    is_shown = are_apart(high.points, high.votes, low.points, low.votes, among=len(uses))
    return StandingNote(
        f"Best at {best.tag}, weakest at {worst.tag}" if is_shown else "No use stands out",
        f"{best.tag}: {100 * high.points:.0f} % of {high.votes:,} votes; {worst.tag}: {100 * low.points:.0f} % of "
        f"{low.votes:,}.",
        "#uses",
        "All uses",
    )


def of_unrated(
    rows: Sequence[BoardRow], price: float | None, prompts: int, others: Sequence[tuple[str, str, float]]
) -> list[StandingNote]:
    """`prompts` are those of its category; `others` name, URL and price of cheaper ones with commercial rights."""
    notes = []
    if price:
        near = [row for row in rows if row.price is not None and float(row.price) <= price]
        if near:
            best = max(near, key=lambda row: row.elo)
            text = f"{best.name}, {usd(best.price)}, {best.standing.place}."
            notes.append(StandingNote(f"Rated at this price: up to {best.elo:.0f}", text))
        if prompts:
            text = f"and {number_words.counted(prompts, 'image')}: about {usd(round(price * prompts, 2))}."
            notes.append(StandingNote(f"A usable rating takes at least {USABLE_VOTES} votes", text))
    if others:
        text = ", ".join(f"{name} {usd(round(cost, 4))}" for name, _, cost in others[:CHEAPER])
        notes.append(StandingNote("Cheaper with commercial rights", f"{text}.", others[0][1], "Look"))
    return notes


def _compare(one: BoardRow, other: BoardRow) -> str:
    first, second = sorted((one.slug, other.slug))
    return f"/compare/{first}/{second}/"
