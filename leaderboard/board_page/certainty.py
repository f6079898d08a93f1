"""How sure a board is, in three sentences: what it rests on, what would change its top, what was left out.

Of the page alone, so they are in the reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from django.utils.translation import gettext, ngettext

from arena.models import Category, Vote
from leaderboard.board import standings
from leaderboard.board.translation import translated
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Board, RecentBoard
from providers.web.numbers import per_cent, significant, whole


@dataclass(frozen=True, slots=True)
class Certainty:
    title: str
    text: str


def of_board(category: Category, board: Board | RecentBoard | None, rows: Sequence[BoardRow]) -> list[Certainty]:
    if board is None or not rows:
        return []
    return [_basis(board, rows), _top(board, rows), _left_out(category, board)]


def _basis(board: Board | RecentBoard, rows: Sequence[BoardRow]) -> Certainty:
    parts = [ngettext("%(votes)s vote", "%(votes)s votes", board.votes) % {"votes": whole(board.votes)}]
    if board.voters:
        parts.append(ngettext("%(voters)s voter", "%(voters)s voters", board.voters) % {"voters": whole(board.voters)})
    if board.prompts:
        prompts = ngettext("%(prompts)s prompt", "%(prompts)s prompts", board.prompts)
        parts.append(prompts % {"prompts": whole(board.prompts)})
    return Certainty(", ".join(parts), " ".join(_widths(board, rows)))


def _widths(board: Board | RecentBoard, rows: Sequence[BoardRow]) -> list[str]:
    widths = [row.standing.half_width for row in rows if row.standing.half_width is not None]
    if not widths:
        said = [gettext("No model has an interval yet.")]
    else:
        ends = {"low": whole(min(widths)), "high": whole(max(widths))}
        said = [gettext("Each Elo is within ±%(low)s to ±%(high)s, 19 times in 20.") % ends]
    limit = standings.limit_of([row.standing.rating for row in rows], board)
    if widths and limit is not None and limit.is_prompts and limit.from_prompts is not None:
        is_finite = isfinite(limit.from_prompts)
        far = f"±{whole(limit.from_prompts)}" if is_finite else gettext("by more than can be said")
        other = gettext(
            "Other prompts could move the ratings further (%(far)s) than other votes on the same ones (±%(votes)s)."
        )
        said.append(other % {"far": far, "votes": whole(limit.from_votes)})
    if not board.voters:
        said.append(gettext("Who voted is not known."))
    return said


def _top(board: Board | RecentBoard, rows: Sequence[BoardRow]) -> Certainty:
    parts = []
    if flip := board.votes_to_flip:
        without = ngettext(
            "Without %(votes)s particular vote, %(share)s of all, another model would be highest.",
            "Without %(votes)s particular votes, %(share)s of all, another model would be highest.",
            flip,
        )
        parts.append(without % {"votes": whole(flip), "share": _share(flip, board.votes)})
    if added := board.votes_added_to_flip:
        more = (
            ngettext(
                "So it would with %(votes)s added vote for it against the leader.",
                "So it would with %(votes)s added votes for it against the leader.",
                added,
            )
            if flip
            else ngettext(
                "With %(votes)s added vote against the leader another model would be highest.",
                "With %(votes)s added votes against the leader another model would be highest.",
                added,
            )
        )
        parts.append(more % {"votes": whole(added)})
    if rows and (votes := rows[0].standing.rating.votes_to_next):
        apart = gettext("About %(votes)s more votes between the first two would separate them in four of five cases.")
        parts.append(apart % {"votes": whole(votes)})
    if board.side_effect is not None:
        parts.append(translated(board.side.claim))
    return Certainty(gettext("What would change the top"), " ".join(parts) or gettext("It cannot be said yet."))


def _left_out(category: Category, board: Board | RecentBoard) -> Certainty:
    if category.source_name:
        source = gettext("From %(source)s; no rule of ours left any out.") % {"source": category.source_name}
        return Certainty(gettext("Votes from elsewhere"), source)
    left_out = Vote.objects.filter(category=category).exclude(excluded_reason="").count()
    if not left_out:
        return Certainty(
            gettext("No vote was left out"),
            gettext("A vote that breaks a rule is stored with its reason and not counted."),
        )
    broke = ngettext(
        "%(votes)s vote broke a rule and is stored with the reason. Anyone can recompute the board.",
        "%(votes)s votes broke a rule and are stored with the reason. Anyone can recompute the board.",
        left_out,
    )
    share = _share(left_out, left_out + board.votes)
    title = gettext("%(share)s of votes were not counted") % {"share": share}
    return Certainty(title, broke % {"votes": whole(left_out)})


def _share(part: int, of: int) -> str:
    return per_cent(significant(100 * part / of if of else 0, 2))
