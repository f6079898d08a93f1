"""The renderer draws what a prompt asks for, the same way every time, and its eight models can be distinguished."""

from __future__ import annotations

import io
import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from providers.samples import renderer
from providers.samples.renderer import lettering, photographs
from providers.samples.renderer.edits import requested
from providers.samples.renderer.prompt import read

CONTENT = tomllib.loads((Path(__file__).parents[3] / "arena" / "demo" / "content.toml").read_text("utf-8"))
PROMPTS = [(competition, prompt) for competition in CONTENT["competition"] for prompt in competition["prompt"]]
SLUGS = [model.slug for model in renderer.SAMPLE_MODELS]
MENU = "Chalkboard menu: ‘TODAY’S SPECIALS’, ‘Soup – $7’, ‘Open daily’"


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference per channel, 0…255."""
    return float(np.abs(np.asarray(a, dtype=np.int16) - np.asarray(b, dtype=np.int16)).mean())


@pytest.mark.parametrize("size", [(64, 64), (65, 301), (333, 127)])
@pytest.mark.parametrize("slug", SLUGS)
def test_a_picture_has_exactly_the_size_asked_for(slug, size):
    picture = renderer.render(slug, "A fox in a foggy forest: 'Good morning'", *size)
    assert (picture.size, picture.mode) == (size, "RGB")


@pytest.mark.parametrize("slug", SLUGS)
def test_the_same_request_gives_the_same_pixels_and_another_seed_does_not(slug):
    first, again = (renderer.render(slug, "city at night", 120, 90, seed=3) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert difference(first, renderer.render(slug, "city at night", 120, 90, seed=4)) > 0.5


@pytest.mark.parametrize("prompt", ["An alpine lake at sunrise", "Ad for a burger: 'HOT', '€5'"])
def test_no_two_models_paint_alike(prompt):
    pictures = [renderer.render(slug, prompt, 160, 160) for slug in SLUGS]
    assert min(difference(a, b) for a, b in itertools.combinations(pictures, 2)) > 6


@pytest.mark.parametrize("slug", SLUGS)
def test_quoted_words_change_the_picture(slug):
    with_words = renderer.render(slug, "Poster of a lighthouse 'NORTH CAPE'", 200, 200)
    with_others = renderer.render(slug, "Poster of a lighthouse 'GRAND HOTEL'", 200, 200)
    top = (0, 0, 200, 60)
    assert difference(with_words.crop(top), with_others.crop(top)) > 2


@pytest.mark.parametrize(("competition", "prompt"), PROMPTS, ids=[prompt["text"][:40] for _, prompt in PROMPTS])
def test_every_prompt_of_the_demo_is_rendered_by_every_model(competition, prompt):
    wide, high = (int(part) for part in competition["shape"].split(":"))
    source = photographs.find(prompt["photograph"]).open() if "photograph" in prompt else None
    assert (source is not None) == (competition["category"] == "image-editing")
    size = (72 * wide // min(wide, high), 72 * high // min(wide, high))
    for slug in SLUGS:
        picture = renderer.render(slug, prompt["text"], *size, source=source)
        assert picture.size == size
        assert np.asarray(picture).std() > 12, f"{slug} painted next to nothing"


@pytest.mark.parametrize(
    "instruction",
    [prompt["text"] for _, prompt in PROMPTS if "photograph" in prompt]
    + [
        "pencil sketch",
        "golden hour",
        "pixel art",
        "mosaic",
        "oil painting",
        "falling snow",
        "vintage 1970s film",
        "hmm",
    ],
)
def test_an_edit_changes_the_photograph_but_keeps_its_framing(instruction):
    photograph = photographs.find("astronaut").open().resize((192, 192), Image.Resampling.BOX)
    for slug in SLUGS:
        edited = renderer.render(slug, instruction, 192, 192, source=photograph)
        assert difference(edited, photograph) > 1.5, slug
        before, after = (np.asarray(image.convert("L").resize((24, 24)), dtype=float) for image in (photograph, edited))
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.35, slug


@pytest.mark.parametrize("instruction", ["Make it warmer", "hmm", "black and white", "pixel art", "golden hour"])
@pytest.mark.parametrize("slug", SLUGS)
def test_an_edit_is_the_same_for_the_same_seed_and_another_for_another(slug, instruction):
    photograph = photographs.find("coffee").open().resize((128, 128), Image.Resampling.BOX)
    first, again, other = (
        renderer.render(slug, instruction, 128, 128, seed=seed, source=photograph) for seed in (3, 3, 4)
    )
    assert first.tobytes() == again.tobytes()
    assert difference(first, other) > 0.5


def test_a_careless_model_stops_after_the_first_of_two_requests():
    brief = read("Change the orange suit to teal and blur the background.")
    assert [effect.__name__ for effect in requested(brief)] == ["recolour", "bokeh"]
    assert requested(read("Add the words 'NIGHT FOG' as a neon sign"))[0].__name__ == "neon_sign"


def test_an_unknown_model_is_named_in_the_error():
    with pytest.raises(LookupError, match="sample-nobody"):
        renderer.render("sample-nobody", "x", 100, 100)


@pytest.mark.parametrize("size", [(63, 100), (100, 4097), (0, 0)])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(ValueError, match="between 64 and 4096"):
        renderer.render(SLUGS[0], "x", *size)


def test_a_saved_picture_says_nothing_about_who_made_it():
    source = photographs.find("rocket").open()
    for slug, photograph in itertools.product(SLUGS, (None, source)):
        picture = renderer.render(slug, "a night at sea", 64, 64, source=photograph)
        assert not picture.info
        file = io.BytesIO()
        picture.save(file, "PNG")
        chunks = {
            file.getvalue()[i : i + 4] for i in range(len(file.getvalue())) if file.getvalue()[i : i + 4].isalpha()
        }
        assert not chunks & {b"tEXt", b"iTXt", b"zTXt", b"eXIf"}


def test_quotations_of_every_kind_are_read_in_order_and_once():
    brief = read(
        """Ad for 'Magic Burger'. Title "MAGIC BURGER", “It’s back”, ‘TODAY’S DEAL’ and '€6.99', don't rush."""
    )
    assert brief.quotes == ("MAGIC BURGER", "It’s back", "TODAY’S DEAL", "€6.99")
    assert brief.price == "€6.99"
    assert read(MENU).quotes == ("TODAY’S SPECIALS", "Soup – $7", "Open daily")


def test_the_two_classic_prompts_lose_no_text():
    menu, burger = (prompt["text"] for _, prompt in PROMPTS[:2])
    assert read(burger).quotes == ("MAGIC BURGER", "LIMITED TIME ONLY", "€6.99")
    assert len(read(menu).quotes) == 5
    assert read(menu).quotes[0] == "TODAY’S SPECIALS – APRIL 30, 2026"
    for quote in (*read(menu).quotes, *read(burger).quotes):
        assert lettering.printable(quote) == quote, "Manrope has every character"


def test_letters_the_typeface_lacks_are_left_out_rather_than_boxed():
    assert lettering.printable("Café 日本 €5") == "Café €5"


def test_fitted_text_stays_in_its_box():
    for text in ("A", "MAGIC BURGER", "All items made fresh daily • Ask about our gluten-free options"):
        setting = lettering.fit(text, (10, 20, 210, 100))
        box = lettering.mask(setting, (220, 120)).getbbox()
        assert box is not None
        assert box[0] >= 8
        assert box[1] >= 14
        assert box[2] <= 213
        assert box[3] <= 106


def test_every_photograph_is_there_and_says_whose_it_is():
    for photograph in photographs.PHOTOGRAPHS:
        assert min(photograph.open().size) >= 300
        assert photograph.credit
        assert photograph.licence


def test_without_the_photographs_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(photographs.PhotographsMissing, match="demo requirements"):
        photographs.find("coffee").open()
    with pytest.raises(LookupError, match="no photograph “moon”"):
        photographs.find("moon")


def test_the_demo_content_hangs_together():
    categories = {category["slug"] for category in CONTENT["category"]}
    slugs = [competition["slug"] for competition in CONTENT["competition"]]
    assert len(set(slugs)) == len(slugs)
    assert {competition["category"] for competition in CONTENT["competition"]} == categories
    assert all(competition["criterion"] and competition["description"] for competition in CONTENT["competition"])
    assert all(prompt["tags"] for _, prompt in PROMPTS)
    assert len({prompt["text"] for _, prompt in PROMPTS}) == len(PROMPTS)
