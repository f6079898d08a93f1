"""A board for machines that read JSON-LD: the list, the data set behind it, and where the page hangs."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils.safestring import SafeString

from arena.models import Category
from leaderboard import json_ld
from leaderboard.board_page.filters import Row

MOST = 50  # entries of the list; the CSV has them all


def of_board(category: Category, rows: Sequence[Row], home: str) -> SafeString:
    """`home` is the address of the site, with a slash at its end. A model without a rank is in no list of ranks."""
    base = home.rstrip("/")
    ranked = [row for row in rows if row.standing.half_width is not None][:MOST]
    items = [
        {
            "@type": "ListItem",
            "position": place,
            "name": row.name,
            "url": base + row.standing.rating.image_model.get_absolute_url(),
        }
        for place, row in enumerate(ranked, start=1)
    ]
    dataset = {
        "@type": "Dataset",
        "name": f"{category.name}: ratings of image models from blind votes",
        "description": f"Elo with its 95% interval, rank, votes and status of {len(rows)} models in {category.name}.",
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
