"""A board for machines that read JSON-LD: the list, the data set behind it, and where the page hangs."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils.safestring import SafeString

from arena.models import Category
from leaderboard.board_page.filters import BoardRow
from providers.web import json_ld

MOST = 50  # entries of the list; the CSV has them all


def of_board(category: Category, rows: Sequence[BoardRow], home: str) -> SafeString:
    """`home` is the URL of the site, with a slash at its end. A model without a place is left out; items carry their
    place in words and no position, which would be a rank without bounds."""
    base = home.rstrip("/")
    placed = [row for row in rows if row.standing.place.is_known][:MOST]
    items = [
        {
            "@type": "ListItem",
            "name": row.name,
            "url": base + row.standing.rating.image_model.get_absolute_url(),
            "description": f"{row.standing.place}, Elo {row.elo:.0f} ±{row.standing.margin:.0f}",
        }
        for row in placed
    ]
    dataset = {
        "@type": "Dataset",
        "name": f"{category.name}: ratings of image models from blind votes",
        "description": f"Elo with its 95% interval, place, votes and status of {len(rows)} models in {category.name}.",
        "url": base + category.get_absolute_url(),
        "isAccessibleForFree": True,
        "distribution": {
            "@type": "DataDownload",
            "encodingFormat": "text/csv",
            "contentUrl": base + reverse("leaderboard:category-csv", args=[category.slug]),
        },
    }
    if category.source_licence:
        dataset["license"] = category.source_licence
    return json_ld.script(
        {"@type": "ItemList", "name": f"{category.name} leaderboard", "itemListElement": items},
        dataset,
        json_ld.breadcrumbs(
            ("Leaderboards", base + reverse("leaderboard:index")), (category.name, base + category.get_absolute_url())
        ),
    )
