"""The sentences of “Which for me?”. Pure."""

from __future__ import annotations

from providers.web.sentence import sentence


def nothing(without: tuple[int, str] | None) -> str:
    """Nothing fits; how many would without one limit, and that limit's words."""
    if without is None:
        return sentence("Nothing fits.")
    more, limit = without
    return sentence("Nothing fits. %(more)s do without the limit of %(limit)s.", more=more, limit=limit)


def unrated(name: str) -> str:
    return sentence("%(name)s is the cheapest that fits; nobody has rated it – put it in the arena.", name=name)


def best(name: str, fitting: int) -> str:
    """It leads the `fitting` models by votes."""
    return sentence("%(name)s: best by votes of the %(fitting)s that fit.", name=name, fitting=fitting)


def cheapest(name: str, rated: int, usable_price: str) -> str:
    """Votes do not decide among the `rated` ones; `usable_price`: what a usable image costs, "" if unknown."""
    if not usable_price:
        return sentence(
            "%(name)s, for now: cheapest per usable image of the %(rated)s rated models that fit.",
            name=name, rated=rated,
        )  # fmt: skip
    return sentence(
        "%(name)s, for now: cheapest per usable image (%(price)s) of the %(rated)s rated models that fit.",
        name=name, price=usable_price, rated=rated,
    )  # fmt: skip
