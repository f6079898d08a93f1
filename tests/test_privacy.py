"""What is private stays so: no route of the site shows a private category to who was not invited.

The walk takes every route from the URLconf, with ids and slugs of private things and of public ones, as a stranger and
as a voter, and looks for words that only the private world has. A route that is new is walked too.
"""

from __future__ import annotations

import ast
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from arena import invitations, suggestions, voting
from arena.models import Battle, Category, Competition, Entry, Invitation, Prompt, Suggestion
from leaderboard.board import image_records, snapshots
from leaderboard.board.ratings import recompute
from leaderboard.models import Board, Rating, Record, SharedRanking
from providers.models import ImageModel, Lab, Offering
from tests import factories as make
from tests.shared_rows import SharedRows
from tests.test_permissions import all_routes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private")]

ROOT = Path(__file__).parents[1]
WORD = "zyxquark"  # is in every name, slug and text of the private world and nowhere else
ABSENT = "qwjvnone"  # is nowhere


def fill(category: Category, prefix: str, lab: Lab, **model: Any) -> list[Entry]:
    """Two models with an image each, votes on them, ratings and records."""
    competition = make.make_competition(
        category, slug=f"{prefix}-contest", title=f"{prefix} contest", description=f"{prefix} words",
        criterion=f"{prefix} looks",
    )  # fmt: skip
    prompt = make.make_prompt(competition, f"A {prefix} kite over the sea", tags=[f"{prefix}tag"])
    entries = [
        make.make_imported_entry(prompt, make.make_model(f"{prefix}-model-{letter}", lab=lab, **model))
        for letter in "ab"
    ]
    for outcome in ("left", "left", "right"):
        voting.cast_vote(make.make_battle(left=entries[0], right=entries[1]), outcome)
    recompute(category, force=True)
    image_records.recount(category, force=True)
    return entries


def private_world() -> list[Entry]:
    lab = Lab.objects.create(slug=f"{WORD}-lab", name=f"{WORD} lab")
    category = make.make_category(f"{WORD}-board", name=f"{WORD} board", is_private=True)
    return fill(category, WORD, lab, is_private=True)


@pytest.fixture(scope="module")
def shared_private(shared_rows: SharedRows) -> list[Entry]:
    return shared_rows.make(private_world)


@pytest.fixture
def private(shared_rows: SharedRows, shared_private: list[Entry]) -> list[Entry]:
    return shared_rows.lend(shared_private)


@pytest.fixture
def public() -> list[Entry]:
    entries = fill(make.make_category(), "open", Lab.objects.create(slug="open-lab", name="Open lab"))
    assert snapshots.take(entries[0].prompt.competition.category) is not None
    return entries


def arguments(name: str, entry: Entry, battle: Battle) -> dict[str, Any]:
    """What a route of this name may be given to reach this world."""
    competition, thumbnail = entry.prompt.competition, entry.thumbnail.name
    assert thumbnail
    slugs = {"model": entry.image_model.slug, "lab": f"{competition.slug.split('-')[0]}-lab"}
    slugs |= dict.fromkeys(("competition", "prompt"), competition.slug)
    kind = name.rpartition(":")[2].partition("-")[0]
    return {
        "slug": slugs.get(kind, competition.category.slug),
        "pk": {"entry": entry.pk, "original": entry.pk, "tiny": entry.pk, "prompt": entry.prompt_id}.get(
            kind, battle.pk
        ),
        "token": battle.left_token,
        "name": thumbnail if "public-image" in name else thumbnail.split("/")[1].split(".")[0],
        "one": entry.image_model.slug,
        "two": competition.slug.split("-")[0] + "-model-b",
        "three": "open-model-a",
        "four": "open-model-b",
        "key": "simulated-openai",
        "provider": "simulated-openai",
        "tag": competition.slug.split("-")[0] + "tag",
        "group": uuid.uuid4(),
    }  # fmt: skip


def urls(entry: Entry, battle: Battle) -> list[str]:
    urls_of_routes = []
    for name, pattern in all_routes():
        if name.startswith("admin:"):
            continue
        names = {*pattern.pattern.regex.groupindex}
        given = {key: value for key, value in arguments(name, entry, battle).items() if key in names}
        for alternative in (given, {**given, "pk": entry.pk}, {**given, "pk": 1}):
            try:
                urls_of_routes.append(reverse(name, kwargs={key: alternative[key] for key in names}))
            except (NoReverseMatch, KeyError):
                continue
    return list(dict.fromkeys(urls_of_routes))


QUERIES = [
    f"q={WORD}",
    f"category={WORD}-board&state=open",
    f"tag={WORD}tag",
    f"lab={WORD}-lab",
    f"models={WORD}-model-a",
]


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace") + repr(dict(response.headers))


def test_no_route_shows_anything_private(private, public):
    battle = Battle.objects.filter(left=private[0]).first()
    open_battle = Battle.objects.filter(left=public[0]).first()
    voter = Client()
    make.sign_in(voter, open_battle.voter)
    of_private, of_public = urls(private[0], battle), urls(public[0], open_battle)
    assert len(of_private) > 60
    walked = 0
    for client in (Client(), voter):
        for url in of_public:
            for query in ["", *queries(url)] if client is not voter else [""]:
                text = body(client.get(f"{url}?{query}" if query else url)).lower()
                # A query is said back as often as that of something that does not exist.
                absent = body(client.get(f"{url}?{query.replace(WORD, ABSENT)}")).lower() if query else ""
                assert text.count(WORD) == absent.count(ABSENT), (url, query)
                walked += 1
        for url in of_private:
            response = client.get(url)
            text = body(response).replace(url, "").lower()
            if WORD in url:  # what the client said itself may be said again
                assert response.status_code in (301, 302, 404) or WORD not in without_slugs(text), (url, response)
                text = without_slugs(text)
            assert WORD not in text, url
            assert not (response.status_code == 200 and response["Content-Type"].startswith("image/webp")), url
            walked += 1
    assert walked > 200


def queries(url: str) -> list[str]:
    """One by one where a list is filtered, which the first that it cannot use would end; elsewhere all at once."""
    if "playground" in url:
        return []
    lists = url.startswith(("/search", "/competitions", "/choose", "/leaderboard")) or url in ("/models/", "/compare/")
    return QUERIES if lists else ["&".join(QUERIES)]


def without_slugs(text: str) -> str:
    for word in ("board", "contest", "lab", "model-a", "model-b"):
        text = text.replace(f"{WORD}-{word}", "")
    return text.replace(f"{WORD}tag", "")


def invited(entry: Entry, **fields: Any) -> tuple[Client, Invitation]:
    invitation = Invitation.objects.create(category=entry.prompt.competition.category, note="the team", **fields)
    client = Client()
    client.get(invitation.url)
    return client, invitation


def reachable(client: Client, entry: Entry) -> dict[str, int]:
    """Status of each page of the private world."""
    category = entry.prompt.competition.category
    pages = [
        f"/private/{category.slug}/", f"/arena/{category.slug}/", f"/arena/{category.slug}/mine/",
        f"/entries/{entry.pk}/", f"/entries/{entry.pk}/original", f"/images/{entry.thumbnail.name}",
    ]  # fmt: skip
    statuses = {}
    for page in pages:
        response = client.get(page)
        body(response)  # read to its end, so that its file is closed
        statuses[page] = response.status_code
    return statuses


def test_an_invited_browser_sees_board_images_and_votes_until_the_link_is_revoked(private):
    client, invitation = invited(private[0])
    assert set(reachable(client, private[0]).values()) == {200}
    page = client.get(f"/private/{WORD}-board/")
    text = page.content.decode()
    for word in (f"{WORD} board", f"{WORD}-model-a".replace("-", " ").title(), f"A {WORD} kite", "3 votes", "imported"):
        assert word in text, word
    assert "noindex" in page["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in text
    assert invitation.token not in text
    assert "no-store" in client.get(f"/images/{private[0].thumbnail.name}")["Cache-Control"]

    invitation.revoked_at = timezone.now()
    invitation.save()
    assert set(reachable(client, private[0]).values()) == {404}
    assert client.get(invitation.url).status_code == 404


def test_an_invited_browser_votes_and_its_reply_names_both(private):
    client, _ = invited(private[0])
    url = make.battle_url(client.get(f"/arena/{WORD}-board/"))
    image = client.get(url).content.decode().partition('src="/i/')[2].partition('"')[0]
    assert client.get(f"/i/{image}").status_code == 200
    reply = client.post(f"{url}vote/", {"outcome": "left"}, headers={"HX-Request": "true"}).content.decode()
    assert f"{WORD}-model-a".replace("-", " ").title() in reply
    assert f"/private/{WORD}-board/" in reply
    assert "/models/" not in reply
    Invitation.objects.update(revoked_at=timezone.now())
    assert client.get(url).status_code == 404
    assert client.get(f"/i/{image}").status_code == 404
    assert client.post(f"{url}vote/", {"outcome": "left"}).status_code == 404


def test_an_invitation_ends_by_itself_and_a_forged_one_is_none(private):
    client, _ = invited(private[0], expires_at=timezone.now() - timedelta(seconds=1))
    assert set(reachable(client, private[0]).values()) == {404}
    other = make.make_category("other", is_private=True)
    client, _ = invited(private[0])
    assert client.get("/private/other/").status_code == 404
    assert client.get(other.get_absolute_url()).status_code == 404
    client.cookies[invitations.COOKIE] = "WzFd:forged:forged"
    assert set(reachable(client, private[0]).values()) == {404}


def test_staff_who_may_view_invitations_see_what_is_private(private, client):
    client.force_login(User.objects.create_user("plain", is_staff=True))
    assert client.get(f"/private/{WORD}-board/").status_code == 404
    client.force_login(User.objects.create_superuser("boss"))
    assert set(reachable(client, private[0]).values()) == {200}


def test_a_curator_makes_copies_and_revokes_an_invitation(private, client):
    client.force_login(User.objects.create_superuser("curator"))
    category = private[0].prompt.competition.category
    client.post("/admin/arena/invitation/add/", {"category": category.pk, "note": "the team"})
    invitation = Invitation.objects.get()
    assert invitation.url in client.get("/admin/arena/invitation/").content.decode()
    chosen = {"action": "revoke", "_selected_action": [invitation.pk]}
    client.post("/admin/arena/invitation/", chosen)
    assert Invitation.objects.get().revoked_at is not None
    assert invitation.token not in client.get("/admin/arena/invitation/").content.decode()
    made = make.make_category()
    page = client.post("/admin/arena/invitation/add/", {"category": made.pk, "note": "all"}).content.decode()
    assert Invitation.objects.count() == 1, page


def test_private_votes_are_rated_but_in_no_snapshot_and_no_other_board(private, public):
    category = private[0].prompt.competition.category
    assert Rating.everything.filter(category=category).count() == 2
    assert snapshots.take(category) is None
    for model in (Category, Competition, Prompt, Entry, ImageModel, Board, Rating, Record):
        assert model.objects.count() < model.everything.count(), model
    assert not Lab.objects.filter(slug__contains=WORD).exists()


def test_a_ranking_of_a_private_category_cannot_be_shared(private):
    client, _ = invited(private[0])
    assert client.post(f"/arena/{WORD}-board/mine/share/").status_code == 404
    assert not SharedRanking.objects.exists()


def test_a_suggestion_is_not_taken_into_a_private_competition(private):
    suggestion = Suggestion.objects.create(text="A cat", mode="text-to-image", trials=uuid.uuid4())
    with pytest.raises(suggestions.NotAccepted, match="private"):
        suggestions.accept(suggestion, private[0].prompt.competition)


def publish(entry: Entry) -> None:
    """An image of the entry's model in a public competition, past every check but the database's."""
    row = make.make_generation(make.make_prompt(), entry.image_model)
    files = dict.fromkeys(("image", "small", "thumbnail", "original"), "x")
    Entry.objects.create(generation=row, prompt=row.prompt, image_model=row.image_model, width=1, height=1, **files)


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: Category.everything.filter(is_private=True).update(is_private=False),
        lambda entry: Competition.everything.filter(category__is_private=True).update(category=make.make_category()),
        lambda entry: publish(entry),
        lambda entry: make.make_offering(entry.image_model),
        lambda entry: ImageModel.objects.filter(pk=make.make_offering().image_model_id).update(is_private=True),
        lambda entry: ImageModel.objects.filter(pk=make.make_entry().image_model_id).update(is_private=True),
        lambda entry: Invitation.objects.create(category=entry.prompt.competition.category, note="x", token="short"),
        lambda entry: Invitation.objects.create(category=entry.prompt.competition.category, note=""),
    ],
)
def test_postgres_refuses_what_would_make_private_things_known(private, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        change(private[0])
    assert not Offering.objects.filter(image_model__is_private=True).exists()


# Who may look beyond the border: nobody else in the apps that make public pages.
BEYOND = {
    "leaderboard/board/image_records.py", "leaderboard/board/pair_counts.py", "leaderboard/board/ratings.py",
    "leaderboard/board/snapshots.py", "leaderboard/competitions/overview.py", "leaderboard/voter/reveal.py",
    "leaderboard/voter/rankings.py", "leaderboard/views/private.py", "leaderboard/views/preview.py",
    "leaderboard/management/commands/recompute_ratings.py", "arena/views/images.py", "arena/invitations.py",
}  # fmt: skip
BORDERED = {
    "Category", "Competition", "Prompt", "Entry", "ImageModel", "Lab", "Rating", "RecentRating", "Board", "Record",
}  # fmt: skip


def test_public_pages_go_through_the_border():
    """`everything` is for a few named modules, and a shortcut that takes the default manager for none."""
    for path in [*ROOT.glob("leaderboard/**/*.py"), *ROOT.glob("arena/views/*.py"), ROOT / "arena/invitations.py"]:
        name = str(path.relative_to(ROOT))
        if "migrations" in name or name.startswith("leaderboard/models/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("everything", "_default_manager", "_base_manager"):
                assert name in BEYOND, f"{name}:{node.lineno}"
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("get_object_or_404", "get_list_or_404"):
                first = node.args[0]
                assert not (isinstance(first, ast.Name) and first.id in BORDERED), f"{name}:{node.lineno}"
