"""Parameter tables, sizes, examples and questions: pure, from what offerings say."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import tomllib
from decimal import Decimal

import pytest
from django.utils.translation import override

from leaderboard.profiles import faq
from leaderboard.profiles import parameters as reference
from leaderboard.profiles.parameter_words import MEANINGS
from leaderboard.profiles.parameters import Source
from providers.catalog.file import SHIPPED
from providers.gateway import code_examples

FAL = {
    "accepts": [
        {"name": "prompt", "type": "string", "group": "core", "behaviour": "passthrough", "required": True},
        {"name": "steps", "type": "integer", "group": "additional", "behaviour": "passthrough"},
    ],
    "size": {"family": "pixels", "format": "object", "field": "s", "max": 14142, "max_area": 2**22, "tiers": ["1K"]},
}  # fmt: skip
REPLICATE = {
    "accepts": [
        {"name": "prompt", "type": "string", "group": "core", "behaviour": "renamed", "target": "text"},
    ],
    "size": {"family": "ratio", "field": "ratio", "ratios": ["1:1", "16:9"], "tiers": ["1 MP"], "tier_field": "mp"},
}  # fmt: skip
SOURCES = [Source("fal", "text-to-image", FAL), Source("Replicate", "edit", REPLICATE)]


def test_a_parameter_is_one_line_with_the_modes_and_behaviours_of_all_that_take_it():
    core, *_ = reference.groups(SOURCES)
    assert [(line.name, line.required, line.modes) for line in core.lines] == [
        ("prompt", True, ["text-to-image", "edit"])
    ]
    assert core.lines[0].behaviours == {"passthrough": ["fal"], "renamed": ["Replicate"]}
    additional = [group for group in reference.groups(SOURCES) if group.key == "additional"]
    assert [(group.provider, [line.name for line in group.lines]) for group in additional] == [("fal", ["steps"])]
    used = {name: parameters for name, _, _, parameters in reference.behaviours(reference.groups(SOURCES))}
    assert used["renamed"] == ["prompt"]
    assert {"n", "response_format"} <= set(used["emulated"])


def test_meanings_and_values_are_in_the_language_of_the_reader():
    row = {"name": "steps", "type": "integer", "group": "core", "behaviour": "passthrough", "minimum": 4, "maximum": 8,
           "description": "Number of denoising steps."}  # fmt: skip
    other = {"name": "aura", "type": "string", "group": "core", "behaviour": "passthrough", "description": "Own words."}
    (group, *_) = reference.groups([Source("fal", "text-to-image", {"accepts": [row, other]})])
    steps, aura = group.lines
    assert (steps.meaning, steps.values) == ("Number of denoising steps.", "a whole number from 4 to 8")
    with override("de"):
        assert (steps.meaning, steps.values) == ("Zahl der Entrauschungsschritte.", "eine ganze Zahl von 4 bis 8")
        assert (aura.meaning, aura.is_in_english, steps.is_in_english) == ("Own words.", True, False)


def test_pages_can_say_in_other_languages_what_the_shipped_catalogue_says():
    catalogue = tomllib.loads(SHIPPED.read_text())
    rows = [*catalogue["parameters"].values()]
    rows += [row for family in catalogue["families"].values() for row in family.get("set", {}).values()]
    assert {row["description"] for row in rows if "description" in row} == MEANINGS


def test_sizes_are_listed_by_tier_with_their_makers_and_the_largest_is_known():
    sizes = reference.sizes(SOURCES)
    (tier,) = sizes.tiers  # 1K and 1 MP are the same tier
    assert (tier.name, tier.is_default) == ("1K", True)
    by_ratio = {size.ratio: size for size in tier.sizes}
    assert (by_ratio["16:9"].width, by_ratio["16:9"].height, by_ratio["16:9"].providers) == (1365, 768, ())
    assert by_ratio["9:21"].providers == ("fal",)
    assert sizes.largest == (2048, 2048)
    assert sizes.custom == "1–14,142 px per side"
    assert reference.sizes([]) == reference.Sizes((), "", False, None)


def test_of_sizes_of_one_tier_the_squarest_is_the_largest_that_is_named():
    """2048 × 2048 says more than 3129 × 1341, which has 0.04 % more pixels."""
    assert reference._squarest([(3129, 1341), (2048, 2048), (1024, 1024)]) == (2048, 2048)
    assert reference._squarest([(2048, 2048), (4096, 4096)]) == (4096, 4096)
    assert reference._squarest([]) is None


@pytest.mark.parametrize(
    "task", code_examples.tasks("flux.2-klein-9b", "https://x.test/openai/v1", ["text-to-image", "edit"])
)
def test_examples_are_programs_and_their_colours_change_no_letter(task):
    for example in task.examples:
        assert "".join(piece.text for piece in example.pieces) == example.code
        assert "flux.2-klein-9b" in example.code
        assert "https://x.test/openai/v1" in example.code
        if example.file.endswith(".py"):
            ast.parse(example.code)
        elif example.file.endswith(".sh"):
            subprocess.run(["sh", "-n"], input=example.code, text=True, check=True)
        elif node := shutil.which("node"):
            subprocess.run([node, "--input-type=module", "--check", "-"], input=example.code, text=True, check=True)


def test_no_question_is_asked_that_data_does_not_answer():
    known = faq.Known(name="M", model_id="m", base_url="https://x.test/openai/v1")
    assert faq.answered(known) == []
    known = faq.Known(
        name="M",
        model_id="m",
        base_url="https://x.test/openai/v1",
        price=Decimal("0.006"),
        price_text="$0.006",
        price_provider="fal",
        sellers=["fal", "Replicate"],
        largest=(2048, 2048),
        places=["#1 of 2 in A with an Elo of 1010 ±9", "#2 of 3 in B with an Elo of 990 ±9"],
    )
    answers = {question.text: question.answer for question in faq.answered(known)}
    assert answers["How much does M cost?"].startswith("M starts at $0.006 per image")
    assert answers["What is the largest image M makes?"] == "Up to 2048 × 2048 pixels."
    assert "fal and Replicate" in answers["Which providers offer M?"]
    assert " and #2 of 3 in B" in answers["How good is M?"]
    assert json.dumps(answers)
