"""Real photographs to edit, borrowed from the scikit-image package, which a demo installs for its pictures alone.

scikit-image itself is not imported (it would pull in SciPy): its folder is found and the files in it are read. Who made
each photograph and under which terms is taken from the docstrings of `skimage/data/_fetchers.py`, the only statement
that is installed with the files; photographs without such a statement are left out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

HOW_TO_INSTALL = "The demo's photographs are not installed. Install the demo requirements: the extra named “demo”."


class PhotographsMissing(Exception):
    """scikit-image's data folder, or a file in it, is not there."""


@dataclass(frozen=True)
class Photograph:
    key: str
    file: str
    title: str
    credit: str
    licence: str
    stated: str  # what the installed files say, word for word

    @property
    def path(self) -> Path:
        path = folder() / self.file
        if not path.is_file():
            raise PhotographsMissing(f"{HOW_TO_INSTALL} (Missing: {self.file}.)")
        return path

    def open(self) -> Image.Image:
        with Image.open(self.path) as image:
            return image.convert("RGB")


PHOTOGRAPHS: tuple[Photograph, ...] = (
    Photograph(
        "astronaut", "astronaut.png", "Astronaut Eileen Collins", "NASA", "Public domain",
        "This image was downloaded from the NASA Great Images database. "
        "No known copyright restrictions, released into the public domain.",
    ),
    Photograph(
        "coffee", "coffee.png", "Espresso cup", "Rachel Michetti, courtesy of Pikolo Espresso Bar", "CC0",
        "No copyright restrictions.  CC0 by the photographer (Rachel Michetti).",
    ),
    Photograph(
        "chelsea", "chelsea.png", "Chelsea the cat", "Stéfan van der Walt", "CC0",
        "No copyright restrictions.  CC0 by the photographer (Stefan van der Walt).",
    ),
    Photograph(
        "rocket", "rocket.jpg", "Falcon 9 with DSCOVR on the launch pad", "SpaceX", "Public domain",
        "The image was captured by SpaceX and released in the public domain",
    ),
    Photograph(
        "camera", "camera.png", "Photographer at work", "Lav Varshney", "CC0",
        "No copyright restrictions. CC0 by the photographer (Lav Varshney).",
    ),
)  # fmt: skip


def folder() -> Path:
    """Where the photographs lie."""
    spec = importlib.util.find_spec("skimage")  # finds the package, does not run it
    if spec is None or spec.origin is None:
        raise PhotographsMissing(HOW_TO_INSTALL)
    data = Path(spec.origin).parent / "data"
    if not data.is_dir():
        raise PhotographsMissing(HOW_TO_INSTALL)
    return data


def find(key: str) -> Photograph:
    for photograph in PHOTOGRAPHS:
        if photograph.key == key:
            return photograph
    known = ", ".join(photograph.key for photograph in PHOTOGRAPHS)
    raise LookupError(f"There is no photograph “{key}”. Known: {known}.")
