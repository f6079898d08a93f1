"""What a network and a browser can do in an hour, and which votes are no judgement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from arena import battles, voting
from arena.battles import ballots, skips
from arena.integrity import networks, rules
from arena.models import Battle, Tally, Vote, Voter, VoterProgress
from providers.cache import clear_process_caches
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("category")]

ARENA = "/arena/text-to-image/"


def four_prompts_of_four_models():
    category = make.make_category()
    models = [make.make_model() for _ in range(4)]
    for _ in range(4):
        prompt = make.make_prompt(make.make_competition(category))
        for model in models:
            make.make_entry(prompt, model)
    return category


@pytest.fixture(scope="module")
def shared_category(shared_rows):
    return shared_rows.make(four_prompts_of_four_models)


@pytest.fixture
def category(shared_rows, shared_category):
    return shared_rows.lend(shared_category)


def first_vote(ip="192.0.2.7", outcome="left"):
    client = Client(REMOTE_ADDR=ip)
    url = make.battle_url(client.get(ARENA))
    return client.post(f"{url}vote/", {"outcome": outcome})


@pytest.fixture
def watched(settings):
    settings.VOTE_NEEDS_IMAGES = True


def test_a_vote_on_images_that_were_never_loaded_is_stored_and_says_so(client, category, watched):
    url = make.battle_url(client.get(ARENA))
    reply = client.post(f"{url}vote/", {"outcome": "left"}, follow=True).content.decode()
    assert "does not count" in reply
    assert rules.UNSEEN.reason in reply
    assert Vote.objects.get().excluded_rule == rules.UNSEEN.name
    assert not Tally.objects.exists()


def test_a_vote_counts_once_both_images_were_loaded(client, category, watched):
    for _ in range(3):  # a ballot, then two battles
        page = client.get(ARENA)
        for token in make.tokens(page):
            assert client.get(f"/i/{token}.small.webp").status_code == 200
        client.post(f"{make.battle_url(page)}vote/", {"outcome": "left"})
    assert list(Vote.objects.values_list("excluded_rule", flat=True)) == ["", "", ""]


def test_one_image_is_not_two_and_a_head_request_loads_nothing(client, category, watched):
    voter = make.make_voter()
    make.sign_in(client, voter)
    battle = battles.serve(voter, category)
    client.get(f"/i/{battle.left_token}.webp")
    client.head(f"/i/{battle.right_token}.webp")
    battle.refresh_from_db()
    assert battle.left_fetched_at is not None
    assert battle.right_fetched_at is None
    voting.cast_vote(battle, "left")
    assert Vote.objects.get().excluded_rule == rules.UNSEEN.name


def test_images_of_an_expired_battle_must_be_loaded_again(client, category, watched):
    voter = make.make_voter()
    battle = battles.serve(voter, category)
    for token in (battle.left_token, battle.right_token):
        client.get(f"/i/{token}.webp")
    past = timezone.now() - timedelta(hours=3)
    Battle.objects.update(served_at=past, expires_at=past + timedelta(hours=1))
    again = battles.serve(voter, category)
    assert again.pk == battle.pk
    battle.refresh_from_db()
    assert (battle.left_fetched_at, battle.right_fetched_at) == (None, None)


def test_skips_in_a_row_end_with_advice(client, category, settings):
    settings.SKIPS_IN_ROW = 3
    voter = make.make_voter()
    make.sign_in(client, voter)
    for number in range(4):
        url = make.battle_url(client.get(ARENA))
        reply = client.post(f"{url}skip/", follow=True)
        assert reply.status_code == (200 if number < 3 else 409)
    page = reply.content.decode()
    assert "Every two answers earn another skip" in page
    assert 'data-state="closed"' in page
    assert f'<a class="button primary" href="{url}"' in page  # back to the pair that waits
    assert Battle.objects.filter(skipped_at__isnull=False).count() == 3
    client.post(f"{url}vote/", {"outcome": "tie"})
    client.post(f"{make.battle_url(client.get(ARENA))}vote/", {"outcome": "tie"})
    url = make.battle_url(client.get(ARENA))
    assert client.post(f"{url}skip/", follow=True).status_code == 200  # two votes allow one more
    url = make.battle_url(client.get(ARENA))
    assert client.post(f"{url}skip/").status_code == 409


def test_after_a_pause_a_row_of_skips_starts_again(category, settings):
    settings.SKIPS_IN_ROW = 2
    voter = make.make_voter()
    for _ in range(6):
        voting.cast_vote(battles.serve(voter, category), "tie")
    for _ in range(2):
        skips.skip(battles.serve(voter, category))
    with pytest.raises(skips.TooManySkips, match=r"skipped 2 pairs in a row.* come back in \d+ minutes"):
        skips.skip(battles.serve(voter, category))
    VoterProgress.objects.update(answered_at=timezone.now() - timedelta(hours=2))
    skips.skip(battles.serve(voter, category))
    progress = VoterProgress.objects.get()
    assert (progress.skips, progress.skips_in_row) == (3, 1)


def test_one_network_makes_so_many_voters_in_an_hour_and_the_next_hears_when_to_come_back(category, settings):
    settings.NETWORK_NEW_VOTERS = 3
    assert [first_vote().status_code for _ in range(4)] == [302, 302, 302, 429]
    assert Voter.objects.count() == Vote.objects.count() == 3
    reply = first_vote()
    assert "Come back in an hour" in reply.content.decode()
    assert first_vote(ip="198.51.100.1").status_code == 302
    Voter.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert first_vote().status_code == 302


def test_many_ip_addresses_of_one_customer_are_one_prefix(category, settings):
    settings.NETWORK_PREFIX_NEW_VOTERS = 3
    codes = [first_vote(ip=f"203.0.113.{host}").status_code for host in range(4)]
    assert codes == [302, 302, 302, 429]
    assert [first_vote(ip=f"2001:db8:1:{host:x}::1").status_code for host in range(4)] == codes
    assert first_vote(ip="2001:db8:2::1").status_code == 302


def test_a_voter_of_old_is_not_concerned(category, settings):
    settings.NETWORK_NEW_VOTERS = 1
    client = Client(REMOTE_ADDR="192.0.2.7")
    url = make.battle_url(client.get(ARENA))
    assert client.post(f"{url}vote/", {"outcome": "left"}).status_code == 302
    assert first_vote().status_code == 429
    url = make.battle_url(client.get(ARENA))
    assert client.post(f"{url}vote/", {"outcome": "left"}).status_code == 302
    assert Vote.objects.count() == 2


def test_a_network_that_looks_on_sees_the_same_few_pairs(category, rf, settings):
    settings.NETWORK_BALLOTS = 5
    request = rf.get("/", REMOTE_ADDR="192.0.2.7")
    network = networks.of(request)
    seen = {(ballot.left, ballot.right) for ballot in (ballots.draw(category, network) for _ in range(80))}
    assert 1 < len(seen) <= 2 * 5  # the hour may end meanwhile
    everybody = {(ballot.left, ballot.right) for ballot in (ballots.draw(category) for _ in range(80))}
    assert len(everybody) > 10


def test_networks_are_hashes_that_nobody_can_compute_without_the_key_of_the_month(category, rf):
    first_vote(ip="192.0.2.7")
    voter = Voter.objects.get()
    here = networks.of(rf.get("/", REMOTE_ADDR="192.0.2.7"))
    assert (voter.network, voter.prefix) == (here.address, here.prefix)
    neighbour = networks.of(rf.get("/", REMOTE_ADDR="192.0.2.8"))
    assert neighbour.prefix == here.prefix
    assert neighbour.address != here.address
    cache.delete(f"integrity:network-key:{timezone.now():%Y-%m}")
    clear_process_caches()
    assert networks.of(rf.get("/", REMOTE_ADDR="192.0.2.7")).address != here.address


def test_hashes_are_blanked_after_some_weeks(category, settings):
    first_vote()
    assert networks.forget_old() == 0
    Voter.objects.update(created_at=timezone.now() - timedelta(days=settings.NETWORK_RETENTION_DAYS, hours=1))
    assert networks.forget_old() == 1
    assert Voter.objects.values_list("network", "prefix").get() == ("", "")


def test_without_valkey_networks_are_not_known_and_votes_go_on(category, rf, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert networks.of(rf.get("/", REMOTE_ADDR="192.0.2.7")) == networks.UNKNOWN
    settings.VOTE_NEEDS_IMAGES = True
    settings.NETWORK_NEW_VOTERS = 1
    assert [first_vote().status_code for _ in range(2)] == [302, 302]
    assert list(Vote.objects.values_list("excluded_rule", flat=True)) == ["", ""]
