"""A board's answers for the front page: best now, best for little money, fastest good one, and the closest pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from arena.models import Category, Entry, Tally
from leaderboard.board import place_words
from leaderboard.board.translation import translated
from leaderboard.board_page import verdicts
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Board
from leaderboard.rating import elo
from leaderboard.rating.number_words import both
from leaderboard.rating.shares import wilson
from leaderboard.rating.verdict import MAX_LEADERS
from providers.spending.money import usd

CHEAP = 0.02  # dollars an image
GOOD, SURELY_GOOD = 0.9, 0.85  # usable share, and what its 95 % interval must not fall below
PAIRS, MIN_PAIR_VOTES = 4, 10
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Highlight:
    """An answer with its model; `row` is the one to show images of, also where it is too early for a name."""

    question: str
    answer: str
    fact: str
    reason: str
    row: BoardRow


@dataclass(frozen=True, slots=True)
class ClosePair:
    """Two models whose votes of this week split nearly in half, with their images of one prompt."""

    left: Entry
    right: Entry
    share: float  # of the left one, a tie being half
    votes: int

    @property
    def other_share(self) -> float:
        """Of the right one, so that both in whole per cent add up to 100."""
        return 1 - round(self.share, 2)


def answers(category: Category, rows: Sequence[BoardRow], board: Board | None) -> list[Highlight]:
    """Three answers, each with its bounds or with why it is too early; none for a board without places."""
    placed = [row for row in rows if row.standing.place.is_known]
    if board is None or not placed:
        return []
    candidates = [_best(placed, board), _cheap(category, placed, board), _fast(rows)]
    return [answer for answer in candidates if answer is not None]


def _best(placed: Sequence[BoardRow], board: Board) -> Highlight:
    verdict = verdicts.of_board(placed, board)
    first = [row for row in placed if row.standing.place.could_be_first]
    if 0 < len(first) <= MAX_LEADERS < len(placed) and all(row.status != "provisional" for row in first):
        return Highlight(gettext("Best now"), first[0].name, _numbers(first[0]), translated(verdict.claim), first[0])
    fact = gettext("%(first)s of %(models)s could be first") % {"first": len(first), "models": len(placed)}
    return Highlight(gettext("Best now"), gettext("Too early to say"), fact, translated(verdict.value), placed[0])


def _cheap(category: Category, placed: Sequence[BoardRow], board: Board) -> Highlight | None:
    rows = [row for row in placed if row.price is not None and row.price <= CHEAP]
    if not rows:
        return None
    question = gettext("Best under %(price)s") % {"price": usd(CHEAP)}
    finding = verdicts.find(category, rows, board)
    named = [rows[index] for index in finding.named]
    nameable = len(named) <= MAX_LEADERS and all(row.status != "provisional" for row in named)
    if finding.kind in ("lead", "open") and nameable:
        row = named[0]
        price = gettext("%(price)s an image.") % {"price": usd(row.price)}
        others = translated(both([other.name for other in named[1:]]))
        level = gettext("Not distinguished from %(names)s.") % {"names": others} if others else ""
        return Highlight(question, row.name, _numbers(row), f"{price} {level}".strip(), row)
    cheapest = min(rows, key=lambda row: row.price or 0)
    fact = gettext("%(cheap)s of %(models)s cost so little") % {"cheap": len(rows), "models": len(placed)}
    reason = gettext("Cheapest: %(name)s, %(price)s.") % {"name": cheapest.name, "price": usd(cheapest.price)}
    return Highlight(question, gettext("Too early to say"), fact, reason, cheapest)


def _fast(rows: Sequence[BoardRow]) -> Highlight | None:
    timed = sorted((row for row in rows if row.seconds is not None), key=lambda row: row.seconds or 0)
    if not timed:
        return None
    good = [row for row in timed if row.status != "provisional" and _is_good(row)]
    row = (good or timed)[0]
    name = row.name if good else gettext("%(name)s, if it proves good") % {"name": row.name}
    votes = ngettext("%(votes)s vote", "%(votes)s votes", row.votes) % {"votes": _grouped(row.votes)}
    seconds = number_format(f"{row.seconds:.1f}")  # its own decimal_pos cuts off
    fact = f"{seconds} s · {_numbers(row) if good else votes}"
    times = None if row.keeper_rate is None else round(10 * row.keeper_rate)
    usable = "" if times is None else gettext("Usable %(times)s times in 10.") % {"times": times}
    unproven = "" if good else gettext("Not shown by votes yet.")
    return Highlight(gettext("Fastest good one"), name, fact, " ".join(filter(None, (usable, unproven))), row)


def _is_good(row: BoardRow) -> bool:
    """Usable 9 times in 10, and by its Wilson interval not less than 8.5."""
    share, n = row.keeper_rate, row.votes
    if share is None or not n or share < GOOD:
        return False
    return wilson(share, n)[0] >= SURELY_GOOD


def _numbers(row: BoardRow) -> str:
    margin = row.standing.margin
    plus = f" ±{margin:.0f}" if margin is not None else ""
    return f"Elo {row.elo:.0f}{plus} · {place_words.text(row.standing.place)}"


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def price_notes(rows: Sequence[BoardRow]) -> list[tuple[str, str]]:
    """What the chart of Elo on price says: a claim and its evidence each."""
    known = [row for row in rows if row.price and row.standing.place.is_known]
    if len(known) < 3:
        return []
    notes = []
    unsettled = [row for row in rows if row.status == "provisional"]
    settled = sorted((row for row in known if row not in unsettled), key=lambda row: (row.price or 0, -row.elo))
    if all(row.standing.place.is_tied_with_all for row in known):
        notes.append(
            (gettext("The bars overlap everywhere"), gettext("Price separates these models, votes do not yet."))
        )
    elif not settled:
        lead = max(known, key=lambda row: row.elo)
        cheap = min(known, key=lambda row: row.price or 0)
        text = gettext(
            "It takes settled ratings. %(lead)s is highest so far (%(price)s), "
            "%(cheap)s the cheapest (%(cheap_price)s)."
        )
        values = {"lead": lead.name, "price": usd(lead.price), "cheap": cheap.name, "cheap_price": usd(cheap.price)}
        notes.append((gettext("No line yet"), text % values))
    best = max(settled, key=lambda row: row.elo, default=None)
    if best is not None:
        dearer = [row for row in settled if (row.price or 0) > (best.price or 0)]
        if dearer:
            claim = gettext("Past %(price)s no gain is shown") % {"price": usd(best.price)}
            evidence = ngettext(
                "%(names)s costs more than %(best)s, rated no higher.",
                "%(names)s cost more than %(best)s, rated no higher.",
                len(dearer),
            )
            names = translated(both([row.name for row in dearer[:2]]))
            notes.append((claim, evidence % {"names": names, "best": best.name}))
        front = [row for row in settled if all(row.elo > other.elo for other in settled[: settled.index(row)])]
        if len(front) > 1:
            ends = gettext("From %(cheap)s (%(cheap_price)s) to %(dear)s (%(dear_price)s).") % {
                "cheap": front[0].name,
                "cheap_price": usd(front[0].price),
                "dear": front[-1].name,
                "dear_price": usd(front[-1].price),
            }
            claim = ngettext(
                "%(models)s model is rated highest for its price",
                "%(models)s models are rated highest for their price",
                len(front),
            )
            notes.append((claim % {"models": len(front)}, ends))
    if unsettled:
        claim = ngettext("%(models)s model is unsettled", "%(models)s models are unsettled", len(unsettled))
        evidence = gettext("Dotted circles: too few votes to rely on their height.")
        notes.append((claim % {"models": len(unsettled)}, evidence))
    return notes


def closest_pairs(category: Category, hidden: Collection[int]) -> list[ClosePair]:
    """Of this week, those nearest to a half, on prompts that are not `hidden`. Two queries."""
    cells = (
        Tally.objects.filter(category=category, day__gte=(timezone.now() - WEEK).date())
        .order_by()
        .values_list("left_model", "right_model", "outcome")
        .annotate(total=Sum("n"))
    )
    votes: dict[tuple[int, int], int] = defaultdict(int)
    points: dict[tuple[int, int], float] = defaultdict(float)
    for left, right, outcome, n in cells:
        pair, score = ((left, right), elo.SCORES[outcome]) if left < right else ((right, left), 1 - elo.SCORES[outcome])
        votes[pair] += n
        points[pair] += score * n
    enough = [pair for pair, n in votes.items() if n >= MIN_PAIR_VOTES]
    nearest = sorted(enough, key=lambda pair: (abs(points[pair] / votes[pair] - 0.5), -votes[pair]))[: 2 * PAIRS]
    entries = _entries(category, {model for pair in nearest for model in pair}, hidden)
    pairs: list[ClosePair] = []
    used: set[int] = set()
    for one, other in nearest:
        shared = sorted(
            entries[one].keys() & entries[other].keys(),
            key=lambda prompt: (prompt in used, _is_tall(entries[one][prompt]), prompt),
        )
        if shared and len(pairs) < PAIRS:
            used.add(shared[0])
            share = points[one, other] / votes[one, other]
            pairs.append(ClosePair(entries[one][shared[0]], entries[other][shared[0]], share, votes[one, other]))
    return pairs


def _entries(category: Category, models: Iterable[int], hidden: Collection[int]) -> dict[int, dict[int, Entry]]:
    """By model id and prompt id."""
    by_model: dict[int, dict[int, Entry]] = defaultdict(dict)
    rows = (
        Entry.objects.current()
        .filter(
            image_model__in=list(models),
            generation__sample=0,
            prompt__competition__category=category,
            prompt__competition__is_published=True,
        )
        .exclude(prompt__in=list(hidden))
        .select_related("image_model", "prompt")
    )
    for entry in rows:
        by_model[entry.image_model_id][entry.prompt_id] = entry
    return by_model


def _is_tall(entry: Entry) -> bool:
    """Posters lose their lettering when they are cropped to a card."""
    return entry.height > entry.width
