"""The sentences of a board's verdict that take more than one form. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.rating.number_words import both, either, fraction, rounded
from leaderboard.rating.place import sure
from providers.web.sentence import sentence, sentences


def early(n: int) -> str:
    """Of `n` models that could all be first."""
    if n == 2:
        return sentence("Too early to say: either of the two could be first.")
    return sentence("Too early to say: all %(models)s could be first.", models=n)


def unnamed(leaders: int, n: int) -> str:
    """Of leaders among whom a rating is still provisional."""
    if leaders == 1:
        return sentence("Too early to name the first: one of %(models)s is ahead, on too few votes.", models=n)
    return sentence(
        "Too early to name the first: %(first)s of %(models)s could be, on too few votes.", first=leaders, models=n
    )


def lead(names: Sequence[str], rest: int, best: float | None) -> str:
    """`names` are ahead of each of the `rest`; `best`: the chance of a single leader to be the best."""
    if len(names) == 1:
        if best is None:
            return sentence("%(name)s leads.", name=names[0])
        return sentence("%(name)s leads (%(chance)s sure).", name=names[0], chance=sure(best))
    if len(names) == 2:
        return sentences(
            "%(names)s lead; the other %(rest)s is behind both.",
            "%(names)s lead; the other %(rest)s are behind both.",
            rest, names=both(names), rest=rest,
        )  # fmt: skip
    return sentences(
        "%(names)s lead; the other %(rest)s is behind all three.",
        "%(names)s lead; the other %(rest)s are behind all three.",
        rest, names=both(names), rest=rest,
    )  # fmt: skip


def missing(lacking: str, more_votes: int | None, voters: int | None, prompts: int | None, prompts_bind: bool) -> str:
    """What would help most; see `verdict.of_board`."""
    if lacking == "voters":
        if not voters:
            return sentence("No voter: more voters would help more than more votes of the same.")
        return sentences(
            "%(voters)s voter: more voters would help more than more votes of the same.",
            "%(voters)s voters: more voters would help more than more votes of the same.",
            voters, voters=voters,
        )  # fmt: skip
    if lacking == "prompts" or prompts_bind:
        if not prompts:
            return sentence("No prompt: more prompts would help more than more votes.")
        return sentences(
            "%(prompts)s prompt: more prompts would help more than more votes.",
            "%(prompts)s prompts: more prompts would help more than more votes.",
            prompts, prompts=prompts,
        )  # fmt: skip
    if more_votes:
        return sentence(
            "About %(votes)s more votes between the first two would separate them.", votes=rounded(more_votes)
        )
    return sentence("How many votes it takes cannot be foreseen yet.")


def bargain(name: str, part: float, wins: int, leader: str, is_only: bool) -> str:
    """A model at a `part` of the price of the `leader`, who leads alone or not, wins so many of ten against it."""
    if not part and is_only:
        return sentence("%(name)s is free and still wins %(wins)s of 10 against it.", name=name, wins=wins)
    if not part:
        return sentence(
            "%(name)s is free and still wins %(wins)s of 10 against %(leader)s.", name=name, wins=wins, leader=leader
        )
    if is_only:
        return sentence(
            "%(name)s costs %(part)s and still wins %(wins)s of 10 against it.",
            name=name, part=fraction(part), wins=wins,
        )  # fmt: skip
    return sentence(
        "%(name)s costs %(part)s and still wins %(wins)s of 10 against %(leader)s.",
        name=name, part=fraction(part), wins=wins, leader=leader,
    )  # fmt: skip


def no_model(conditions: str) -> str:
    """Of a filter that leaves nothing. `conditions` begin a sentence: Under $0.02."""
    return sentence("No model %(conditions)s.", conditions=f"{conditions[:1].lower()}{conditions[1:]}")


def only(conditions: str, name: str) -> str:
    return sentence("%(conditions)s, there is only %(name)s.", conditions=conditions, name=name)


def part_best(conditions: str, names: Sequence[str], n: int, best: float | None) -> str:
    """Of a filter that leaves `n`; `best`: the chance of a single leader to be the best of them."""
    if best is None:
        return sentence(
            "%(conditions)s, %(names)s is best of %(models)s.", conditions=conditions, names=either(names), models=n
        )
    return sentence(
        "%(conditions)s, %(name)s is best of %(models)s (%(chance)s sure).",
        conditions=conditions, name=names[0], models=n, chance=sure(best),
    )  # fmt: skip


def part_unnamed(conditions: str, first: int, n: int) -> str:
    if first == 1:
        return sentence(
            "%(conditions)s: too early to name the best of %(models)s; one is ahead, on too few votes.",
            conditions=conditions,
            models=n,
        )
    return sentence(
        "%(conditions)s, %(first)s of %(models)s could be best.", conditions=conditions, first=first, models=n
    )


def part_early(conditions: str, n: int) -> str:
    return sentence("%(conditions)s: too early, any of %(models)s could be best.", conditions=conditions, models=n)
