"""The looks: eight ways to paint the same scene, from the accomplished to the hapless."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from providers.samples.renderer.looks.foldwork import foldwork
from providers.samples.renderer.looks.halogen import halogen
from providers.samples.renderer.looks.overprint import overprinted
from providers.samples.renderer.looks.simple import bitloom, impasto, puddle, tangent
from providers.samples.renderer.looks.slate import slate
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.shapes import Scene

Look = Callable[[Scene, Brief, tuple[int, int], np.random.Generator], Image.Image]

LOOKS: dict[str, Look] = {
    "sample-halogen": halogen,
    "sample-foldwork": foldwork,
    "sample-overprint": overprinted,
    "sample-tangent": tangent,
    "sample-slate": slate,
    "sample-impasto": impasto,
    "sample-bitloom": bitloom,
    "sample-puddle": puddle,
}
