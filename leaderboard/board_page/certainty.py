"""How sure a board is, in three sentences: what it rests on, what would change its top, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from arena.models import Category, Vote
from leaderboard.board import standings
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Board, RecentBoard
from leaderboard.rating.number_words import counted


@dataclass(frozen=True, slots=True)
class Certainty:
    title: str
    text: str


def of_board(category: Category, board: Board | RecentBoard | None, rows: Sequence[BoardRow]) -> list[Certainty]:
    if board is None or not rows:
        return []
    return [_basis(board, rows), _top(board, rows), _left_out(category, board)]


def _basis(board: Board | RecentBoard, rows: Sequence[BoardRow]) -> Certainty:
    parts = [counted(board.votes, "vote")]
    parts += [counted(board.voters, "voter")] if board.voters else []
    parts += [counted(board.prompts, "prompt")] if board.prompts else []
    widths = [row.standing.half_width for row in rows if row.standing.half_width is not None]
    text = "No model has an interval yet."
    if widths:
        text = f"Each Elo is within ±{min(widths):.0f} to ±{max(widths):.0f}, 19 times in 20."
    limit = standings.limit_of([row.standing.rating for row in rows], board)
    if widths and limit is not None and limit.is_prompts and limit.from_prompts is not None:
        far = f"±{limit.from_prompts:.0f}" if isfinite(limit.from_prompts) else "by more than can be said"
        text += (
            f" Other prompts could move the ratings further ({far}) than other votes on the same ones "
            f"(±{limit.from_votes:.0f})."
        )
    if not board.voters:
        text += " Who voted is not known."
    return Certainty(", ".join(parts), text)


def _top(board: Board | RecentBoard, rows: Sequence[BoardRow]) -> Certainty:
    parts = []
    if board.votes_to_flip:
        share = 100 * board.votes_to_flip / board.votes if board.votes else 0
        parts.append(
            f"Without {counted(board.votes_to_flip, 'particular vote')}, {share:.2g} % of all, another model would be "
            "highest."
        )
    if board.votes_added_to_flip:
        parts.append(f"So it would with {counted(board.votes_added_to_flip, 'added vote')} for it against the leader.")
    if rows and (votes := rows[0].standing.rating.votes_to_next):
        parts.append(f"About {votes:,} more votes between the first two would separate them in four of five cases.")
    if board.side_effect is not None:
        parts.append(board.side.claim)
    return Certainty("What would change the top", " ".join(parts) or "It cannot be said yet.")


def _left_out(category: Category, board: Board | RecentBoard) -> Certainty:
    if category.source_name:
        return Certainty("Votes from elsewhere", f"From {category.source_name}; no rule of ours left any out.")
    left_out = Vote.objects.filter(category=category).exclude(excluded_reason="").count()
    if not left_out:
        return Certainty("No vote was left out", "A vote that breaks a rule is stored with its reason and not counted.")
    share = 100 * left_out / (left_out + board.votes)
    return Certainty(
        f"{share:.2g} % of votes were not counted",
        f"{counted(left_out, 'vote')} broke a rule and are stored with the reason. Anyone can recompute the board.",
    )
