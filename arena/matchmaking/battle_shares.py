"""In what share of all battles a model, the newcomers of a lab, and all newcomers may be. Pure.

Without the joint cap five provisional siblings take part in 93 % of all battles; without that of a lab, a newcomer
beside ten siblings of another lab is usable after 10,000 votes instead of 2,500. The order of the caps decides that:
model, lab, all. The cap of a model is explained in `matchmaking`, which draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNIFORM_SHARE = 0.1
LARGEST_SHARE = 0.25  # of all battles, for one model
EVEN_SHARE = 1.5  # … or this many even shares, where that is more
NEWCOMERS_SHARE = 0.5  # of all battles, for the provisional models together …
LAB_SHARE = 0.3  # … and for those of one lab, while those of another lab are in play
GROWN = 5  # established models from which on these two hold: fewer could not carry the other half under the first cap
ROUNDS = 60  # of applying all caps in turn; a handful does

Floats = NDArray[np.float64]
Group = tuple[NDArray[np.bool_], float]  # models [K], and the share of battles in which one of them may be


def capped(chances: Floats, uniform: Floats, groups: Sequence[Group] = ()) -> Floats:
    """Chances of pairs, changed so that nobody's share of all battles passes a cap. Both [K, K] above the diagonal.

    Every model has its cap, then each group (who, and the share of battles in which one of them may be). The caps count
    the uniform tenth too. What is above is scaled down in turn, until nothing is; where that does not end (a model that
    shares prompts with few others), the rest of the way goes towards the uniform draw.
    """
    k = len(chances)
    cap = _within(max(LARGEST_SHARE, EVEN_SHARE * 2 / k), _shares(uniform))
    touched = [(who[:, None] | who[None, :], share) for who, share in groups]
    limits = [(pairs, float(_within(share, uniform[pairs].sum()))) for pairs, share in touched]
    for _ in range(ROUNDS):
        before = chances
        share = _shares(chances)
        if (share > cap * (1 + 1e-9)).any():
            factor = np.where(share > cap, cap / np.maximum(share, 1e-300), 1)
            chances = chances * np.minimum.outer(factor, factor)
            chances /= chances.sum()
        for pairs, limit in limits:
            of_group = float(chances[pairs].sum())
            if limit * (1 + 1e-9) < of_group < 1:
                chances = chances * np.where(pairs, limit / of_group, (1 - limit) / (1 - of_group))
        if chances is before:
            return chances
    share, target = _shares(chances), _shares(uniform)
    over = (share > cap) & (share > target)
    blend = np.clip((share - cap)[over] / (share - target)[over], 0, 1).max(initial=0)
    return np.asarray((1 - blend) * chances + blend * uniform, np.float64)


def _within(share: Any, of_uniform: Any) -> Any:
    """What a share of all battles leaves of the nine tenths that are not uniform."""
    return np.maximum((share - UNIFORM_SHARE * of_uniform) / (1 - UNIFORM_SHARE), 0)


def _shares(chances: Floats) -> Floats:
    """[K] in what share of the battles each model takes part."""
    return np.asarray(chances.sum(0) + chances.sum(1), np.float64)
