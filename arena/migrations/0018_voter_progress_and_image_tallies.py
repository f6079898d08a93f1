import arena.models.battles
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.math
import django.db.models.lookups
import django.utils.timezone
from django.db import migrations, models

# A vote updates one row of each in place: room on the page keeps the update out of the indexes.
FILLFACTOR = """
ALTER TABLE arena_imagetally SET (fillfactor = 70);
ALTER TABLE arena_voterprogress SET (fillfactor = 70);
"""
IMAGE_TALLIES = """
INSERT INTO arena_imagetally (low_id, high_id, low_wins, high_wins, ties, both_bad)
SELECT least(b.left_id, b.right_id), greatest(b.left_id, b.right_id),
       count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id < b.right_id THEN 'left' ELSE 'right' END),
       count(*) FILTER (WHERE v.outcome = CASE WHEN b.left_id < b.right_id THEN 'right' ELSE 'left' END),
       count(*) FILTER (WHERE v.outcome = 'tie'), count(*) FILTER (WHERE v.outcome = 'both_bad')
FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id
WHERE v.excluded_reason = '' GROUP BY 1, 2
"""
VOTER_PROGRESS = """
INSERT INTO arena_voterprogress (voter_id, category_id, votes, seen, turn, waiting, met)
SELECT b.voter_id, c.category_id, count(v.battle_id), count(*) FILTER (WHERE v.battle_id IS NOT NULL OR b.skipped_at IS NOT NULL), 1,
       coalesce(array_agg(b.id ORDER BY b.served_at NULLS LAST, b.expires_at) FILTER (WHERE v.battle_id IS NULL AND b.skipped_at IS NULL), '{}'),
       string_agg(int4send(b.left_id::int) || int4send(b.right_id::int), ''::bytea ORDER BY b.served_at NULLS LAST, b.expires_at)
FROM arena_battle b
JOIN arena_prompt p ON p.id = b.prompt_id
JOIN arena_competition c ON c.id = p.competition_id
LEFT JOIN arena_vote v ON v.battle_id = b.id
GROUP BY b.voter_id, c.category_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('arena', '0017_used_categories_and_modes_are_frozen'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImageTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('low_wins', models.PositiveIntegerField()),
                ('high_wins', models.PositiveIntegerField()),
                ('ties', models.PositiveIntegerField()),
                ('both_bad', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name_plural': 'image tallies',
            },
        ),
        migrations.CreateModel(
            name='VoterProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('votes', models.PositiveIntegerField(db_default=0)),
                ('seen', models.PositiveIntegerField(db_default=0, help_text='Battles voted on or skipped.')),
                ('turn', models.PositiveIntegerField(db_default=0)),
                ('waiting', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=[], help_text='Battles assigned and not answered.', size=None)),
                ('met', models.BinaryField(db_default=b'', help_text='Pairs of entries that were assigned: 4 big-endian bytes an id.')),
            ],
            options={
                'verbose_name_plural': 'voter progress',
            },
        ),
        migrations.AddField(
            model_name='battle',
            name='familiar',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How many of its two images this voter had met before, so that their makers may be known.'),
        ),
        migrations.AddConstraint(
            model_name='battle',
            constraint=models.CheckConstraint(condition=models.Q(('familiar__lte', 2)), name='a battle has two images to be familiar'),
        ),
        migrations.AlterField(
            model_name='battle',
            name='left_token',
            field=models.CharField(default=arena.models.battles.new_token, max_length=32),
        ),
        migrations.AlterField(
            model_name='battle',
            name='right_token',
            field=models.CharField(default=arena.models.battles.new_token, max_length=32),
        ),
        migrations.AlterField(
            model_name='battle',
            name='served_at',
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, help_text='When it was shown; empty while it is only assigned, or when the browser did not report it.', null=True),
        ),
        migrations.AlterField(
            model_name='vote',
            name='decision_time',
            field=models.DurationField(blank=True, help_text='From showing the battle to its vote; empty where its showing was not reported.', null=True),
        ),
        migrations.AddConstraint(
            model_name='battle',
            constraint=models.UniqueConstraint(fields=('left_token',), name='a left token names one battle'),
        ),
        migrations.AddConstraint(
            model_name='battle',
            constraint=models.UniqueConstraint(fields=('right_token',), name='a right token names one battle'),
        ),
        migrations.AddField(
            model_name='imagetally',
            name='high',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='arena.entry'),
        ),
        migrations.AddField(
            model_name='imagetally',
            name='low',
            field=models.ForeignKey(db_index=False, help_text='The smaller id.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='arena.entry'),
        ),
        migrations.AddField(
            model_name='voterprogress',
            name='category',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='arena.category'),
        ),
        migrations.AddField(
            model_name='voterprogress',
            name='voter',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='progress', to='arena.voter'),
        ),
        migrations.AddConstraint(
            model_name='imagetally',
            constraint=models.UniqueConstraint(fields=('low', 'high'), name='one image tally per pair'),
        ),
        migrations.AddConstraint(
            model_name='imagetally',
            constraint=models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='an image tally has its images in order'),
        ),
        migrations.AddConstraint(
            model_name='voterprogress',
            constraint=models.UniqueConstraint(fields=('voter', 'category'), name='one progress per voter and category'),
        ),
        migrations.AddConstraint(
            model_name='voterprogress',
            constraint=models.CheckConstraint(condition=models.Q(('seen__gte', models.F('votes'))), name='every vote was seen'),
        ),
        migrations.AddConstraint(
            model_name='voterprogress',
            constraint=models.CheckConstraint(condition=django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.Func(models.F('met'), function='octet_length', output_field=models.IntegerField()), 8), 0), name='entries are met in pairs'),
        ),
        migrations.RunSQL(FILLFACTOR, migrations.RunSQL.noop),
        migrations.RunSQL(IMAGE_TALLIES, migrations.RunSQL.noop),
        migrations.RunSQL(VOTER_PROGRESS, migrations.RunSQL.noop),
    ]
