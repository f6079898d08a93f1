"""The family of a model, as far as names tell it. Pure."""

from __future__ import annotations

import re

# Words after a model's name that distinguish kin.
VARIANTS = {"mini", "pro", "turbo", "large", "medium", "small", "fast", "flash", "lite", "ultra", "max", "flex", "dev",
            "schnell", "preview", "standard", "premium", "hd", "plus", "xl"}  # fmt: skip


def family_of(name: str) -> str:
    """The first words of a model's name, without what distinguishes its kin: FLUX.2 [klein] 9B → FLUX.2."""
    words = re.sub(r"\s*[\[(].*", "", name).split()
    while len(words) > 1 and (words[-1].casefold() in VARIANTS or re.fullmatch(r"v?\d+(\.\d+)*", words[-1])):
        words.pop()
    return " ".join(words)
