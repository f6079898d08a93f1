"""Where an axis has its ticks and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from providers.web.sentence import decimal, sentence

from . import text
from .frames import Tick

_STEPS = (1, 2, 2.5, 5, 10)
_USUAL: tuple[tuple[float, ...], ...] = ((1, 2, 5), (1, 3), (1,))
_DENSE: tuple[tuple[float, ...], ...] = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7))  # for less than a decade
_FEW, _MOST = 3, 9
_NEAR = 3  # ends of an axis whose numbers are closer than that are taken at even steps


def linear(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers within [low, high], evenly spaced."""
    span = high - low
    if span <= 0 or most < 2:
        return [low]
    raw = span / (most - 1)
    power = 10 ** math.floor(math.log10(raw))
    for factor in (*_STEPS, 20):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [round(k * step, 10) for k in range(first, last + 1)]
    return [low]


def logarithmic(low: float, high: float, fits: Callable[[Sequence[float]], bool]) -> list[float]:
    """Round numbers within [low, high] > 0 for a log axis, in the first usual pattern whose texts `fits` accepts."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)

    def within(mantissas: Sequence[float], every: int = 1) -> list[float]:
        values = (_times_power(m, k) for k in decades if k % every == 0 for m in mantissas)
        return [value for value in values if low * 0.999 <= value <= high * 1.001]

    patterns = [within(mantissas) for mantissas in _USUAL]
    if len(patterns[0]) < _FEW:
        patterns = [*(within(mantissas) for mantissas in _DENSE), *patterns]
    if high / low < _NEAR:  # between 11 and 19 there is no such number
        patterns = [*_even(low, high), *patterns]
    patterns += [within((1,), every) for every in range(2, len(decades) + 1)]
    return next((pattern for pattern in patterns if pattern and fits(pattern)), [])


def _even(low: float, high: float) -> list[list[float]]:
    """Round numbers at even distances, the finest first."""
    choices = []
    power = math.floor(math.log10(high - low)) if high > low else 0
    for mantissa, exponent in ((1, power - 1), (2, power - 1), (5, power - 1), (1, power), (2, power)):
        step = _times_power(mantissa, exponent)
        first, last = math.ceil(low / step), math.floor(high / step)
        if _FEW <= last - first + 1 <= _MOST and first > 0:
            choices.append([float(f"{k * step:.6g}") for k in range(first, last + 1)])
    return choices


def _times_power(mantissa: float, power: int) -> float:
    """Without the rounding of 3 · 10⁻³ = 0.0030000000000000005."""
    return float(f"{mantissa}e{power}")


def apart(values: Iterable[tuple[float, str]], size: float) -> bool:
    """Whether texts centred at these places leave a letter's width between each other."""
    end = -math.inf
    for at, words in values:
        half = text.width(words, size) / 2
        if at - half < end + size:
            return False
        end = at + half
    return True


def dollars(amount: float) -> str:
    """$0.005, $0.20, $3: as many digits as it takes to tell the amount."""
    if amount >= 1:
        return sentence("$%(amount)s", amount=decimal(f"{amount:,.2f}".removesuffix(".00")))
    digits = max(2, 1 - math.floor(math.log10(amount))) if amount > 0 else 2
    whole, _, cents = f"{amount:.{digits}f}".rstrip("0").partition(".")
    return sentence("$%(amount)s", amount=decimal(f"{whole}.{cents.ljust(2, '0')}"))


def seconds(duration: float) -> str:
    """0.94 s, 12 s, 2 min."""
    if duration >= 120:
        return sentence("%(minutes)s min", minutes=decimal(f"{duration / 60:.3g}"))
    return sentence("%(seconds)s s", seconds=decimal(f"{duration:.2g}" if duration < 10 else f"{duration:.0f}"))


def ticks(places: Iterable[tuple[float, str]]) -> tuple[Tick, ...]:
    return tuple(Tick(round(at, 1), words) for at, words in places)
