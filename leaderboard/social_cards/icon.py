"""The site's mark as an icon for home screens, drawn rather than stored."""

from __future__ import annotations

import functools
import io

from PIL import Image

from leaderboard.social_cards.canvas import GROUND, paste_mark

SIDES = (180, 192, 512)  # pixels: Apple's home screen, Android's, its start screen
MARK = 0.62  # of the side: systems cut icons to a circle, whose inner 80 % stay


@functools.cache
def png(side: int) -> bytes:
    icon = Image.new("RGB", (side, side), GROUND)
    unit = side * MARK / 28  # the mark is 28 by 22 units
    paste_mark(icon, round((side - 28 * unit) / 2), round((side - 22 * unit) / 2), unit)
    out = io.BytesIO()
    icon.save(out, "PNG", optimize=True)
    return out.getvalue()
