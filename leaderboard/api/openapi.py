"""The OpenAPI file of /api/v1/. A test compares every schema with what the endpoints return."""

from __future__ import annotations

from typing import Any

from arena.models import Competition
from leaderboard.api.endpoint import LIMIT, MAX_LIMIT
from leaderboard.board_page import filters
from leaderboard.models import RatingNumbers
from providers.models import ImageModel, ModeChoices, Offering

VERSION = "1.0"
Schema = dict[str, Any]

_DESCRIPTION = """\
The arena's boards, models, offerings, competitions, prompts, snapshots and votes, as the pages show them.

* Read-only, without a key. Open to browsers (CORS). What it returns is cached like pages: ratings are never older than
  the board, prices and speeds by a minute at most. Send the last `ETag` as `If-None-Match`: 304 is nothing new.
* A rank is always a *place*: its bounds among `of` models, from simultaneous 98 % intervals. Unknown is `null`, not 0.
  Elo comes with its 95 % interval; a bound that the votes do not give is `null`.
* Ids are stable: slugs of boards, models and competitions, numbers of offerings, prompts and snapshots. What is retired
  stays and says so.
* Lists have pages: `limit` rows, and the URL of the following page in `next`, `null` on the last one.
* Errors are JSON: `{"error": {"code", "message", "param"}}`. Parameters that do not exist are rejected.
* Within v1 nothing is renamed, removed or given another meaning; new fields and endpoints may come at any time, so
  ignore what you do not know. What is to go is announced at `/data/` and in the `Deprecation` and `Sunset` headers of
  its responses for at least twelve months, beside its replacement in v2.
* The data is published under CC BY 4.0. Quote a rating with its interval and its date.
"""


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _one_of(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


STRING: Schema = {"type": "string"}
TEXT = _nullable(STRING)
NUMBER: Schema = {"type": "number"}
MAYBE = _nullable(NUMBER)
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
URL: Schema = {"type": "string", "format": "uri"}
DAY = _nullable({"type": "string", "format": "date"})
MOMENT = _nullable({"type": "string", "format": "date-time"})
MODE = _one_of(ModeChoices.values)
STATUS = _one_of(RatingNumbers.STATUSES)
ORIGIN = _one_of(ImageModel.Origin.values)
RIGHTS = _one_of(filters.RIGHTS)
_RECORD = {"won": COUNT, "tied": COUNT, "lost": COUNT, "both_bad": COUNT, "score": MAYBE}
_BOARD = {
    "id": STRING, "name": STRING, "mode": MODE, "description": STRING,
    "source": _nullable(_object(name=STRING, url=STRING, licence=STRING)), "models": COUNT, "votes": COUNT,
    "voters": COUNT, "prompts": COUNT, "tie_rate": MAYBE, "computed_at": MOMENT, "method_version": STRING,
    "windows": _list(STRING), "url": URL, "csv_url": URL,
}  # fmt: skip
_MODEL = {
    "id": STRING, "name": STRING, "lab": _nullable(_object(id=STRING, name=STRING)), "origin": ORIGIN,
    "description": STRING, "modes": _list(MODE), "released_on": DAY, "retired_on": DAY, "open_weights": FLAG,
    "licence": TEXT, "commercial_use": RIGHTS, "ratings": _list(_ref("Rating")), "url": URL, "api_url": URL,
}  # fmt: skip
_COMPETITION = {
    "id": STRING, "title": STRING, "leaderboard": STRING, "criterion": STRING, "description": STRING,
    "challenge": STRING, "shape": _one_of(Competition.Shape.values), "state": _one_of(["announced", "open", "closed"]),
    "opens_at": MOMENT, "closes_at": MOMENT, "prompts": COUNT, "votes": COUNT, "url": URL,
}  # fmt: skip
_PROMPT = {
    "id": COUNT, "competition": STRING, "leaderboard": STRING, "text": STRING, "tags": _list(STRING),
    "has_source_image": FLAG, "source_credit": TEXT, "url": URL,
}  # fmt: skip
_SNAPSHOT = {
    "id": COUNT, "leaderboard": STRING, "taken_at": MOMENT, "method_version": STRING, "engine_version": STRING,
    "cells_sha256": STRING, "chain_sha256": TEXT, "votes": _nullable(COUNT), "voters": _nullable(COUNT),
    "prompts": _nullable(COUNT), "url": URL, "csv_url": URL,
}  # fmt: skip
_INTERVAL = {"place": _ref("Place"), "elo": MAYBE, "lower": MAYBE, "upper": MAYBE, "votes": COUNT}

SCHEMAS: dict[str, Schema] = {
    "Error": _object(error=_object(code=STRING, message=STRING, param=TEXT)),
    "Place": _object(text=STRING, low=_nullable(COUNT), high=_nullable(COUNT), of=COUNT, best=MAYBE),
    "Rating": _object(leaderboard=STRING, status=STATUS, **_INTERVAL),
    "Standing": _object(
        model=STRING, name=STRING, lab=TEXT, origin=ORIGIN, status=STATUS, tier=_nullable(COUNT), keeper_rate=MAYBE,
        price_usd=MAYBE, median_seconds=MAYBE, open_weights=FLAG, licence=TEXT, commercial_use=RIGHTS, released_on=DAY,
        **_INTERVAL,
    ),
    "Leaderboard": _object(**_BOARD, api_url=URL),
    "LeaderboardWithStandings": _object(
        **_BOARD, window=_one_of(["all", "90d"]), since=DAY, tag=TEXT, tags=_list(STRING),
        verdict=_object(claim=STRING, value=STRING), snapshot=_nullable(COUNT), standings=_list(_ref("Standing")),
    ),
    "OverallLeaderboard": _object(
        id=STRING, leaderboards=_list(STRING), models=COUNT, votes=COUNT, url=URL, standings=_list(_ref("Standing"))
    ),
    "Model": _object(**_MODEL),
    "ModelWithOfferings": _object(**_MODEL, offerings=_list(_ref("Offering"))),
    "Offering": _object(
        id=COUNT, model=STRING, provider=STRING, provider_name=STRING, mode=MODE, simulated=FLAG,
        price=_object(
            amount_usd=MAYBE, unit=_one_of(Offering.Unit.values), image_usd=MAYBE, estimated=FLAG, on_request=FLAG,
            source=TEXT, seen_on=DAY,
        ),
        ends_on=DAY,
        performance=_object(
            samples=COUNT, p50_seconds=MAYBE, p95_seconds=MAYBE, provider_p50_seconds=MAYBE, success_rate=MAYBE,
            judged_calls=COUNT,
        ),
    ),
    "Competition": _object(**_COMPETITION),
    "CompetitionWithRecords": _object(**_COMPETITION, records=_list(_object(model=STRING, **_RECORD))),
    "Prompt": _object(**_PROMPT),
    "PromptWithImages": _object(
        **_PROMPT,
        images=_list(_object(model=STRING, image_url=URL, width=COUNT, height=COUNT, **_RECORD)),
        hidden=FLAG,
    ),
    "Snapshot": _object(**_SNAPSHOT),
    "SnapshotWithStandings": _object(
        **_SNAPSHOT,
        votes_files={"type": "object", "additionalProperties": STRING},
        standings=_list(_object(model=TEXT, name=STRING, status=_nullable(STATUS), **_INTERVAL)),
    ),
    "VotesFile": _object(leaderboard=STRING, month=STRING, votes=COUNT, bytes=COUNT, sha256=STRING, url=URL),
    "Votes": _object(licence=STRING, columns=_list(STRING), data=_list(_ref("VotesFile"))),
    "Statistics": _object(
        votes=COUNT, imported_votes=COUNT, excluded_votes=COUNT, models=COUNT, rated_models=COUNT, images=COUNT,
        prompts=COUNT, competitions=COUNT, providers=COUNT, snapshots=COUNT,
        leaderboards=_list(
            _object(
                id=STRING, votes=COUNT, voters=COUNT, prompts=COUNT, effective_voters=MAYBE, effective_prompts=MAYBE,
                tie_rate=MAYBE, side_effect_elo=MAYBE, computed_at=MOMENT,
            )
        ),
    ),
    "Index": _object(
        name=STRING, version=STRING, openapi=URL, licence=STRING, leaderboards=URL, models=URL, offerings=URL,
        competitions=URL, prompts=URL, snapshots=URL, votes=URL, statistics=URL,
    ),
}  # fmt: skip


def _parameter(name: str, description: str, schema: Schema = STRING, place: str = "query") -> Schema:
    return {"name": name, "in": place, "description": description, "schema": schema, "required": place == "path"}


_PAGING = [
    _parameter("limit", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}),
    _parameter("cursor", "Where the page begins: take it from the `next` of the page before."),
]
_SLUG = _parameter("id", "A slug.", {"type": "string", "pattern": "^[a-z0-9]+([._-][a-z0-9]+)*$"}, "path")
_NUMBER = _parameter("id", "A number.", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, "path")
_FILTERS = [
    _parameter("q", "Part of a name."),
    _parameter("price", "US dollars an image may cost at most, such as 0.04."),
    _parameter("seconds", "Median seconds an image may take at most."),
    _parameter("rights", "Commercial use.", RIGHTS),
    _parameter("lab", "The slug of a lab."),
    _parameter("licence", "A licence as the rows have it."),
    _parameter("weights", "Open or closed.", _one_of(filters.WEIGHTS)),
    _parameter("provider", "The key of a provider."),
    _parameter("released", "The first day of release, such as 2026-01-31.", {"type": "string", "format": "date"}),
    _parameter("status", "sure: without provisional ratings.", _one_of(["sure"])),
    _parameter("sort", f"One of {', '.join(filters.SORTS)}; with a - in front reversed."),
]
_WINDOWS = [
    _parameter("window", "Which votes count.", _one_of(["all", "90d"])),
    _parameter("tag", "Votes on prompts with this tag only."),
]
_MODE = _parameter("mode", "What it does.", MODE)

# Path below /api/v1/ → (what it returns, its schema, is it a list of pages?, its parameters).
ENDPOINTS: dict[str, tuple[str, str, bool, list[Schema]]] = {
    "": ("Where everything is", "Index", False, []),
    "leaderboards/": ("Every board, without its rows", "Leaderboard", False, []),
    "leaderboards/overall/": ("The board over all categories", "OverallLeaderboard", False, _FILTERS),
    "leaderboards/{id}/": ("A board with its rows", "LeaderboardWithStandings", False, [_SLUG, *_WINDOWS, *_FILTERS]),
    "models/": (
        "Models, retired and imported ones included", "Model", True,
        [_parameter("lab", "The slug of a lab."), _parameter("origin", "Where it comes from.", ORIGIN), _MODE],
    ),
    "models/{id}/": ("A model with its offerings", "ModelWithOfferings", False, [_SLUG]),
    "offerings/": (
        "What is sold now, with price and speed", "Offering", True,
        [_parameter("model", "The slug of a model."), _parameter("provider", "The key of a provider."), _MODE],
    ),
    "competitions/": (
        "Competitions, the newest first", "Competition", True,
        [
            _parameter("category", "The slug of a board."),
            _parameter("state", "Its state.", _one_of(["open", "coming", "closed"])),
            _parameter("tag", "Those with a prompt that has this tag."),
        ],
    ),
    "competitions/{id}/": ("A competition with each model's record", "CompetitionWithRecords", False, [_SLUG]),
    "prompts/": (
        "Prompts of competitions that have opened", "Prompt", True,
        [_parameter("competition", "The slug of a competition."), _parameter("tag", "A tag.")],
    ),
    "prompts/{id}/": ("A prompt with its images, best first", "PromptWithImages", False, [_NUMBER]),
    "snapshots/": (
        "Boards as they once stood, the newest first", "Snapshot", True,
        [_parameter("category", "The slug of a board.")],
    ),
    "snapshots/{id}/": ("A snapshot with its rows", "SnapshotWithStandings", False, [_NUMBER]),
    "votes/": ("The files with every vote", "Votes", False, []),
    "statistics/": ("The site in numbers", "Statistics", False, []),
}  # fmt: skip


def document(origin: str) -> Schema:
    """The file; `origin` is scheme and host of the site."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image Arena: the arena's numbers",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        },
        "servers": [{"url": f"{origin}/api/v1"}],
        "paths": {f"/{path}": {"get": _operation(path, *row)} for path, row in ENDPOINTS.items()},
        "components": {"schemas": SCHEMAS},
    }


def _operation(path: str, summary: str, schema: str, is_paged: bool, parameters: list[Schema]) -> Schema:
    content = _ref(schema)
    if is_paged:
        content = _object(data=_list(content), has_more=FLAG, next=_nullable(URL))
        parameters = [*parameters, *_PAGING]
    elif path == "leaderboards/":
        content = _object(data=_list(content))
    responses = {"200": _response(summary, content), "304": {"description": "Nothing new since your ETag"}}
    if parameters:
        responses["400"] = _response("A parameter that cannot be used", _ref("Error"))
    if "{id}" in path:
        responses["404"] = _response("There is no such thing", _ref("Error"))
    if path == "leaderboards/{id}/":
        responses["503"] = _response("The board of a tag is being computed: Retry-After", _ref("Error"))
    name = path.replace("/{id}/", "_one").strip("/").replace("/", "_") or "index"
    return {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
