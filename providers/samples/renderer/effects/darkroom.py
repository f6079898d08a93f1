"""What every effect works with: strength, masks of sky and subject, gradation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter

from providers.samples.renderer.colour import Colour
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.raster import Pixels, pixels

HUES = {
    "red": 0.0, "orange": 0.06, "yellow": 0.14, "gold": 0.13, "green": 0.36, "emerald": 0.42, "teal": 0.49,
    "turquoise": 0.49, "cyan": 0.5, "blue": 0.6, "cobalt": 0.62, "indigo": 0.68, "purple": 0.76, "violet": 0.76,
    "magenta": 0.86, "pink": 0.92,
}  # fmt: skip


@dataclass
class Darkroom:
    """What an effect has to work with."""

    rng: Rng
    strength: float
    careful: bool  # finds edges before it masks; otherwise an ellipse must do
    texts: tuple[str, ...]
    colours: tuple[str, ...]  # colour words of the instruction, in order
    garble: float = 0.0
    coarse: float = 1.0  # size of strokes, stones, dots
    _masks: dict[str, Pixels] = field(default_factory=dict)

    def mask(self, kind: str, photo: Image.Image) -> Pixels:
        if kind not in self._masks:
            find = _subject if kind == "subject" else _sky
            self._masks[kind] = find(photo, self.careful)
        return self._masks[kind]


def luminance(array: Pixels) -> Pixels:
    return array @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def _box(array: Pixels, radius: int) -> Pixels:
    image = Image.fromarray(array.astype(np.float32), "F")
    small = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BOX)
    for shape in (radius, radius):
        k = max(1, shape)
        padded = np.pad(np.asarray(small), ((k, k), (k, k)), mode="edge")
        total = np.cumsum(np.cumsum(padded, axis=0, dtype=np.float64), axis=1)
        total = np.pad(total, ((1, 0), (1, 0)))
        n = 2 * k + 1
        mean = (total[n:, n:] - total[:-n, n:] - total[n:, :-n] + total[:-n, :-n]) / n**2
        small = Image.fromarray(mean.astype(np.float32), "F")
    return np.asarray(small.resize(image.size, Image.Resampling.BILINEAR))


def _refined(rough: Pixels, guide: Pixels, radius: int = 7, fussiness: float = 0.002) -> Pixels:
    """A guided filter: moves the border of a rough mask to the edges of the picture."""
    mean_g, mean_m = _box(guide, radius), _box(rough, radius)
    covariance = _box(guide * rough, radius) - mean_g * mean_m
    variance = _box(guide * guide, radius) - mean_g * mean_g
    slope = covariance / (variance + fussiness)
    return np.clip(_box(slope, radius) * guide + _box(mean_m - slope * mean_g, radius), 0, 1)


def _enlarged(mask: Pixels, photo: Image.Image) -> Pixels:
    return np.asarray(Image.fromarray(mask.astype(np.float32), "F").resize(photo.size, Image.Resampling.BICUBIC)).clip(
        0, 1
    )


def _subject(photo: Image.Image, careful: bool) -> Pixels:
    """What is in the middle and unlike the border."""
    small = photo.resize((160, max(16, round(160 * photo.height / photo.width))), Image.Resampling.BOX)
    array = pixels(small)
    h, w = array.shape[:2]
    centre = np.clip(
        1.3 - 2.6 * np.hypot(((np.arange(w) / w - 0.48) * 1.05)[None, :], ((np.arange(h) / h - 0.5) * 0.62)[:, None]),
        0,
        1,
    )
    if not careful:
        return _enlarged(np.clip(centre * 2.2 - 0.4, 0, 1).astype(np.float32), photo)
    border = np.concatenate([array[:6].reshape(-1, 3), array[:, :6].reshape(-1, 3), array[:, -6:].reshape(-1, 3)])
    picks = border[:: max(1, len(border) // 40)]
    unlike = np.min(np.linalg.norm(array[:, :, None, :] - picks[None, None], axis=3), axis=2)
    unlike = unlike / max(1e-6, float(np.percentile(unlike, 92)))
    rough = np.clip(centre * (0.55 + 0.75 * np.clip(unlike, 0, 1.2)) * 2.3 - 0.55, 0, 1).astype(np.float32)
    return _enlarged(np.clip(_refined(rough, luminance(array)) * 1.35 - 0.12, 0, 1), photo)


def _sky(photo: Image.Image, careful: bool) -> Pixels:
    """What is smooth and hangs from the upper edge."""
    small = photo.resize((200, max(16, round(200 * photo.height / photo.width))), Image.Resampling.BOX)
    grey = luminance(pixels(small.filter(ImageFilter.GaussianBlur(1))))
    h, _ = grey.shape
    if not careful:
        return _enlarged(
            np.broadcast_to(np.clip(1.6 - 2.4 * np.arange(h) / h, 0, 1)[:, None], grey.shape).astype(np.float32), photo
        )
    gy, gx = np.gradient(grey)
    calm = np.hypot(gx, gy) < 0.022
    hanging = np.cumsum(~calm, axis=0) < 3
    mask = hanging.astype(np.float32) * np.clip(2.2 - 2.2 * np.arange(h, dtype=np.float32) / h, 0, 1)[:, None]
    return _enlarged(np.clip(_refined(mask, grey, 4, 0.0006), 0, 1), photo)


def graded(photo: Image.Image, gain: Colour, lift: Colour = (0.0, 0.0, 0.0), strength: float = 1.0) -> Image.Image:
    """Each channel times `gain` plus `lift`."""
    table = [
        min(255, max(0, int(v * (1 + (g - 1) * strength) + 255 * up * strength)))
        for g, up in zip(gain, lift, strict=True)
        for v in range(256)
    ]
    return photo.point(table)


def saturated(array: Pixels, factor: float) -> Pixels:
    grey = luminance(array)[..., None]
    return grey + (array - grey) * np.float32(factor)
