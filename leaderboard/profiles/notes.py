"""What a model's standing comes to, beside its chart: claims with their evidence and, where it helps, a link.

Of pages alone, so they are in the active language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from leaderboard.board import place_words
from leaderboard.board.translation import translated
from leaderboard.board_page.filters import BoardRow
from leaderboard.profiles.competitions import TagScore
from leaderboard.profiles.head_to_head import Matchups
from leaderboard.rating import number_words, verdict
from leaderboard.rating.elo import expected_score
from leaderboard.rating.intervals import USABLE_VOTES
from leaderboard.rating.shares import are_apart
from providers.spending.money import usd
from providers.web import numbers

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
    above = [row for row in rows if row.price is not None and row.price <= own.price and row.elo > own.elo]
    higher = [row for row in above if row.status != "provisional"]
    if not higher:
        return _nothing_settled(own, unsettled=len(above))
    better = [row for row in higher if _is_above(row, own)]
    best = max(better or higher, key=lambda row: row.elo)
    is_cheaper = best.price is not None and best.price < own.price
    evidence = (
        gettext("%(price)s against %(own)s, %(elo)s Elo more.")
        if better
        else gettext("%(price)s against %(own)s, votes cannot distinguish the two.")
    )
    values = {"price": usd(best.price), "own": usd(own.price), "elo": numbers.whole(best.elo - own.elo)}
    return StandingNote(
        _better_or_level(is_better=bool(better), is_cheaper=is_cheaper) % {"name": best.name},
        evidence % values,
        _compare(own, best),
        gettext("Compare"),
    )


def _nothing_settled(own: BoardRow, unsettled: int) -> StandingNote:
    """No settled rating is higher at its price; `unsettled` ones are, which are counted and not named."""
    values = {"n": unsettled, "price": usd(own.price)}
    if unsettled:
        does = ngettext(
            "%(n)s unsettled model that costs %(price)s or less does.",
            "%(n)s unsettled models that cost %(price)s or less do.",
            unsettled,
        )
        return StandingNote(gettext("Nothing settled rates higher at its price"), does % values)
    nothing = (
        gettext("Nothing that costs %(price)s or less rates higher – as far as unsettled ratings tell.")
        if own.status == "provisional"
        else gettext("Nothing that costs %(price)s or less rates higher.")
    )
    return StandingNote(gettext("Highest rated at its price"), nothing % values)


def _is_above(one: BoardRow, other: BoardRow) -> bool:
    """Whether votes have shown that one is better: their places do not touch."""
    above, below = one.standing.place.high, other.standing.place.low
    return above is not None and below is not None and above < below


def _better_or_level(*, is_better: bool, is_cheaper: bool) -> str:
    if is_better:
        return gettext("Better for less: %(name)s") if is_cheaper else gettext("Better at the same price: %(name)s")
    return gettext("Level for less: %(name)s") if is_cheaper else gettext("Level at the same price: %(name)s")


def _rival(own: BoardRow, rows: Sequence[BoardRow], matchups: Matchups | None) -> StandingNote | None:
    met = {matchup.opponent.slug: matchup for matchup in (matchups.shown if matchups else ())}
    near = [row for row in rows if row.slug in met]
    if not near:
        return None
    rival = min(near, key=lambda row: abs(row.elo - own.elo))
    matchup = met[rival.slug]
    votes = ngettext("%(share)s of %(votes)s vote.", "%(share)s of %(votes)s votes.", matchup.votes)
    text = votes % {"share": numbers.percent(matchup.share), "votes": numbers.whole(matchup.votes)}
    if own.seconds and rival.seconds and rival.seconds >= CLEARLY_SLOWER * own.seconds:
        longer = translated(number_words.times(rival.seconds / own.seconds))
        text = " ".join([text, gettext("It takes %(times)s as long.") % {"times": longer}])
    claim = gettext("Rival: %(name)s") % {"name": rival.name}
    return StandingNote(claim, text, matchup.compare_url, gettext("Compare"))


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
    text = gettext("%(price)s against %(own)s; expected to win %(wins)s of 10 against it.")
    values = {"price": usd(row.price), "own": usd(own.price), "wins": wins}
    claim = gettext("Bargain: %(name)s") % {"name": row.name}
    return StandingNote(claim, text % values, _compare(own, row), gettext("Compare"))


def _uses(uses: Sequence[TagScore]) -> StandingNote | None:
    if len(uses) < 2:
        return None
    best, worst = uses[0], uses[-1]
    high, low = best.score, worst.score
    is_shown = are_apart(high.points, high.votes, low.points, low.votes, among=len(uses))
    return StandingNote(
        gettext("Best at %(best)s, weakest at %(worst)s") % {"best": best.tag, "worst": worst.tag}
        if is_shown
        else gettext("No use stands out"),
        gettext("%(best)s: %(best_share)s of %(best_votes)s votes; %(worst)s: %(worst_share)s of %(worst_votes)s.")
        % {
            "best": best.tag,
            "best_share": numbers.percent(high.points),
            "best_votes": numbers.whole(high.votes),
            "worst": worst.tag,
            "worst_share": numbers.percent(low.points),
            "worst_votes": numbers.whole(low.votes),
        },
        "#uses",
        gettext("All uses"),
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
            text = f"{best.name}, {usd(best.price)}, {place_words.text(best.standing.place)}."
            claim = gettext("Rated at this price: up to %(elo)s") % {"elo": f"{best.elo:.0f}"}
            notes.append(StandingNote(claim, text))
        if prompts:
            images = ngettext(
                "and %(images)s image: about %(price)s.", "and %(images)s images: about %(price)s.", prompts
            )
            values = {"images": numbers.whole(prompts), "price": usd(round(price * prompts, 2))}
            claim = gettext("A usable rating takes at least %(votes)s votes") % {"votes": USABLE_VOTES}
            notes.append(StandingNote(claim, images % values))
    if others:
        text = ", ".join(f"{name} {usd(round(cost, 4))}" for name, _, cost in others[:CHEAPER])
        claim = gettext("Cheaper with commercial rights")
        notes.append(StandingNote(claim, f"{text}.", others[0][1], gettext("Look")))
    return notes


def _compare(one: BoardRow, other: BoardRow) -> str:
    first, second = sorted((one.slug, other.slug))
    return f"/compare/{first}/{second}/"
