"""Postgres refuses what cannot be true in the arena: every constraint, tried with its opposite."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from arena import generation, reports, shares, voting
from arena.models import (
    Category,
    Competition,
    Entry,
    Generation,
    ImageTally,
    ImportedVote,
    PairScores,
    Prompt,
    Report,
    Share,
    SharedAnswer,
    SpooledImage,
    Tally,
    Vote,
    VoteFile,
    VoterProgress,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


def refuses(constraint: str, action) -> None:
    """The database refuses `action`, and names `constraint` as the reason."""
    with pytest.raises(IntegrityError, match=constraint):
        _at_once(action)


def _at_once(action) -> None:
    """Run `action` with its foreign keys checked now, and not at the end of the test's transaction."""
    with transaction.atomic():
        action()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def update(row, **fields):
    return lambda: type(row).objects.filter(pk=row.pk).update(**fields)


def test_category():
    category = make.make_category()
    refuses("category slug is lower-case words", update(category, slug="Text To Image"))
    refuses("category has a name", update(category, name=""))
    refuses("category mode is known", update(category, mode="video"))
    refuses("slug", lambda: Category.objects.create(slug=category.slug, name="Again", mode="edit"))


def test_competition():
    competition = make.make_competition()
    now = timezone.now()
    refuses("competition slug is lower-case words", update(competition, slug="a b"))
    refuses("competition has a title", update(competition, title=""))
    refuses("competition has a criterion", update(competition, criterion=""))
    refuses("a question ends with a question mark", update(competition, question="Which is better"))
    refuses("competition shape is known", update(competition, shape="7:1"))
    refuses("a competition closes after it opens", update(competition, opens_at=now, closes_at=now))
    refuses("a spend cap is not negative", update(competition, spend_cap=-1))
    refuses("slug", lambda: make.make_competition(slug=competition.slug))
    with pytest.raises(ProtectedError):
        competition.category.delete()


def test_prompt():
    prompt = make.make_prompt()
    refuses("prompt has a text", update(prompt, text=""))
    refuses("a competition asks the same only once", lambda: make.make_prompt(prompt.competition, prompt.text))


def test_a_model_answers_a_prompt_once_per_sample():
    row = make.make_generation()
    refuses(
        "one generation per prompt, model and sample",
        lambda: Generation.objects.create(prompt=row.prompt, image_model=row.image_model, sample=row.sample),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "queued", "started_at": timezone.now()},
        {"status": "running"},
        {"status": "running", "started_at": timezone.now(), "attempt": 1},
        {"status": "succeeded"},
        {"status": "succeeded", "started_at": timezone.now()},
        {"status": "succeeded", "started_at": timezone.now(), "finished_at": timezone.now(), "error": "no"},
        {"status": "failed", "started_at": timezone.now(), "finished_at": timezone.now()},
        {"status": "failed", "finished_at": timezone.now(), "error": "no"},
        {
            "status": "succeeded",
            "started_at": timezone.now(),
            "finished_at": timezone.now() - timedelta(hours=1),
        },
        {"status": "dreaming"},
    ],
)
def test_a_generations_status_times_and_error_agree(fields):
    refuses("generation status, times and error agree", update(make.make_generation(), **fields))


def test_entry():
    entry = make.make_entry()
    refuses("entry has a size", update(entry, width=0))
    refuses("entry has its files", update(entry, thumbnail=""))
    refuses("generation_id", lambda: Entry.objects.create(**_copy(entry) | {"call_id": None}))
    refuses(
        "call_id", lambda: Entry.objects.create(**_copy(entry) | {"generation": make.make_generation(entry.prompt)})
    )


def test_an_entry_is_of_its_generations_prompt_and_model():
    entry = make.make_entry()
    refuses("entry answers its generation's prompt with its model", update(entry, prompt=make.make_prompt()))
    refuses("entry answers its generation's prompt with its model", update(entry, image_model=make.make_model()))


def test_battle():
    battle = make.make_battle()
    refuses("a battle is between two entries", update(battle, right=battle.left))
    refuses("each side has its own token", update(battle, right_token=battle.left_token))
    other = make.make_battle()
    refuses("a left token names one battle", update(battle, left_token=other.left_token))
    refuses("a right token names one battle", update(battle, right_token=other.right_token))
    refuses("probability is in", update(battle, probability=0))
    refuses("probability is in", update(battle, probability=1.01))
    refuses("a battle has two images to be familiar", update(battle, familiar=3))
    refuses("a battle lasts a while", update(battle, expires_at=battle.served_at))
    refuses("a skip follows its battle", update(battle, skipped_at=battle.served_at - timedelta(seconds=1)))


def test_both_entries_of_a_battle_answer_its_prompt():
    battle = make.make_battle()
    stranger = make.make_entry()
    refuses("left answers the battle's prompt", update(battle, left=stranger))
    refuses("right answers the battle's prompt", update(battle, right=stranger))
    refuses("answers the battle's prompt", update(battle, prompt=stranger.prompt))


def test_a_voter_meets_a_pair_only_once_whatever_the_sides():
    battle = make.make_battle()
    refuses("a voter meets a pair only once", lambda: make.make_battle(battle.voter, battle.left, battle.right))
    refuses("a voter meets a pair only once", lambda: make.make_battle(battle.voter, battle.right, battle.left))
    make.make_battle(make.make_voter(), battle.left, battle.right)


def test_tokens_are_used_once():
    battle = make.make_battle()
    refuses("left_token", lambda: make.make_battle(left=battle.left, right=battle.right, left_token=battle.left_token))


def test_vote():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    vote = battle.vote
    refuses("vote outcome is known", update(vote, outcome="skip"))
    refuses("an excluded vote names reason and rule", update(vote, excluded_reason="a bot"))
    refuses("an excluded vote names reason and rule", update(vote, excluded_rule="R1"))
    refuses("arena_vote_pkey", lambda: Vote.objects.bulk_create([vote]))


def test_a_question_is_frozen_once_voters_were_asked_but_may_be_added_to_a_competition_without_one():
    competition = make.make_battle().prompt.competition
    update(competition, question="Which is truer?")()
    refuses("a competition is frozen", update(competition, question="Which is finer?"))
    refuses("a competition is frozen", update(competition, question=""))
    competition.refresh_from_db()
    competition.question = "Which is finer?"
    with pytest.raises(ValidationError, match="Voters have been asked"):
        competition.full_clean()


def test_share():
    battle = make.make_battle()
    link = shares.share(battle.voter_id, [battle.pk])
    assert shares.share(battle.voter_id, [battle.pk]) == link
    refuses("what a voter shares has one URL", lambda: Share.objects.create(voter=battle.voter, battles=link.battles))
    refuses("a share has one pair or a round", update(link, battles=[]))
    refuses("a share has one pair or a round", update(link, battles=[battle.pk] * 6))
    shares.answer(link, battle, "left")
    shares.answer(link, battle, "left")
    counted = SharedAnswer.objects.get()
    assert counted.n == 2
    refuses("a shared answer is known", update(counted, outcome="middle"))
    refuses("a counted answer was given", update(counted, n=0))
    refuses(
        "one count per answer of a share",
        lambda: SharedAnswer.objects.create(share=link, battle=battle, outcome="left", n=1),
    )


def test_report():
    report = reports.report(make.make_battle(), "left", "broken")
    refuses("report reason is known", update(report, reason="ugly"))
    refuses("a resolved report says how and when", update(report, resolution="accepted"))
    refuses("a resolved report says how and when", update(report, resolved_at=timezone.now()))
    refuses("one report per voter and entry", lambda: Report.objects.create(**_copy(report)))


def test_tally():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    tally = Tally.objects.get()
    refuses("a tally is between two models", update(tally, right_model=tally.left_model))
    refuses("tally outcome is known", update(tally, outcome="skip"))
    refuses("arena_tally_n_check", update(tally, n=-1))
    refuses("one tally per cell and day", lambda: Tally.objects.create(**_copy(tally)))


def test_image_tally():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    tally = ImageTally.objects.get()
    refuses("an image tally has its images in order", update(tally, low=tally.high_id, high=tally.low_id))
    refuses("an image tally has its images in order", update(tally, low=tally.high_id))
    refuses("one image tally per pair", lambda: ImageTally.objects.create(**_copy(tally)))
    for count in ("low_wins", "high_wins", "ties", "both_bad"):
        refuses(f"arena_imagetally_{count}_check", update(tally, **{count: -1}))


def test_voter_progress():
    battle = make.make_battle()
    progress = battle.voter.progress.get()
    refuses("every vote was seen", update(progress, votes=1))
    refuses("entries are met in pairs", update(progress, met=bytes(12)))
    refuses("one progress per voter and category", lambda: VoterProgress.objects.create(**_copy(progress)))


def test_imported_votes():
    one, other = make.make_model(), make.make_model()
    file = VoteFile.objects.create(category=make.make_category(), source="Elsewhere", sha256="a" * 64, rows=1)
    vote = ImportedVote.objects.create(
        file=file, line=2, left_model=one, right_model=other, outcome="tie", day=timezone.now().date()
    )
    refuses("a vote file is imported once per category", lambda: VoteFile.objects.create(**_copy(file)))
    refuses("a vote file names its source", update(file, source=""))
    refuses("a vote file has its sha256", update(file, sha256="short"))
    refuses("one imported vote per line", lambda: ImportedVote.objects.create(**_copy(vote)))
    refuses("an imported vote is between two models", update(vote, right_model=one))
    refuses("imported outcome is known", update(vote, outcome="win"))
    named = "an imported vote names a file and models that exist"
    for column in ("file_id", "left_model_id", "right_model_id"):
        refuses(named, update(vote, **{column: 987_654}))
        refuses(named, lambda column=column: ImportedVote.objects.create(**_copy(vote) | {"line": 3, column: 987_654}))
    refuses("a vote file with votes stays", lambda: VoteFile.objects.filter(pk=file.pk)._raw_delete("default"))


def test_nothing_voted_on_can_vanish():
    battle = make.make_battle()
    voting.cast_vote(battle, "tie")
    for row in (battle, battle.left, battle.left.generation, battle.prompt, battle.voter, battle.left.image_model):
        with pytest.raises(ProtectedError):
            row.delete()
    with pytest.raises(ProtectedError):
        Prompt.objects.all().delete()
    with pytest.raises(ProtectedError):
        Competition.objects.all().delete()


def test_spending():
    row = make.make_generation()
    refuses("nothing negative is spent", update(row, spent=-1))
    refuses("only what is running is expected to cost something", update(row, expected_cost=1))
    row = generation.claim(row.pk)
    refuses("only what is running is expected to cost something", update(row, expected_cost=-1))


def test_what_is_paid_for_and_what_is_called_off():
    row = make.make_generation()
    agree = "generation status, times and error agree"
    refuses(agree, update(row, status="cancelled", finished_at=timezone.now()))  # without a reason
    refuses(agree, update(row, status="cancelled", error="Called off."))
    refuses(agree, update(row, status="storing", error="Not stored yet."))  # never started
    row = generation.claim(row.pk)
    refuses(agree, update(row, status="storing", error="Not stored yet."))  # with a lease
    refuses("a spooled image has bytes", lambda: SpooledImage.objects.create(generation=row, data=b""))


def test_finished_rows_keep_their_proof():
    """The factory's way through claim and store leaves rows that satisfy every constraint."""
    entry = make.make_entry()
    row = Generation.objects.get(entry=entry)
    assert (row.status, row.attempt, row.lease_expires_at, row.error) == ("succeeded", 1, None, "")
    assert generation.claim(row.pk) is None


def _copy(row):
    """The row's fields without its key: what an identical second row would hold."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}


def test_pair_scores():
    row = PairScores.objects.create(category=make.make_category(), image_models=[1, 2, 3], scores=bytes(12))
    refuses("every pair of models has its score", update(row, image_models=[1, 2]))
    refuses("every pair of models has its score", update(row, scores=bytes(8)))
    refuses("who is provisional is among the models", update(row, provisional=[4]))
