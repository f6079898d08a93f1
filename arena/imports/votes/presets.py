"""How the votes of public arenas look: which of their columns is which here, and their words for the outcomes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from arena.models import Outcome

REQUIRED = ("left", "right", "outcome")
COLUMNS = (*REQUIRED, "voter", "prompt", "time")


@dataclass(frozen=True, slots=True)
class Preset:
    """`columns`: ours → theirs. Columns that a file has under our own name need not be named."""

    columns: dict[str, str] = field(default_factory=dict)
    sides_known: bool = True
    is_score_table: bool = False

    def needs(self) -> tuple[str, ...]:
        """Their names of the columns without which there is no vote."""
        return tuple(self.columns[name] for name in REQUIRED if name in self.columns)


PRESETS: dict[str, Preset] = {
    "lmarena": Preset(
        {
            "left": "model_a",
            "right": "model_b",
            "outcome": "winner",
            "voter": "judge",
            "prompt": "question_id",
            "time": "tstamp",
        }
    ),
    "genai-arena": Preset(
        {"left": "left_model", "right": "right_model", "outcome": "vote_type", "prompt": "prompt", "time": "timestamp"}
    ),
    # A rater's table of scores: a row per prompt, a column per model, "[semantic consistency, perceptual quality]" in
    # the cells. Of two models the one with the larger sqrt(product) wins, as its authors rank them.
    "imagenhub": Preset({"prompt": "uid"}, is_score_table=True),
    # Only who won and who lost is known, not on which side they stood.
    "pairs": Preset({"left": "winner", "right": "loser"}, sides_known=False),
}

_WORDS: dict[str, tuple[str, ...]] = {
    Outcome.LEFT: ("left", "model_a", "a", "leftvote", "left_vote", "left wins", "a>b", "1"),
    Outcome.RIGHT: ("right", "model_b", "b", "rightvote", "right_vote", "right wins", "b>a", "2"),
    Outcome.TIE: ("tie", "tievote", "tie_vote", "draw", "equal", "both good", "tie (bothgood)"),
    Outcome.BOTH_BAD: ("both_bad", "bothbad", "bothbad_vote", "both_bad_vote", "tie (bothbad)", "neither"),
}
OUTCOMES: dict[str, str] = {word: str(outcome) for outcome, words in _WORDS.items() for word in words}


def outcome_of(text: str, left: str, right: str) -> str | None:
    """An outcome in anybody's words, in any case; also the name of the model that won. None when it is none."""
    if text and left != right and text in (left, right):
        return str(Outcome.LEFT if text == left else Outcome.RIGHT)
    word = " ".join(text.lower().split())
    return OUTCOMES.get(word) or OUTCOMES.get(word.replace(" ", "_").replace("-", "_"))


def fitting(columns: Iterable[str]) -> str:
    """The preset whose columns a file has, "" when none fits."""
    names = {name.lower() for name in columns}
    return next(
        (key for key, preset in PRESETS.items() if not preset.is_score_table and {*preset.needs()} <= names),
        "imagenhub" if "uid" in names and len(names) > 2 else "",
    )


def left_first(line: int, winner: str, loser: str) -> bool:
    """Where the winner is put when nobody knows its side: by a hash, so that no side is favoured and the same file
    gives the same votes."""
    return hashlib.sha256(f"{line}\0{winner}\0{loser}".encode()).digest()[0] < 128


def score(cell: str) -> float | None:
    """sqrt(product) of a cell such as "[0.5, 1]"; None when it is empty. Raises ValueError for anything else."""
    text = cell.strip().strip("[]()")
    if not text:
        return None
    numbers = [float(part) for part in text.split(",")]
    if not all(0 <= number < math.inf for number in numbers):
        raise ValueError(cell)
    return math.sqrt(math.prod(numbers)) if len(numbers) > 1 else numbers[0]


def better(left: float, right: float) -> str:
    """The outcome of two scores of which the higher is better."""
    return str(Outcome.TIE if left == right else Outcome.LEFT if left > right else Outcome.RIGHT)


def columns_of(preset: Preset, mapping: dict[str, str], header: Sequence[str]) -> dict[str, str]:
    """Ours → theirs, lower-case: by the mapping, else by the preset unless only our own name is there, else as ours."""
    chosen = {}
    for name in COLUMNS:
        theirs = preset.columns.get(name, name)
        chosen[name] = mapping.get(name, name if name in header and theirs not in header else theirs).lower()
    return chosen
