"""The audit's findings, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import chance, features
from .classifier import Features, JudgedImage, Pair, guess
from .observed import Shown
from .rules import Verdict, judge
from .words import Word


@dataclass(frozen=True, slots=True)
class Line:
    """One group of features: how often its guesses were right, and whether that is more than luck."""

    feature: str
    spoken: int
    right: int
    p: float
    betrays: bool
    counts: bool
    limit: int | None  # so many right guesses would have failed

    @property
    def share(self) -> float | None:
        return self.right / self.spoken if self.spoken else None


@dataclass(frozen=True, slots=True)
class BlindnessReport:
    battles: int
    models: int
    prompts: int
    verdicts: tuple[Verdict, ...]
    lines: tuple[Line, ...]

    @property
    def is_blind(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts) and not any(line.betrays for line in self.lines)

    @property
    def reasons(self) -> list[str]:
        """What betrays, most certain first."""
        broken = [f"{verdict.rule}: {verdict.example}" for verdict in self.verdicts if not verdict.holds]
        betraying = sorted((line for line in self.lines if line.betrays), key=lambda line: line.p)
        return broken + [
            f"{line.feature} names the model in {line.right} of {line.spoken} guesses" for line in betraying
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "blind": self.is_blind,
            "battles": self.battles,
            "models": self.models,
            "prompts": self.prompts,
            "false_alarm_bound": chance.ALPHA,
            "rules": [asdict(verdict) for verdict in self.verdicts],
            "guesses": [asdict(line) for line in self.lines],
            "reasons": self.reasons,
        }

    def __str__(self) -> str:
        lines = [
            f"{self.battles} battles, {self.prompts} prompts, {self.models} models", "",
            "What must always hold",
            *(f"  {'ok  ' if rule.holds else 'FAIL'}  {rule.rule}{_breaks(rule)}" for rule in self.verdicts), "",
            f"{'Can a model be named by …':<32} {'guesses':>8} {'right':>7} {'fails from':>11}",
            *map(_row, self.lines), "",
            "Each image is judged once, and only at odds of 7 to 1 or more; sides and URLs are randomised for",
            "every battle, so all are guessed. Luck alone is right half of the time.",
            f"A blind site fails at most one audit in {round(1 / chance.ALPHA):,}.",
        ]  # fmt: skip
        return "\n".join(lines)


def _breaks(verdict: Verdict) -> str:
    if verdict.holds:
        return f" ({verdict.looked_at} looked at)"
    return f": broken in {verdict.broken} of {verdict.looked_at}\n        {verdict.example}"


def _row(line: Line) -> str:
    share = "–" if line.share is None else f"{line.share:.0%}"
    limit = "too few" if line.limit is None else f"{line.limit}"
    word = "" if not line.counts else "  BETRAYS" if line.betrays else ""
    return f"  {line.feature:<30} {line.spoken:>8} {share:>7} {limit if line.counts else 'not counted':>11}{word}"


def compile_report(battles: Sequence[Shown], words: Sequence[Word], seed: int = 0) -> BlindnessReport:
    """Judge the rules, guess by every group of features, and correct for having tried them all."""
    guesses = []
    for group in features.GROUPS:
        pairs = [_pair(shown, *features.read(group, shown)) for shown in battles]
        guesses.append(guess(pairs, fresh=group.fresh, seed=seed))
    p_values = [chance.tail(guessed.right, guessed.spoken) for guessed in guesses]
    counting = [i for i, group in enumerate(features.GROUPS) if group.counts]
    rejected = dict(zip(counting, chance.holm([p_values[i] for i in counting]), strict=True))
    lines = [
        Line(
            group.name, guessed.spoken, guessed.right, p_values[i], rejected.get(i, False), group.counts,
            chance.limit(guessed.spoken, len(counting)),
        )
        for i, (group, guessed) in enumerate(zip(features.GROUPS, guesses, strict=True))
    ]  # fmt: skip
    return BlindnessReport(
        battles=len(battles),
        models=len({side.model for shown in battles for side in shown.sides}),
        prompts=len({shown.prompt for shown in battles}),
        verdicts=tuple(judge(battles, words)),
        lines=tuple(lines),
    )


def _pair(shown: Shown, left: Features, right: Features) -> Pair:
    return Pair(
        shown.prompt,
        JudgedImage(shown.left.model, shown.left.image, left),
        JudgedImage(shown.right.model, shown.right.image, right),
    )


def minimum() -> int:
    """The fewest guesses with which anything could be found to betray."""
    tests = sum(group.counts for group in features.GROUPS)
    return next(n for n in range(1, 200) if chance.limit(n, tests) is not None)
