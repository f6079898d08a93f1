"""Images for other people's pages, as SVG: a model's badge, a board's first rows. Each has its interval and its date.

An `<img>` is all that a page with a strict content security policy lets in, so these have no script, style or link.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from leaderboard.board.standings import Standing
from leaderboard.charts.text import shortened, width
from leaderboard.models import Rating, RatingNumbers

ROWS = 5
_FONT = 'font-family="Manrope, Verdana, DejaVu Sans, sans-serif"'
_HEIGHT, _SIZE, _PAD = 24, 12.0, 9.0
_WIDTH, _ROW = 520, 26
_INK, _SOFT, _ACCENT, _PAPER = "#14141f", "#5b5b6e", "#4f39d8", "#ffffff"


def of_model(rating: Rating, category: str, computed_at: datetime | None) -> str:
    """Category, Elo with its 95 % interval, place with its bounds, day."""
    label = shortened(category, _SIZE, 220, bold=True)
    value = " · ".join(filter(None, (_elo(rating), str(rating.place), _day(computed_at))))
    left = width(label, _SIZE, bold=True) + 2 * _PAD
    right = width(value, _SIZE) + 2 * _PAD
    text = f'{_FONT} font-size="{_SIZE:g}"'
    return _svg(
        left + right,
        _HEIGHT,
        f"{rating.image_model.name}, {category}: {value}",
        f'<rect width="{left + right:.1f}" height="{_HEIGHT}" rx="5" fill="{_ACCENT}"/>'
        f'<path d="M{left:.1f} 0h{right - 5:.1f}a5 5 0 0 1 5 5v{_HEIGHT - 10}a5 5 0 0 1 -5 5h-{right - 5:.1f}z"'
        f' fill="{_INK}"/>'
        f'<text x="{_PAD:g}" y="16" {text} font-weight="700" fill="#fff" {_fits(left)}>{escape(label)}</text>'
        f'<text x="{left + _PAD:.1f}" y="16" {text} fill="#fff" {_fits(right)}>{escape(value)}</text>',
    )


def _fits(field: float) -> str:
    """Whatever typeface the reader has: measured was Manrope, which an image of another page cannot load."""
    return f'textLength="{field - 2 * _PAD:.1f}" lengthAdjust="spacingAndGlyphs"'


def of_board(standings: Sequence[Standing], category: str, computed_at: datetime | None) -> str:
    """The first rows of a board: place, name, Elo, and the interval as a bar."""
    shown = standings[:ROWS]
    bounded = [row.rating for row in shown if row.half_width is not None]
    low = min((rating.lower for rating in bounded), default=0.0)
    high = max((rating.upper for rating in bounded), default=1.0)
    height = 44 + _ROW * max(1, len(shown)) + 24
    parts = [
        f'<rect x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8" fill="{_PAPER}" stroke="#d9d9e3"/>',
        _text(16, 28, shortened(category, 15, _WIDTH - 32, bold=True), 15, _INK, bold=True),
    ]
    for number, row in enumerate(shown):
        parts += _row(row, 44 + _ROW * number, low, high)
    if not shown:
        parts.append(_text(16, 62, "No ratings yet", _SIZE, _SOFT))
    note = " · ".join(filter(None, ("Elo with 95 % intervals, from blind votes", _day(computed_at))))
    parts.append(_text(16, height - 10, note, 11, _SOFT))
    title = "; ".join(f"{row.rating.image_model.name} {row.place}" for row in shown) or "no ratings yet"
    return _svg(_WIDTH, height, f"{category}: {title}", "".join(parts))


def _row(row: Standing, top: float, low: float, high: float) -> list[str]:
    rating, base = row.rating, top + 17
    parts = [
        _text(16, base, row.place.bounds, _SIZE, _ACCENT, bold=True),
        _text(72, base, shortened(rating.image_model.name, _SIZE, 180, bold=True), _SIZE, _INK, bold=True),
        _text(262, base, _elo(rating), _SIZE, _SOFT),
    ]
    if row.half_width is not None and high > low:
        start, length = 400, 104
        x = [start + length * (value - low) / (high - low) for value in (rating.lower, rating.elo, rating.upper)]
        parts.append(f'<path d="M{x[0]:.1f} {top + 13}H{x[2]:.1f}" stroke="{_ACCENT}" stroke-width="3" opacity=".4"/>')
        parts.append(f'<circle cx="{x[1]:.1f}" cy="{top + 13}" r="4" fill="{_ACCENT}"/>')
    return parts


def _elo(rating: RatingNumbers) -> str:
    """With its interval; a rating without one says so."""
    return f"Elo {rating.elo:.0f} ({rating.lower:.0f}–{rating.upper:.0f})" if rating.is_placed else "Elo unsettled"


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def _text(x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" {_FONT} font-size="{size:g}"{weight} fill="{colour}">{escape(text)}</text>'


def _svg(wide: float, high: float, title: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.1f} {high:.1f}" role="img"><title>{escape(title)}</title>{content}</svg>\n'
    )
