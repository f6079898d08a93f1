"""What a recompute costs at 1, 5 and 20 million votes: `python -m benchmarks.flat`.

Fills a database of its own with what a board of so many votes has – pair counts, tallies of images, voters' progress –
and, of the votes themselves, those of the sampled voters alone: nothing else is read. Then the worker's own recompute
runs in a fresh process. Aim: 2 s CPU and 150 MB at any number of votes, with 50 models, 300 prompts and a voter for
every 20 votes. CPU of Postgres stands beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.programs import with_services
from benchmarks.ratings_database import ROOT, scratch_database

FILL = """
SET session_replication_role = replica;
TRUNCATE arena_vote, arena_battle, arena_tally, arena_imagetally, arena_voterprogress, arena_voter, arena_entry CASCADE;
INSERT INTO arena_entry (id, generation_id, prompt_id, image_model_id, image, small, thumbnail, original, width, height, pipeline,
                         seed, created_at, retired_reason)
SELECT p * {models} + m, p * {models} + m, {prompt} + p, {model} + m, 'i', 's', 't', 'o', 8, 8, '', '', now(), ''
FROM generate_series(0, {prompts} - 1) p, generate_series(0, {models} - 1) m;
INSERT INTO arena_imagetally (low_id, high_id, low_wins, high_wins, ties, both_bad)
SELECT l.id, h.id, round(n * (1 - .15) / (1 + exp((h.image_model_id - l.image_model_id) * .02))),
       round(n * (1 - .15) / (1 + exp((l.image_model_id - h.image_model_id) * .02))), round(n * .1), round(n * .05)
FROM arena_entry l JOIN arena_entry h ON h.prompt_id = l.prompt_id AND h.id > l.id,
     (SELECT {votes}::float / ({prompts} * {models} * ({models} - 1) / 2) AS n) each;
INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
SELECT {category}, current_date, CASE side WHEN 0 THEN l ELSE h END, CASE side WHEN 0 THEN h ELSE l END, outcome, n / 2, now()
FROM (
    SELECT l.image_model_id AS l, h.image_model_id AS h, o.outcome,
           sum(CASE o.outcome WHEN 'left' THEN low_wins WHEN 'right' THEN high_wins WHEN 'tie' THEN ties ELSE both_bad END) AS n
    FROM arena_imagetally t JOIN arena_entry l ON l.id = t.low_id JOIN arena_entry h ON h.id = t.high_id,
         (VALUES ('left'), ('right'), ('tie'), ('both_bad')) AS o (outcome) GROUP BY 1, 2, 3
) pairs, (VALUES (0), (1)) AS s (side)
WHERE n >= 2;
INSERT INTO arena_voter (id, created_at) SELECT i, now() FROM generate_series(1, {votes} / 20) i;
INSERT INTO arena_voterprogress (voter_id, category_id, votes, seen, turn, waiting, met)
SELECT i, {category}, 20, 20, 20, '{{}}', decode(repeat('00', 160), 'hex') FROM generate_series(1, {votes} / 20) i;
INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at, excluded_reason,
                        excluded_rule)
SELECT gen_random_uuid(), v * {every}, {category}, {model} + l, {model} + (l + 1 + floor(random() * ({models} - 1))::int) % {models},
       (ARRAY['left', 'right', 'tie'])[1 + floor(random() * 3)::int], now(), '', ''
FROM generate_series(1, {votes} / 20 / {every}) v, generate_series(1, 20) n,
     LATERAL (SELECT floor(random() * {models} + 0 * (v + n))::int AS l) drawn;
SET session_replication_role = origin;
"""
MEASURE = """
import os, resource, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django
django.setup()
from django.db import connection
from arena.models import Category
from leaderboard.board import raw_votes, ratings
def postgres():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        fields = open(f"/proc/{cursor.fetchone()[0]}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
category = Category.objects.get()
connection.ensure_connection()
before, began, start = postgres(), time.process_time(), time.perf_counter()
assert ratings.recompute(category, force=True), "it failed"
cpu, took, server = time.process_time() - began, time.perf_counter() - start, postgres() - before
board = category.ratings.first()
print(cpu, server, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, board.se, board.design_effect)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--votes", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000])
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--prompts", type=int, default=300)
    options = parser.parse_args()
    with_services()
    with scratch_database() as url:
        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            measure(options)
        finally:
            connection.close()


def measure(options: argparse.Namespace) -> None:
    import math

    from django.db import connection

    from arena.models import Category, Competition, Prompt
    from leaderboard.board import raw_votes
    from providers.models import ImageModel

    category = Category.objects.create(slug="flat", name="Flat", mode="text-to-image")
    competition = Competition.objects.create(category=category, slug="f", title="F", criterion="c", is_published=True)
    prompts = Prompt.objects.bulk_create(
        Prompt(competition=competition, text=f"Prompt {n}") for n in range(options.prompts)
    )
    models = ImageModel.objects.bulk_create(
        ImageModel(slug=f"m{n}", name=f"M{n}", origin="sample", modes=["text-to-image"]) for n in range(options.models)
    )
    for votes in options.votes:
        every = 2 ** max(0, math.ceil(math.log2(votes / raw_votes.SAMPLED)))
        with connection.cursor() as cursor:
            cursor.execute(
                FILL.format(
                    votes=votes, every=every, models=options.models, prompts=options.prompts, category=category.pk,
                    prompt=prompts[0].pk, model=models[0].pk,
                )
            )  # fmt: skip
            cursor.execute("VACUUM ANALYZE")
        done = subprocess.run(
            [sys.executable, "-c", MEASURE], capture_output=True, text=True, cwd=ROOT, check=False,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr)
        cpu, server, took, peak, se, design = map(float, done.stdout.split())
        print(
            f"{votes:>11,} votes: worker {cpu:.2f} s CPU, Postgres {server:.2f} s CPU, {took:.1f} s in all, peak {peak:.0f} MB; "
            f"se {se:.2f} Elo, design effect {design:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
