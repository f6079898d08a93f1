"""From a request in our words to a call in the provider's: the four behaviours, the refusals, and the reference."""

from __future__ import annotations

import io
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image

from providers.catalog import file
from providers.errors import InvalidRequest
from providers.offering import normalisation
from providers.offering.normalisation import build, native_n
from providers.offering.reference import lines
from providers.request import ImageRequest, SourceImage

FAL: dict[str, Any] = {
    "size": {"family": "pixels", "format": "object", "field": "image_size", "max": 14142, "tiers": ["1K"]},
    "n": {"field": "num_images", "max": 4},
    "accepts": [
        {"name": "prompt", "type": "string", "group": "core", "behaviour": "passthrough", "required": True},
        {"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"},
        {
            "name": "output_format", "type": "string", "group": "output", "behaviour": "converted",
            "enum": ["png", "jpeg", "gif", "webp", "avif"], "values": {"png": "png", "jpeg": "jpg"}, "otherwise": "png",
        },
        {
            "name": "output_compression", "type": "integer", "group": "output", "behaviour": "renamed",
            "target": "output_quality", "minimum": 0, "maximum": 100,
        },
        {
            "name": "num_inference_steps", "type": "integer", "group": "additional", "behaviour": "passthrough",
            "minimum": 4, "maximum": 8, "default": 4,
        },
        {"name": "guidance", "type": "number", "group": "additional", "behaviour": "passthrough", "minimum": 1},
        {"name": "raw", "type": "boolean", "group": "additional", "behaviour": "passthrough"},
        {"name": "styles", "type": "array", "group": "additional", "behaviour": "passthrough"},
        {"name": "safety", "type": "string", "group": "additional", "behaviour": "passthrough", "enum": ["1", "2"]},
    ],
    "ignores": ["go_fast"],
}  # fmt: skip
EDIT: dict[str, Any] = {**FAL, "images": {"field": "image_urls", "list": True, "max": 2}, "n": None}
EDIT.pop("n")


def clear_in_the_middle() -> SourceImage:
    mask = Image.new("RGBA", (4, 2), (9, 9, 9, 255))
    mask.putpixel((1, 1), (9, 9, 9, 0))
    out = io.BytesIO()
    mask.save(out, "PNG")
    return SourceImage(out.getvalue(), "image/png")


@pytest.mark.parametrize(("style", "changed", "unchanged"), [("black", 0, 255), ("white", 255, 0)])
def test_a_mask_is_sent_as_the_offering_reads_it(style, changed, unchanged):
    parameters = EDIT | {"images": EDIT["images"] | {"mask": "mask_url", "mask_style": style, "mask_required": True}}
    mask = clear_in_the_middle()
    request = ImageRequest("x", mode="edit", images=(mask,), mask=mask)
    sent = build(request, endpoint="e", parameters=parameters)
    assert sent.mask
    picture = Image.open(io.BytesIO(sent.mask.data))
    assert [picture.getpixel((1, 1)), picture.getpixel((0, 0))] == [changed, unchanged]
    with pytest.raises(InvalidRequest, match="mask: this offering needs one"):
        build(ImageRequest("x", mode="edit", images=(mask,)), endpoint="e", parameters=parameters)
    opaque = SourceImage(make_opaque(), "image/png")
    with pytest.raises(InvalidRequest, match="nothing in it is transparent"):
        build(ImageRequest("x", mode="edit", images=(mask,), mask=opaque), endpoint="e", parameters=parameters)


def make_opaque() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 2)).save(out, "PNG")
    return out.getvalue()


def png(width=640, height=480):
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return SourceImage(out.getvalue(), "image/png")


def call(parameters=FAL, prompt="A red kite", extra=MappingProxyType({}), **expected):
    request = ImageRequest(prompt, extra=extra, **expected)
    return build(request, endpoint="fal-ai/kite", parameters=parameters)


# The four behaviours


def test_a_request_becomes_the_providers_own_words():
    made = call(seed=7, aspect_ratio="4:3", n=2, extra={"output_format": "jpeg", "output_compression": 80})
    assert made.endpoint == "fal-ai/kite"
    assert made.arguments == {
        "prompt": "A red kite",
        "seed": 7,
        "image_size": {"width": 1183, "height": 887},
        "num_images": 2,
        "output_format": "jpg",
        "output_quality": 80,
    }
    assert made.resolved_size == (1183, 887)
    assert made.ignored == ()


def test_a_format_the_provider_cannot_make_is_asked_for_without_loss():
    assert call(extra={"output_format": "avif"}).arguments["output_format"] == "png"


def test_what_we_do_ourselves_is_not_sent_and_not_called_ignored():
    plain = {**FAL, "accepts": FAL["accepts"][:2]}
    made = call(plain, extra={"response_format": "b64_json", "output_format": "gif", "output_compression": 50})
    assert made.arguments.keys() == {"prompt", "image_size"}
    assert made.ignored == ()


def test_unknown_parameters_pass_through():
    assert call(extra={"brand_new": {"a": 1}, "empty": None}).arguments["brand_new"] == {"a": 1}
    assert "empty" not in call(extra={"empty": None}).arguments


def test_parameters_of_the_same_model_elsewhere_are_left_out_and_reported():
    made = call({**FAL, "accepts": FAL["accepts"][:1]}, seed=3, extra={"go_fast": True})
    assert made.arguments.keys() == {"prompt", "image_size"}
    assert set(made.ignored) == {"seed", "go_fast"}


def test_size_parameters_without_effect_are_reported():
    ratio_only = {**FAL, "size": {"family": "ratio", "field": "aspect_ratio", "ratios": ["1:1"]}}
    assert call(ratio_only, aspect_ratio="16:9", resolution="2K").ignored == ("resolution",)
    assert call({**FAL, "size": {"family": "none"}}, size="1024x1024").ignored == ("size",)


def test_arguments_that_are_always_sent_give_way_to_the_request():
    sends = {**FAL, "sends": {"quality": "medium", "raw": False}}
    assert call(sends).arguments["quality"] == "medium"
    assert call(sends, extra={"quality": "high", "raw": True}).arguments["quality"] == "high"
    assert call(sends, extra={"raw": "true"}).arguments["raw"] is True


def test_the_providers_own_word_for_a_size_beats_ours_and_then_the_size_is_not_ours_to_tell():
    made = call(size="1024x1024", extra={"image_size": "square_hd"})
    assert made.arguments["image_size"] == "square_hd"
    assert made.resolved_size is None


def test_an_offering_nobody_described_still_gets_the_prompt():
    assert call({}, size="1024x1024").arguments == {"prompt": "A red kite"}


# Refusals


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"num_inference_steps": 3}, "num_inference_steps: 3 is not allowed; write a whole number from 4 to 8"),
        ({"num_inference_steps": "many"}, "num_inference_steps: 'many' is not allowed"),
        ({"num_inference_steps": 4.5}, "num_inference_steps: 4.5 is not allowed"),
        ({"num_inference_steps": True}, "num_inference_steps: True is not allowed"),
        ({"guidance": 0}, "guidance: 0 is not allowed; write a number, 1 or more"),
        ({"guidance": float("nan")}, "guidance: nan is not allowed"),
        ({"raw": "perhaps"}, "raw: 'perhaps' is not allowed; write true or false"),
        ({"styles": "bold"}, "styles: 'bold' is not allowed; write a list"),
        ({"safety": 3}, "safety: '3' is not allowed; write one of 1, 2"),
        ({"output_format": "bmp"}, "output_format: 'bmp' is not allowed; write one of png, jpeg, gif, webp, avif"),
        ({"response_format": "fax"}, "response_format: 'fax' is not allowed; write one of url, b64_json"),
        ({"output_compression": 101}, "output_compression: 101 is not allowed; write a whole number from 0 to 100"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(extra, says):
    with pytest.raises(InvalidRequest) as refused:
        call(extra=extra)
    assert says in str(refused.value)


def test_a_long_wrong_value_is_not_repeated_in_full():
    with pytest.raises(InvalidRequest) as refused:
        call(extra={"raw": "x" * 5000})
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"prompt": "  "}, "prompt: it is empty"),
        ({"size": "big"}, "size: 'big' is not a size"),
        ({"n": 5}, "n: 5 images in one call; this offering makes 1 to 4"),
        ({"n": 0}, "n: 0 images"),
        ({"images": (png(),)}, "image: this offering takes no images"),
    ],
)
def test_what_an_offering_cannot_do_is_refused_by_name(expected, says):
    with pytest.raises(InvalidRequest, match=says):
        call(**expected)


def test_a_prompt_may_have_a_longest_length():
    short = {**FAL, "accepts": [{**FAL["accepts"][0], "max_length": 5}]}
    with pytest.raises(InvalidRequest, match="prompt: 10 characters; at most 5 are allowed"):
        call(short)


def test_text_from_forms_is_read_in_the_type_of_the_parameter():
    sent = call(extra={"num_inference_steps": "6", "guidance": "2.5", "raw": "false", "safety": 2}).arguments
    assert (sent["num_inference_steps"], sent["guidance"], sent["raw"], sent["safety"]) == (6, 2.5, False, "2")


# Edits


def test_an_edit_takes_its_images_where_the_offering_wants_them():
    made = call(EDIT, mode="edit", images=(png(),))
    assert (made.image_field, made.image_is_list, len(made.images)) == ("image_urls", True, 1)
    assert "image_size" not in made.arguments  # the provider keeps the size of the source
    single = {**EDIT, "images": {"field": "image_url", "list": False, "max": 1}}
    assert not call(single, mode="edit", images=(png(),)).image_is_list


def test_an_edit_at_a_tier_has_the_shape_of_its_source():
    assert call(EDIT, mode="edit", images=(png(640, 480),), resolution="1K").resolved_size == (1183, 887)
    unreadable = SourceImage(b"not an image", "image/png")
    with pytest.raises(InvalidRequest, match="image: it is no PNG"):  # before anybody is paid for looking at it
        call(EDIT, mode="edit", images=(unreadable,), resolution="1K")


@pytest.mark.parametrize(("count", "says"), [(0, "0 given; an edit needs 1 or more"), (3, "takes at most 2")])
def test_an_edit_has_as_many_images_as_the_offering_takes(count, says):
    with pytest.raises(InvalidRequest, match=says):
        call(EDIT, mode="edit", images=(png(),) * count)


def test_the_number_of_images_in_one_call_is_data():
    assert native_n(FAL) == 4
    assert native_n(EDIT) == 1
    assert native_n({}) == 1
    assert "num_images" not in call(n=1).arguments


def test_a_price_can_be_estimated_where_the_provider_chooses_the_pixels():
    spec = {"family": "ratio", "field": "aspect_ratio", "ratios": ["16:9"], "tier_field": "r", "tiers": ["1K", "2K"]}
    request = ImageRequest("A kite", size="16:9", resolution="2K")
    assert normalisation.expected_size(request, {"size": spec}) == (2731, 1536)


# Reference


def test_the_reference_says_what_becomes_of_every_parameter():
    by_name = {line.name: line for line in lines(FAL)}
    assert [line.group for line in lines(FAL)] == sorted(
        (line.group for line in lines(FAL)), key=("core", "size", "output", "media", "additional").index
    )
    behaviours = {name: line.behaviour for name, line in by_name.items()}
    assert behaviours["prompt"] == "passthrough"
    assert behaviours["output_compression"] == "renamed"
    assert behaviours["size"] == behaviours["output_format"] == "converted"
    assert behaviours["response_format"] == "emulated"
    assert (by_name["n"].behaviour, by_name["n"].target) == ("renamed", "num_images")
    assert by_name["num_inference_steps"].allowed == "a whole number from 4 to 8"
    assert by_name["resolution"].allowed == "auto, 1K"
    assert {line.name: line.behaviour for line in lines(EDIT)}["n"] == "emulated"
    assert {line.name: line.allowed for line in lines(EDIT)}["image"] == "up to 2"


def test_the_example_of_the_published_model_page_holds_for_the_catalogue():
    """FLUX.2 [klein] 9B as its public page describes it: which provider takes which further parameters."""
    offerings = file.read().offerings
    fal, replicate = (offerings["flux.2-klein-9b", key, "text-to-image"]["parameters"] for key in ("fal", "replicate"))
    further = {
        "enable_safety_checker": True,
        "num_inference_steps": 4,
        "disable_safety_checker": False,
        "go_fast": True,
    }
    made = call(fal, extra=further, size="4:3", n=4)
    assert made.arguments["image_size"] == {"width": 1183, "height": 887}
    assert made.arguments["num_images"] == 4
    assert set(made.ignored) == {"disable_safety_checker", "go_fast"}
    made = call(replicate, extra=further | {"output_format": "jpeg"}, size="1024x768")
    assert made.arguments["aspect_ratio"] == "4:3"
    assert made.arguments["output_megapixels"] == "1"
    assert made.arguments["output_format"] == "jpg"
    assert set(made.ignored) == {"enable_safety_checker", "num_inference_steps"}
    assert call(replicate, extra={"megapixels": "2"}).arguments["output_megapixels"] == "2"


# Checking


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"colour": 1}, "parameters.colour is not known"),
        ({"size": {"family": "round"}}, "size.family must be one of none, pixels, ratio, list"),
        ({"size": {"family": "pixels", "format": "object"}}, "size.field is missing"),
        ({"size": {"family": "pixels", "format": "cube", "field": "s"}}, "size.format: 'cube' is not one of"),
        ({"size": {"family": "pixels", "format": "sides", "max": 0}}, "size.max: 0 is not a whole number above 0"),
        (
            {"size": {"family": "pixels", "format": "sides", "max_ratio": "wide"}},
            "size.max_ratio: 'wide' is not a ratio",
        ),
        ({"size": {"family": "ratio", "field": "a", "ratios": ["big"]}}, "size.ratios: 'big' is not a ratio"),
        ({"size": {"family": "ratio", "field": "a", "ratios": []}}, "size.ratios must be a list of texts"),
        ({"size": {"family": "ratio", "field": "a", "ratios": ["1:1"], "tiers": ["1K"]}}, "size.tier_field is missing"),
        ({"size": {"family": "list", "field": "a", "sizes": ["1:1"]}}, "size.sizes: '1:1' is not a size"),
        ({"size": {"family": "none", "ratios": ["1:1"]}}, "size.ratios means nothing for the family 'none'"),
        ({"n": {"field": "n"}}, "n.max is missing"),
        ({"n": {"field": "n", "max": True}}, "n.max: True is not a whole number"),
        ({"images": {"list": True}}, "images.field is missing"),
        ({"sends": []}, "sends must be a table"),
        ({"ignores": "all"}, "ignores must be a list of names"),
        ({"accepts": {}}, "accepts must be a list of tables"),
        ({"accepts": FAL["accepts"][:1] * 2}, "accepts: 'prompt' is there twice"),
        ({"accepts": [{"name": "a"}]}, "accepts.a.type is missing"),
        ({"accepts": [{**FAL["accepts"][0], "colour": 1}]}, "accepts.prompt.colour is not known"),
        ({"accepts": [{**FAL["accepts"][0], "enum": "a"}]}, "accepts.prompt.enum: 'a' has the wrong type"),
        ({"accepts": [{**FAL["accepts"][0], "group": "x"}]}, "accepts.prompt.group: 'x' is not one of core"),
        ({"accepts": [{**FAL["accepts"][0], "target": "text"}]}, "but what it says is 'renamed'"),
        ({"accepts": [{**FAL["accepts"][4], "default": 9}]}, "accepts.num_inference_steps.default: "),
    ],
)
def test_parameters_that_cannot_be_worked_with_are_found(change, problem):
    assert any(problem in row for row in normalisation.check({**FAL, **change}))


def test_good_parameters_have_no_problems():
    assert normalisation.check(FAL) == []
    assert normalisation.check({}) == []
    assert normalisation.check([]) == ["parameters must be a table"]


@pytest.mark.parametrize(
    ("value", "sent"), [("hd", "high"), ("standard", "medium"), ("low", "low"), (None, "auto"), ("odd", "odd")]
)
def test_old_qualities_are_priced_as_they_are_sent(value, sent):
    quality = {"name": "quality", "type": "string", "group": "additional", "behaviour": "passthrough"}
    parameters = {"accepts": [quality | {"enum": ["auto", "low", "medium", "high"]}], "sends": {"quality": "auto"}}
    request = ImageRequest("A kite", extra={"quality": value})
    assert normalisation.sent_value("quality", request, parameters) == sent
    assert normalisation.sent_value("quality", request, {"accepts": []}) == (value if value in ("low", "odd") else None)
