"""Parameters in a provider's own words that multiply or enlarge what it bills."""

from __future__ import annotations

import pytest

from providers.errors import InvalidRequest
from providers.offering import native

PIXELS = {"family": "pixels", "format": "object", "field": "image_size", "max": 2048}
ONE = (1024, 1024)


@pytest.mark.parametrize(
    "extra",
    [
        {"num_images": 4}, {"num_outputs": "2"}, {"numberOfImages": 2}, {"batch-size": 3}, {"max_images": 15},
        {"generationConfig": {"candidateCount": 4}}, {"parameters": [{"sampleCount": 2}]}, {"n": 2},
        {"num_variations": 4}, {"imageNum": 2}, {"variations": 3}, {"n_iter": 2}, {"NumOfPictures": "4"}, {"copies": 2},
        {"options[num_images]": 2}, {"num.images": 2}, {"\uff2eum_\uff29mages": 2}, {"frame_count": 16},
        {"resultNum": 3}, {"Num": 4}, {"options": {"number": "2"}}, {"num_pics": 2}, {"N": 2}, {"num_images": [4]},
        {"number_of_image": 2}, {"outputs-per-prompt": 2}, {"quantity": 1e9},
        {"sequential_image_generation": "auto"}, {"prompts": ["a", "b"]}, {"Seeds": [1, 2]},
        {"input": {"requests": [{}, {}]}}, {"num_pics": 10**400},
    ],
)  # fmt: skip
def test_several_images_are_asked_for_with_n_alone(extra):
    with pytest.raises(InvalidRequest, match="write n"):
        native.check_counts(extra)


def test_one_image_and_what_the_offering_names_itself_pass():
    native.check_counts({"num_images": 1, "n": "1", "steps": 4, "num_outputs": None})
    native.check_counts({"samples": 8}, known={"samples"})
    native.check_counts(
        {"num_inference_steps": 28, "num_steps_per_image": 28, "sequential_image_generation": "disabled"}
    )
    native.check_counts({"n_iter": 1, "image_guidance_scale": 1.5, "max_sequence_length": 512, "images": ["a", "b"]})
    native.check_counts({"prompts": ["a"], "seeds": 7, "foo": 10**400, "num_pics": -(10**400)})
    native.check_counts({"image_prompt_strength": 5, "number_of_colors": 8, "count_tokens": True, "frames": True})


@pytest.mark.parametrize(
    ("extra", "area"),
    [
        ({}, 1024 * 1024),
        ({"steps": 50, "seed": 7}, 1024 * 1024),
        ({"image_size": {"width": 2048, "height": 1024}}, 2048 * 1024),
        ({"width": "1536", "height": 1536}, 1536 * 1536),
        ({"width": 4096}, 4096 * 1024),
        ({"size": "2048*2048"}, 2048 * 2048),
        ({"imageConfig": {"imageSize": "4K"}}, 4096 * 4096),
        ({"megapixels": "0.25"}, 2**18),
        ({"upscale_factor": 2}, 4 * 1024 * 1024),
        ({"upscale_factor": 10**400}, 2048 * 2048),
        ({"image_size": "square_hd"}, 2048 * 2048),  # a preset: as large as the offering makes
        ({"size": "auto"}, 1024 * 1024),
    ],
)
def test_a_size_in_the_providers_own_words_is_read_for_the_price(extra, area):
    width, height = native.expected_size(extra, ONE, PIXELS)
    assert width * height == pytest.approx(area, rel=0.001)


@pytest.mark.parametrize(
    ("spec", "tier"),
    [
        ({"family": "none"}, 4096),
        ({"family": "ratio", "ratios": ["1:1"], "tiers": ["1K", "2K"]}, 2048),
        ({"family": "list", "sizes": ["1024x1024", "512x512"]}, 1024),
    ],
)
def test_what_cannot_be_read_is_as_large_as_the_offering_makes(spec, tier):
    assert native.largest_area(spec) == tier * tier


@pytest.mark.parametrize(
    ("extra", "count"),
    [
        ({}, 0),
        ({"image_urls": ["https://x.test/1.png", "data:image/png;base64,AAAA"]}, 2),
        ({"input_image": "HTTPS://x.test/1.png", "input_image_2": " https://x.test/2.png"}, 2),
        ({"references": {"inputImage": "https://x.test/1.png"}}, 1),
        ({"images": [{"image_url": "https://x.test/1.png"}, {"image_url": "https://x.test/2.png"}]}, 2),
        ({"image_size": "square", "num_images": 1, "image_prompt": "a kite"}, 0),
        ({"loras": [{"path": "https://x.test/1.safetensors"}], "callback_url": "https://x.test"}, 0),
    ],
)
def test_sources_in_the_providers_own_words_are_counted(extra, count):
    assert native.count_of_sources(extra) == count
