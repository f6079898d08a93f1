"""What the parameters of an offering say beyond a single call."""

from __future__ import annotations

import pytest

from providers.offering.parameters import LARGEST_SEED, spare_seed

SEED = {"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"}


@pytest.mark.parametrize(
    ("row", "argument"),
    [
        (SEED, "seed"),
        (SEED | {"behaviour": "renamed", "target": "noise_seed"}, "noise_seed"),
        (SEED | {"minimum": 0, "maximum": LARGEST_SEED}, "seed"),
        (SEED | {"minimum": -1, "maximum": 2**32}, "seed"),
        (SEED | {"maximum": 65_535}, ""),  # so few that two jobs may have the same
        (SEED | {"minimum": 1}, ""),  # ours may be 0
        (SEED | {"behaviour": "converted", "values": {"1": "one"}}, ""),
        (SEED | {"name": "prompt", "type": "string"}, ""),
    ],
)
def test_a_seed_is_ours_to_choose_only_where_any_will_do(row, argument):
    assert spare_seed({"accepts": [row]}) == argument


def test_an_offering_that_takes_nothing_has_none():
    assert spare_seed({}) == ""
