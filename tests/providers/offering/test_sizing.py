"""Sizes, ratios and tiers: the published tables to the pixel, and what must hold for any request."""

from __future__ import annotations

from fractions import Fraction
from math import log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.offering import sizing
from providers.request import ImageRequest

# The 1K table as published for FLUX.2 [klein] 9B, in its order, and the five 2K sizes published for Imagen.
TABLE_1K = [
    ("4:3", 1183, 887),
    ("4:5", 916, 1145),
    ("5:4", 1145, 916),
    ("1:1", 1024, 1024),
    ("3:4", 887, 1182),
    ("2:3", 836, 1254),
    ("3:2", 1254, 836),
    ("9:16", 768, 1365),
    ("16:9", 1365, 768),
    ("9:21", 670, 1564),
    ("21:9", 1563, 670),
]
FIVE_2K = [
    ("1:1", 2048, 2048),
    ("16:9", 2731, 1536),
    ("9:16", 1536, 2731),
    ("4:3", 2365, 1774),
    ("3:4", 1774, 2365),
]

FLEXIBLE = {"family": "pixels", "format": "object", "field": "image_size", "max": 14142}
SNAPPED = {
    "family": "pixels", "format": "WxH", "field": "size", "multiple_of": 16, "max": 3840, "max_area": 3840 * 2160,
    "min_ratio": "1:3", "max_ratio": "3:1", "auto": {"size": "auto"},
}  # fmt: skip
WIDE = {
    "family": "ratio", "field": "aspect_ratio", "ratios": [*sizing.RATIOS, "4:1", "1:4", "8:1", "1:8"],
    "tier_field": "resolution", "tiers": ["0.5K", "1K", "2K", "4K"], "auto": {"aspect_ratio": "auto"},
}  # fmt: skip
THREE = {"family": "list", "field": "size", "sizes": ["1024x1024", "1536x1024", "1024x1536"]}

sides = st.integers(min_value=1, max_value=14_142)
shapes = st.builds(Fraction, st.integers(1, 400), st.integers(1, 400))


def ask(spec, input_size=None, mode="text-to-image", **expected):
    return sizing.resolve(ImageRequest("A kite", mode=mode, **expected), spec, input_size)


# The tables


def test_the_eleven_sizes_of_1k_are_those_of_the_published_table():
    assert sizing.table("1K") == TABLE_1K


def test_the_five_published_sizes_of_2k_follow_from_the_same_rule():
    assert sizing.table("2K", [ratio for ratio, *_ in FIVE_2K]) == FIVE_2K


@pytest.mark.parametrize(
    ("tier", "ratio", "size"),
    [
        ("0.5K", "16:9", (683, 384)), ("0.5K", "4:3", (591, 443)), ("0.5K", "21:9", (782, 335)),
        ("2K", "3:2", (2508, 1672)), ("2K", "4:5", (1832, 2290)), ("2K", "21:9", (3129, 1341)),
        ("2K", "9:21", (1341, 3128)), ("4K", "1:1", (4096, 4096)), ("4K", "16:9", (5461, 3072)),
        ("4K", "4:3", (4729, 3547)), ("4K", "21:9", (6256, 2681)),
    ],
)  # fmt: skip
def test_other_tiers_follow_the_rule(tier, ratio, size):
    assert sizing.table(tier, [ratio]) == [(ratio, *size)]


def test_three_to_four_is_rounded_half_up_and_not_to_even():
    assert sizing.size_for(3, 4) == (887, 1182)  # 1182 · 3/4 = 886.5


@pytest.mark.parametrize("tier", sizing.TIERS)
@pytest.mark.parametrize("ratio", [*sizing.RATIOS, "4:1", "1:4", "8:1", "1:8"])
def test_every_size_of_the_tables_is_read_back_as_its_own_ratio_and_tier(ratio, tier):
    ((_, width, height),) = sizing.table(tier, [ratio])
    assert sizing.nearest_ratio(Fraction(width, height), WIDE["ratios"]) == ratio
    assert sizing.nearest_tier(width * height, sizing.TIERS) == tier


# Nearest


def test_seven_to_one_goes_to_eight_to_one_and_not_to_four_to_one():
    assert sizing.nearest_ratio(Fraction(7), ["4:1", "8:1"]) == "8:1"


def test_a_tie_of_ratios_goes_to_the_same_orientation_and_then_to_the_first_of_the_list():
    assert sizing.nearest_ratio(Fraction(4, 3), ["1:1", "16:9"]) == "16:9"
    assert sizing.nearest_ratio(Fraction(3, 4), ["1:1", "9:16"]) == "9:16"
    assert sizing.nearest_ratio(Fraction(1), ["3:4", "4:3"]) == "3:4"
    assert sizing.nearest_ratio(Fraction(1), ["4:3", "3:4"]) == "4:3"


@pytest.mark.parametrize(
    ("area", "tiers", "nearest"),
    [
        (3072 * 3072, ["1K", "2K", "4K"], "4K"),
        (1024 * 1024, ["0.5 MP", "2 MP"], "0.5 MP"),  # a tie: the cheaper
        (1920 * 1080, ["1K", "2K"], "1K"),
        (2560 * 1440, ["1K", "2K", "4K"], "2K"),
        (3840 * 2160, ["1K", "2K", "4K"], "2K"),  # by area, although people call it 4K
        (1563 * 670, ["1K", "2K"], "1K"),
    ],
)
def test_the_nearest_tier_is_nearest_in_area(area, tiers, nearest):
    assert sizing.nearest_tier(area, tiers) == nearest


@given(shapes)
def test_the_nearest_ratio_is_nearest_in_logarithms(shape):
    nearest = sizing.shape_of(sizing.nearest_ratio(shape, sizing.RATIOS))
    assert abs(log(shape / nearest)) <= min(abs(log(shape / sizing.shape_of(r))) for r in sizing.RATIOS) + 1e-12


@given(shapes)
def test_turning_a_picture_turns_its_nearest_ratio(shape):
    ratio = sizing.nearest_ratio(shape, WIDE["ratios"])
    assert sizing.shape_of(sizing.nearest_ratio(1 / shape, WIDE["ratios"])) == 1 / sizing.shape_of(ratio)


@given(shapes, st.sampled_from(sizing.TIERS))
def test_a_size_has_the_area_of_its_tier_and_its_shape_to_the_pixel(shape, tier):
    width, height = sizing.size_of(shape, sizing.area_of(tier))
    assert abs(width - height * shape) <= Fraction(1, 2)
    assert abs(height - float(Fraction(sizing.area_of(tier)) / shape) ** 0.5) <= 0.5 + 1e-6


@given(st.fractions(min_value=0, max_value=10**12))
def test_the_integer_root_is_the_rounded_root(value):
    n = sizing.root(value)
    assert (2 * n - 1) ** 2 <= 4 * value < (2 * n + 1) ** 2 or (n == 0 and 4 * value < 1)


# Flexible offerings


def test_any_pixels_are_sent_as_they_are():
    resolved = ask(FLEXIBLE, size="1183x887")
    assert resolved.arguments == {"image_size": {"width": 1183, "height": 887}}
    assert resolved.size == resolved.expected == (1183, 887)


def test_size_beats_aspect_ratio_and_resolution():
    assert ask(FLEXIBLE, size="800x600", aspect_ratio="1:1", resolution="4K").size == (800, 600)
    assert ask(FLEXIBLE, size="16:9", aspect_ratio="1:1").size == (1365, 768)


def test_a_ratio_as_size_leaves_the_resolution_its_say():
    assert ask(FLEXIBLE, size="16:9", resolution="2K").size == (2731, 1536)


def test_nothing_asked_is_a_square_of_the_default_tier():
    assert ask(FLEXIBLE).size == (1024, 1024)
    assert ask({**FLEXIBLE, "default_tier": "2K"}).size == (2048, 2048)


def test_an_edit_without_size_is_left_to_the_provider_in_the_shape_of_its_source():
    resolved = ask(FLEXIBLE, (640, 480), mode="edit")
    assert (resolved.arguments, resolved.size, resolved.expected) == ({}, None, (640, 480))
    assert ask(FLEXIBLE, (640, 480), mode="edit", resolution="1K").size == (1183, 887)


def test_tiers_an_offering_does_not_have_go_to_the_nearest_it_has():
    assert ask({**FLEXIBLE, "tiers": ["1K"]}, aspect_ratio="4:3", resolution="4K").size == (1183, 887)


def test_auto_sends_what_the_offering_calls_auto_or_nothing():
    assert ask(SNAPPED, size="auto").arguments == {"size": "auto"}
    assert ask(FLEXIBLE, size="auto").arguments == {}
    assert ask(WIDE, aspect_ratio="auto", resolution="auto").arguments == {"aspect_ratio": "auto"}
    assert ask(WIDE, aspect_ratio="auto", resolution="2K").arguments == {"aspect_ratio": "auto", "resolution": "2K"}


@pytest.mark.parametrize(
    ("ratio", "size"),
    [("4:3", "1184x880"), ("16:9", "1360x768"), ("21:9", "1568x672"), ("3:4", "880x1184"), ("1:1", "1024x1024")],
)
def test_sides_are_snapped_half_up_to_the_multiple(ratio, size):
    assert ask(SNAPPED, aspect_ratio=ratio).arguments == {"size": size}


def test_too_large_is_scaled_down_in_its_shape():
    assert ask(FLEXIBLE, size="20000x10000").size == (14142, 7071)
    assert ask(SNAPPED, size="7680x4320").size == (3840, 2160)
    assert ask({**FLEXIBLE, "max_area": 2048 * 2048}, size="8192x8192").size == (2048, 2048)


def test_a_table_size_that_rounding_carried_over_the_area_limit_stays():
    assert ask({**FLEXIBLE, "max_area": 2048 * 2048}, size="2731x1536").size == (2731, 1536)


def test_too_small_is_scaled_up_in_its_shape():
    assert ask({**FLEXIBLE, "min": 512}, size="512x256").size == (1024, 512)


def test_a_ratio_beyond_the_limit_becomes_the_limit():
    assert ask(SNAPPED, size="4000x500").size == (2448, 816)


@given(sides, sides)
def test_every_size_comes_within_the_limits_and_on_the_multiple(width, height):
    sizes = sizing.fit((width, height), SNAPPED)
    assert all(side % 16 == 0 and 16 <= side <= 3840 for side in sizes)
    assert sizes[0] * sizes[1] <= 3840 * 2160
    assert Fraction(1, 3) <= Fraction(*sizes) <= 3


@given(sides, sides)
def test_a_size_within_the_limits_is_not_touched(width, height):
    assert sizing.fit((width, height), FLEXIBLE) == (width, height)


@given(sides, sides)
def test_what_fits_once_fits_again(width, height):
    once = sizing.fit((width, height), SNAPPED)
    assert sizing.fit(once, SNAPPED) == once


@given(st.integers(64, 8000), st.integers(64, 8000))
def test_fitting_a_turned_size_turns_the_result_but_for_one_multiple(width, height):
    upright, turned = sizing.fit((width, height), SNAPPED), sizing.fit((height, width), SNAPPED)
    assert abs(upright[0] - turned[1]) <= 16
    assert abs(upright[1] - turned[0]) <= 16


@given(sides, sides)
def test_scaling_keeps_the_shape(width, height):
    assume(Fraction(1, 8) <= Fraction(width, height) <= 8)
    sizes = sizing.fit((width, height), {**FLEXIBLE, "max": 2048, "min": 256})
    assert max(sizes) <= 2048
    assert min(sizes) >= 256
    assert abs(log(Fraction(*sizes) / Fraction(width, height))) < 0.01


# Offerings with ratios and tiers, or with a list


def test_pixels_become_the_nearest_ratio_and_tier():
    resolved = ask(WIDE, size="1920x1080")
    assert resolved.arguments == {"aspect_ratio": "16:9", "resolution": "1K"}
    assert (resolved.size, resolved.expected) == (None, (1365, 768))


def test_tiers_are_written_as_the_provider_writes_them():
    spec = {**WIDE, "tiers": ["0.25 MP", "1 MP"], "tier_values": {"0.25 MP": "0.25"}, "default_tier": "1 MP"}
    assert ask(spec, aspect_ratio="1:1", resolution="0.5K").arguments["resolution"] == "0.25"
    assert ask(spec, aspect_ratio="1:1").arguments["resolution"] == "1 MP"


def test_a_ratio_only_offering_is_sent_the_ratio_only():
    spec = {"family": "ratio", "field": "aspect_ratio", "ratios": ["1:1", "16:9"], "with": {"raw": True}}
    assert ask(spec, size="1600x900").arguments == {"aspect_ratio": "16:9", "raw": True}


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ("4:3", "1536x1024"),
        ("1920x1080", "1536x1024"),
        ("9:16", "1024x1536"),
        ("6:5", "1024x1024"),
        (None, "1024x1024"),
    ],
)
def test_a_list_is_searched_by_shape_and_then_by_area(size, nearest):
    assert ask(THREE, size=size).arguments == {"size": nearest}


def test_of_two_listed_sizes_of_one_shape_the_nearer_in_area_is_taken():
    spec = {**THREE, "sizes": ["512x512", "1024x1024", "2048x2048"]}
    assert ask(spec, aspect_ratio="1:1", resolution="2K").arguments == {"size": "2048x2048"}
    assert ask(spec, size="600x600").arguments == {"size": "512x512"}


def test_an_offering_without_size_is_sent_none():
    resolved = ask({"family": "none"}, size="1024x768")
    assert (resolved.arguments, resolved.size) == ({}, None)


@given(sides, sides)
def test_ratio_offerings_only_ever_get_their_own_words(width, height):
    sent = ask(WIDE, size=f"{width}x{height}").arguments
    assert sent["aspect_ratio"] in WIDE["ratios"]
    assert sent["resolution"] in WIDE["tiers"]


# What cannot be read


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"size": "big"}, r"size: 'big' is not a size; write 'auto', pixels like '1024x768' or a ratio like '4:3'"),
        ({"size": "0x100"}, "size: '0x100'"),
        ({"size": "1024"}, "size: '1024'"),
        ({"size": "16:0"}, "size: '16:0' is not a ratio"),
        ({"aspect_ratio": "wide"}, "aspect_ratio: 'wide' is not a ratio; write width:height, like '16:9'"),
        (
            {"resolution": "huge"},
            "resolution: 'huge' is not a resolution; write a tier like '1K' or an area like '2 MP'",
        ),
        ({"resolution": "0K"}, "resolution: '0k'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_to_write_it(expected, says):
    with pytest.raises(ValueError, match=says):
        ask(FLEXIBLE, **expected)


@pytest.mark.parametrize("size", ["1024X768", " 1024 x 768 ", "1024×768"])
def test_sizes_are_read_as_people_write_them(size):
    assert ask(FLEXIBLE, size=size).size == (1024, 768)


def test_ratios_may_have_decimals():
    assert sizing.shape_of("1.91:1") == Fraction(191, 100)


@pytest.mark.parametrize(("tier", "area"), [("1K", 2**20), ("0.5k", 2**18), ("2 MP", 2**21), ("0.25MP", 2**18)])
def test_tiers_are_read_as_areas(tier, area):
    assert sizing.area_of(tier) == area


def test_pages_can_list_the_sizes_of_an_offering():
    assert sizing.supported({**FLEXIBLE, "tiers": ["1K"]}) == {"1K": TABLE_1K}
    assert sizing.supported(THREE) == {"1K": [("1:1", 1024, 1024), ("3:2", 1536, 1024), ("2:3", 1024, 1536)]}
    assert list(sizing.supported(WIDE)) == ["0.5K", "1K", "2K", "4K"]
    assert sizing.supported({"family": "none"}) == {}
