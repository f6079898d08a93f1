"""How well an offering fits a request, and what is reported to a caller whose request no offering fits."""

from __future__ import annotations

from typing import Any

import pytest

from providers.offering import fit
from providers.request import ImageRequest, SourceImage
from tests import factories as make

ANY = {"size": {"family": "pixels", "format": "object", "field": "image_size", "multiple_of": 16}}
TIERS = {
    "size": {
        "family": "ratio", "field": "aspect_ratio", "ratios": ["1:1", "16:9", "21:9"], "tiers": ["1K", "2K", "4K"],
        "tier_field": "resolution",
    }
}  # fmt: skip
ONE_TIER = {"size": {"family": "ratio", "field": "aspect_ratio", "ratios": ["1:1", "16:9", "21:9", "8:1"]}}
LIST = {"size": {"family": "list", "field": "size", "sizes": ["1024x1024", "1536x1024", "1024x1536"]}}
NONE: dict[str, Any] = {"size": {"family": "none"}}
SEED = {"accepts": [{"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"}]}


def request(**fields) -> ImageRequest:
    return ImageRequest(prompt="", **fields)


@pytest.mark.parametrize(
    ("fields", "better", "worse"),
    [
        ({"resolution": "4K"}, TIERS, ONE_TIER),
        ({"resolution": "4K"}, ANY, LIST),
        ({"aspect_ratio": "8:1"}, ONE_TIER, TIERS),
        ({"size": "2048x2048"}, TIERS, LIST),
        ({"size": "16:9"}, ONE_TIER, NONE),
        ({"size": "4:3"}, ANY, LIST),
        ({"seed": 7}, ANY | SEED, ANY),
        ({"n": 3, "extra": {"style": "vivid"}}, ANY, ANY | {"ignores": ["style"]}),
        ({"extra": {"num_images": 2}}, ANY | {"accepts": [{"name": "num_images", "type": "integer"}]}, ANY),
    ],
)
def test_the_offering_that_makes_what_was_requested_fits_better(fields, better, worse):
    assert fit.misfit(request(**fields), better) < fit.misfit(request(**fields), worse)


@pytest.mark.parametrize(
    "fields", [{}, {"size": "auto"}, {"size": "1000x1000"}, {"aspect_ratio": "1:1", "resolution": "1K"}]
)
def test_small_differences_and_requests_without_a_size_leave_the_choice_to_the_price(fields):
    misfits = [fit.misfit(request(**fields), parameters) for parameters in (ANY, TIERS, ONE_TIER, LIST)]
    assert len({(misfit.is_impossible, misfit.shape, misfit.area, misfit.ignored) for misfit in misfits}) == 1


def test_masks_and_numbers_of_sources_decide_before_all_else():
    source = SourceImage(make.picture("source"), "image/png")
    edit = {"images": {"field": "image_urls", "max": 1}}
    many = {"images": {"field": "image_urls", "mask": "mask_url"}}
    two = request(mode="edit", images=(source, source))
    masked = request(mode="edit", images=(source,), mask=source)
    for edit_request in (two, masked):
        assert fit.misfit(edit_request, ANY | edit).is_impossible
        assert not fit.misfit(edit_request, ANY | many).is_impossible
    assert not fit.misfit(request(mode="edit"), ANY | edit).is_impossible  # a price is asked, the images come later


@pytest.mark.parametrize(
    ("fields", "size", "named"),
    [
        ({"resolution": "4K"}, (1024, 1024), "resolution 4K was"),
        ({"aspect_ratio": "8:1"}, (1536, 658), "aspect_ratio 8:1 was"),
        ({"size": "3840x2160"}, (1360, 768), "size 3840x2160 was"),
        ({"aspect_ratio": "16:9", "resolution": "2K"}, (1024, 1024), "aspect_ratio 16:9 and resolution 2K were"),
    ],
)
def test_another_shape_or_size_is_reported(fields, size, named):
    warning = f"{named} requested; the nearest that could be made is {size[0]}x{size[1]}."
    assert fit.warnings(request(**fields), [size, size]) == (warning,)


def test_a_request_met_exactly_brings_no_warning():
    assert fit.warnings(request(size="1000x1000"), [(1008, 1008)]) == ()
    assert fit.warnings(request(), [(1, 9000)]) == ()
    assert fit.warnings(request(aspect_ratio="16:9"), [(1360, 768)]) == ()
