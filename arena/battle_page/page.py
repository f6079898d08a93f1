"""The voting page and its fragment, from a battle's row: which conditions and which texts the templates get.

Before the vote nothing of a model is among them: names come from `reveal` alone, for a row that has a vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

from arena import rounds
from arena.battle_page import fragments, prompt_markup, reveal, reveal_registry
from arena.battle_page.reveal import Conditions, Values
from arena.battles import competition_choice
from arena.battles.competition_choice import ALL, CompetitionChoice
from arena.battles.rows import BattleRow
from arena.battles.voter_state import VoterState
from arena.images import small_size
from arena.models import QUESTION, Category, Report, Share
from arena.rounds import RoundProgress
from arena.voters.progress import GOAL
from arena.voting import CastVote

PREVIEW = gettext_noop("A preview, for staff: no answer is stored, and none counts.")

_FIRST = gettext_noop("This pair was open already and comes first; after it, only “%(title)s”.")
_SIDES = ("left", "right")
_BARS = "abcde"  # names of values have no digits
_SHOWN_AFTER_VOTE = (
    "outcome_label", "excluded_reason", "headline", "line", "crowd_left", "crowd_right", "crowd_votes", "crowd_label",
    "continue_url", "method_url", "next_round", "next_position", "next_size",
    *(f"next_mark_{letter}" for letter in _BARS),
    *(f"{side}_{name}" for side in _SIDES for name in (
        "thumbnail_url", "entry_url", "model_url", "name", "place", "long_place", "elo")),
)  # fmt: skip
_SHARED = {
    "left": gettext_noop("Who shared this chose A."),
    "right": gettext_noop("Who shared this chose B."),
    "tie": gettext_noop("Who shared this called it a tie."),
    "both_bad": gettext_noop("Who shared this found both bad."),
}
_NOTHING = dict.fromkeys(_SHOWN_AFTER_VOTE, "")
_OPEN: Conditions = dict.fromkeys(
    ("outcome", "is_excluded", "by_thumbnails", "is_held_back", "crowd", "left_placed", "right_placed",
     "left_rated", "right_rated", "left_badge", "right_badge", "is_round_over"), "",
)  # fmt: skip


def section(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    *,
    choice: CompetitionChoice = ALL,
    cast: CastVote | None = None,
    following: Iterable[BattleRow] | None = None,
    message: str = "",
    is_later: bool = False,
) -> SafeString:
    """The battle as a fragment: `row` with, after its vote, the names, and the pairs that come after it.

    `following` are these, empty at the end of the pairs, and None where nobody looked. `is_later` shows the `message`
    in place of a pair that is open.
    """
    context = _context(request, row, state, choice, cast, following, message, is_later)
    return fragments.fill("arena/_battle.html", *context)


def page(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    *,
    choice: CompetitionChoice = ALL,
    following: Iterable[BattleRow] | None = None,
    message: str = "",
    is_later: bool = False,
    template: str = "arena/battle.html",
) -> SafeString:
    """The battle as a whole page."""
    conditions, values = _context(request, row, state, choice, None, following, message, is_later)
    # The menu marks the category by it.
    conditions["category"] = Category(pk=row.category, slug=row.category_slug, name=row.category_name)
    view = request.resolver_match
    conditions |= {
        "competitions": competition_choice.open_in(row.category) if conditions["can_choose"] else (),
        "chosen": choice.competition,
        "category_name": row.category_name,
        "is_entrance": view is not None and view.view_name == "arena:arena",
        "is_unexpired": not row.is_expired,
        "reasons": tuple((value, str(label)) for value, label in Report.Reason.choices),
    }
    return fragments.fill(template, conditions, values, request)


def shared(
    request: HttpRequest, row: BattleRow, link: Share, number: int, *, outcome: str, shared_outcome: str, is_own: bool
) -> SafeString:
    """The page of a shared pair: blind without an `outcome` of this browser, else with names and `shared_outcome`."""
    is_last = number == len(link.battles)
    url = f"{link.get_absolute_url()}{number}/"
    row = row._replace(outcome=outcome or None, cast_at=timezone.now() if outcome else None, is_expired=False)
    conditions, values = _common(row, RoundProgress(1, number - 1, len(link.battles)), get_token(request))
    conditions |= {
        "is_shared": True,
        "can_choose": False,
        "has_message": False,
        "state": "voted" if outcome else "open",
        "category": Category(pk=row.category, slug=row.category_slug, name=row.category_name),
        "category_name": row.category_name,
        "is_entrance": True,
        "is_unexpired": True,
        "reasons": (),
    } | _OPEN
    values |= {"message": "", "following": "", "url": url, "vote_url": url} | _NOTHING
    values["page_url"] = request.build_absolute_uri(url)
    values["card_url"] = request.build_absolute_uri(f"{link.get_absolute_url()}card.jpg")
    for side in _SIDES:
        values |= {f"{side}_image": f"{url}{side}.webp", f"{side}_small": f"{url}{side}.small.webp"}
        values[f"{side}_token"] = f"{link.token}-{number}-{side}"
    if outcome:
        shown, names = reveal.revealed(row, None, is_among=is_own)
        names["line"] += "" if is_own else f" {gettext(_SHARED[shared_outcome])}"
        names["continue_url"] = values["next_url"] if is_last else f"{link.get_absolute_url()}{number + 1}/"
        conditions |= shown | {"is_round_over": "shared" if is_last else ""}
        values |= names | _marks(RoundProgress(1, number, len(link.battles)), "next_") | {"method_url": ""}
    return fragments.fill("arena/shared_pair.html", conditions, values, request)


def preview(request: HttpRequest, row: BattleRow, urls: Mapping[str, str]) -> SafeString:
    """The voting page of a pair that is no battle: images from `urls`, every answer sent back to this very URL."""
    state = VoterState(0, 0, 0, 0, 0, b"", row, [])
    conditions, values = _context(request, row, state, ALL, None, None, gettext(PREVIEW))
    conditions["category"] = Category(pk=row.category, slug=row.category_slug, name=row.category_name)
    conditions |= {
        "category_name": row.category_name,
        "can_choose": False,
        "is_entrance": False,
        "is_unexpired": True,
        "reasons": tuple((value, str(label)) for value, label in Report.Reason.choices),
    }
    own = ("url", "vote_url", "skip_url", "report_url", "next_url", "ranking_url")
    return fragments.fill(
        "arena/battle.html", conditions, {**values, **dict.fromkeys(own, request.path), **urls}, request
    )


def _context(
    request: HttpRequest,
    row: BattleRow,
    state: VoterState,
    choice: CompetitionChoice,
    cast: CastVote | None,
    following: Iterable[BattleRow] | None,
    message: str,
    is_later: bool = False,
) -> tuple[Conditions, Values]:
    token = get_token(request)
    votes, uncounted = (state.votes, state.uncounted) if cast is None else (cast.votes, cast.uncounted)
    if cast is not None:
        row = row._replace(outcome=cast.outcome, cast_at=cast.cast_at, excluded_reason=cast.excluded_reason)
    pairs = list(following or ())
    # A competition's end is not the end of the pairs: its round goes on with others.
    is_last = choice is ALL and following is not None and not pairs and not state.waiting
    is_answered = row.outcome is not None
    ahead = "".join(_ahead(battle, rounds.of_pair(votes, uncounted), token, choice) for battle in pairs)
    progress = (rounds.of_answered if is_answered else rounds.of_pair)(votes, uncounted, is_last=is_last)
    if row.is_open and not message and not choice.has(row):
        message = gettext(_FIRST) % {"title": choice.title}
    conditions, values = _common(row, progress, token, choice)
    values |= {"message": message, "following": mark_safe(ahead)}  # noqa: S308 - made of filled fragments
    conditions |= {"has_message": bool(message), "state": _state(row)}
    if is_later and row.is_open:
        conditions["state"] = "later"
    if not is_answered:
        return conditions | _OPEN, values | _NOTHING
    # Pages of single images name their makers: not while another pair of this prompt waits for an answer.
    waiting = {battle.prompt for battle in (*state.waiting, *pairs) if battle.pk != row.pk}
    shown, names = reveal.revealed(row, cast)
    over = rounds.finished(votes, is_last=is_last)
    names |= _marks(rounds.of_pair(votes, uncounted), "next_") | {
        "method_url": reveal_registry.extras.method_url(),
        "continue_url": values["next_url"] if over is None else _after_round(row, votes, over, choice),
    }
    shown["is_round_over"] = "" if over is None else "ranking" if votes == GOAL else "round"
    return conditions | shown | {"is_held_back": row.prompt in waiting}, values | names


def _after_round(row: BattleRow, votes: int, number: int, choice: CompetitionChoice) -> str:
    """Where the reveal that ended a round leads: to its card, or, with enough votes, to the voter's own ranking."""
    if votes == GOAL:
        return reveal_registry.extras.ranking_url(row.category_slug)
    return f"/arena/{row.category_slug}/rounds/{number}/{choice.query}"


def _state(row: BattleRow) -> str:
    if row.outcome is not None:
        return "voted"
    if row.is_open:
        return "open"
    return "reported" if row.is_reported else "skipped" if row.skipped_at is not None else "expired"


def _ahead(row: BattleRow, progress: RoundProgress, token: str, choice: CompetitionChoice) -> SafeString:
    """A pair that is on nobody's screen yet."""
    conditions, values = _common(row, progress, token, choice)
    values |= {"message": "", "following": ""}
    conditions |= {"has_message": False, "state": "open"}
    return fragments.fill("arena/_ahead.html", conditions | _OPEN, values | _NOTHING)


def _common(
    row: BattleRow, progress: RoundProgress, token: str, choice: CompetitionChoice = ALL
) -> tuple[Conditions, Values]:
    """What is the same before and after the vote."""
    url, query = row.url, choice.query
    width, height = row.shape.split(":")
    conditions: Conditions = {
        "demo": settings.DEMO,
        "is_shared": False,
        "shape": row.shape,
        "fit": "square" if width == height else "wide" if int(width) > int(height) else "tall",
        "length": prompt_markup.length(row.text),
        "has_quotes": prompt_markup.has_quotes(row.text),
        "has_source": bool(row.source_image),
        "is_reported": row.is_reported,
        "can_choose": bool(query) or len(competition_choice.open_in(row.category)) > 1,
        "is_chosen": bool(query),
    }
    criterion = capfirst(row.criterion.rstrip(" ."))
    values = {
        "site_name": settings.SITE_NAME,
        "csrf_token": token,
        "battle_id": str(row.pk),
        "url": f"{url}{query}",
        "vote_url": f"{url}vote/{query}",
        "skip_url": f"{url}skip/{query}",
        "report_url": f"{url}report/{query}",
        "share_url": f"{url}share/",
        "next_url": f"/arena/{row.category_slug}/{query}",
        "board_url": _board_url(row),
        "choice_title": choice.title,
        "source_url": f"/images/{row.source_image}",
        "question": row.question or gettext(QUESTION),
        "criterion": criterion if criterion.endswith(("?", "!")) else f"{criterion}.",
        "prompt": prompt_markup.markup(row.text),
        "width": str(row.left.width),  # both sides are declared alike
        "height": str(row.left.height),
        "small_width": str(small_size(row.left.width, row.left.height)[0]),
    }
    for name, side in (("left", row.left), ("right", row.right)):
        values[f"{name}_token"] = side.token
        values[f"{name}_image"] = f"/i/{side.token}.webp"
        values[f"{name}_small"] = f"/i/{side.token}.small.webp"
    return conditions, values | _marks(progress)


def _board_url(row: BattleRow) -> str:
    return f"/private/{row.category_slug}/" if row.is_private else reveal_registry.extras.board_url(row.category_slug)


def _marks(progress: RoundProgress, prefix: str = "") -> Values:
    """The values of `arena/_progress.html`."""
    marks = {f"{prefix}mark_{letter}": mark for letter, mark in zip(_BARS, progress.marks, strict=True)}
    numbers = {"round": progress.number, "position": progress.position, "size": progress.size}
    return marks | {f"{prefix}{name}": str(number) for name, number in numbers.items()}
