"""The studio: a small procedural renderer that stands in for image models, so that a demo needs no API key.

It reads a prompt, composes a scene for it and paints that scene in one of eight looks – the *sample models*. There is
no AI in it and no network. The eight differ in style and, on purpose, in ability, so that votes on their pictures mean
something and ratings drift apart. With a photograph as `source` the prompt is an instruction and the picture an edit.

    prompt.py      which words to write, what it is about
    scenes.py      place, light and subject → a scene, which is data: shapes on layers (shapes.py, colour.py)
      settings.py  how each place is furnished, from places/ and figures/; indoors.py those under a roof
      layouts.py   where the words go (lettering.py sets them)
    looks/         eight ways to paint a scene, with raster.py (shapes → pixels) and finishes.py (glow, dots, strokes)
    edits.py       what an instruction asks for and each model's manner; effects/ does it
    photographs.py real photographs to edit
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from providers.samples.renderer import edits, scenes
from providers.samples.renderer.dice import dice
from providers.samples.renderer.looks import LOOKS
from providers.samples.renderer.prompt import read
from providers.samples.renderer.shapes import Frame

SMALLEST, LARGEST = 64, 4096


@dataclass(frozen=True)
class SampleModel:
    """One of the eight. Its name says “Sample”, so that nobody takes it for a real model."""

    slug: str
    name: str
    description: str
    modes: tuple[str, ...] = ("text-to-image", "image-editing")


SAMPLE_MODELS: tuple[SampleModel, ...] = (
    SampleModel(
        "sample-halogen", "Sample Halogen", "Dark, cinematic scenes lit from within, with smoke, glow and film grain."
    ),
    SampleModel("sample-foldwork", "Sample Foldwork", "Layers of cut paper that throw soft shadows on one another."),
    SampleModel(
        "sample-overprint",
        "Sample Overprint",
        "A three-ink risograph print with visible dots, slightly out of register.",
    ),
    SampleModel(
        "sample-tangent", "Sample Tangent", "Flat vector shapes and tidy type: correct, complete and a little bland."
    ),
    SampleModel("sample-slate", "Sample Slate", "Coloured chalk on a blackboard, whatever the subject."),
    SampleModel("sample-impasto", "Sample Impasto", "Rich strokes of oil paint from a model that cannot spell."),
    SampleModel(
        "sample-bitloom",
        "Sample Bitloom",
        "Coarse pixels in few colours; of several texts it writes only the first two.",
    ),
    SampleModel("sample-puddle", "Sample Puddle", "Muddy colours, doubled shapes and words that run into each other."),
)
_SLUGS = frozenset(model.slug for model in SAMPLE_MODELS)


def render(
    slug: str, prompt: str, width: int, height: int, *, seed: int = 0, source: Image.Image | None = None
) -> Image.Image:
    """The picture this sample model makes: RGB, exactly width × height, the same for the same arguments.

    LookupError for a model that is not one of SAMPLE_MODELS, ValueError for a size outside 64 … 4096.
    """
    if slug not in _SLUGS:
        raise LookupError(f"There is no sample model “{slug}”. Known: {', '.join(sorted(_SLUGS))}.")
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        raise ValueError(f"A size must be between {SMALLEST} and {LARGEST} pixels, not {width}×{height}.")
    brief = read(prompt)
    rng = dice(slug, prompt, seed)
    if source is not None:
        picture = edits.edit(slug, brief, source, (width, height), rng)
    else:
        unit = min(width, height)
        scene = scenes.compose(brief, Frame(width / unit, height / unit), rng)
        picture = LOOKS[slug](scene, brief, (width, height), rng)
    picture.info.clear()  # an edit would hand on the photograph's own metadata
    return picture


__all__ = ["LARGEST", "SAMPLE_MODELS", "SMALLEST", "SampleModel", "render"]
