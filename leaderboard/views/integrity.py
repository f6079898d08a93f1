"""Which votes count: the public ledger, as a page, as CSV and as JSON."""

from __future__ import annotations

import csv

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena.integrity import caps, ledger, rules
from leaderboard.board import ledger as page
from leaderboard.page_cache import cached_page


@require_safe
@cached_page()
def integrity(request: HttpRequest) -> HttpResponse:
    current = ledger.current()
    context = {
        "ledger": current,
        "weeks": page.weeks(current),
        "reasons": page.reasons(current),
        "chart_height": page.HEIGHT,
        "categories": page.categories(current),
        "imported": ledger.imported(),
        "open_cases": ledger.open_cases(),
        "rules": list(rules.ALL.values()),
        "caps": caps.public(),
        "cap_days": caps.DAYS,
        "min_seconds": settings.VOTE_MIN_SECONDS,
    }
    return render(request, "leaderboard/integrity.html", context)


@require_safe
@cached_page()
def integrity_csv(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="integrity.csv"'
    writer = csv.writer(response, lineterminator="\n")
    writer.writerow(page.COLUMNS)
    writer.writerows(page.rows(ledger.current()))
    return response


@require_safe
@cached_page()
def integrity_json(request: HttpRequest) -> JsonResponse:
    current = ledger.current()
    left = current.left
    return JsonResponse({
        "cast": current.cast,
        "counted": current.counted,
        "familiar": current.familiar,
        "returned": current.returned,
        "left_share": None if left is None else {"share": left.share, "low": left.low, "high": left.high},
        "false_alarms": "at most 1 in 1000 voters inside the null, by Ville's inequality",
        "alarms": current.alarms,
        "rules": [{"rule": rule.name, "title": rule.title, "since": rule.since} for rule in rules.ALL.values()],
        "caps": [
            {"category": row.category.slug, "cap": row.cap, "votes": row.votes, "voters": row.voters}
            for row in caps.public()
        ],
        "rows": [dict(zip(page.COLUMNS, row, strict=True)) for row in page.rows(current)],
        "categories": [
            {
                "category": row.category.slug,
                "cast": row.cast,
                "counted": row.counted,
                "with_every_vote": None if row.difference is None else {
                    "model": row.difference.model,
                    "elo": round(row.difference.elo, 6),
                    "same_first": row.difference.is_same_first,
                },
                "share_of_votes": {name: round(share, 6) for name, share in row.shares},
            }
            for row in page.categories(current)
        ],
    })  # fmt: skip
