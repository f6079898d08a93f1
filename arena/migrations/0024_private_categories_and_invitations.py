"""Private categories with invitations, private models, and competitions whose old slugs lead on."""

import arena.models.invitations
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

CREATE = """
CREATE FUNCTION arena_category_stays_private() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM arena_competition WHERE category_id = OLD.id)
        OR EXISTS (SELECT FROM arena_votefile WHERE category_id = OLD.id)
    THEN
        RAISE EXCEPTION 'a used category stays private or public' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a used category stays private or public" BEFORE UPDATE OF is_private ON arena_category FOR EACH ROW
WHEN (OLD.is_private <> NEW.is_private) EXECUTE FUNCTION arena_category_stays_private();

CREATE FUNCTION arena_competition_stays_private() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT is_private FROM arena_category WHERE id = OLD.category_id)
        <> (SELECT is_private FROM arena_category WHERE id = NEW.category_id)
    THEN
        RAISE EXCEPTION 'a competition stays private or public' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a competition stays private or public" BEFORE UPDATE OF category_id ON arena_competition FOR EACH ROW
WHEN (OLD.category_id <> NEW.category_id) EXECUTE FUNCTION arena_competition_stays_private();

CREATE FUNCTION arena_entry_of_private_model() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT is_private FROM providers_imagemodel WHERE id = NEW.image_model_id) AND NOT (
        SELECT category.is_private FROM arena_prompt prompt
        JOIN arena_competition competition ON competition.id = prompt.competition_id
        JOIN arena_category category ON category.id = competition.category_id WHERE prompt.id = NEW.prompt_id
    ) THEN
        RAISE EXCEPTION 'a private model competes in private only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a private model competes in private only" BEFORE INSERT ON arena_entry FOR EACH ROW
EXECUTE FUNCTION arena_entry_of_private_model();

CREATE FUNCTION arena_offering_of_private_model() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT is_private FROM providers_imagemodel WHERE id = NEW.image_model_id) THEN
        RAISE EXCEPTION 'a private model has no offering' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a private model has no offering" BEFORE INSERT OR UPDATE OF image_model_id ON providers_offering
FOR EACH ROW EXECUTE FUNCTION arena_offering_of_private_model();

CREATE FUNCTION arena_known_model_stays_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM providers_offering WHERE image_model_id = OLD.id)
        OR EXISTS (
            SELECT FROM arena_entry entry JOIN arena_prompt prompt ON prompt.id = entry.prompt_id
            JOIN arena_competition competition ON competition.id = prompt.competition_id
            JOIN arena_category category ON category.id = competition.category_id
            WHERE entry.image_model_id = OLD.id AND NOT category.is_private
        )
        OR EXISTS (
            SELECT FROM arena_tally tally JOIN arena_category category ON category.id = tally.category_id
            WHERE OLD.id IN (tally.left_model_id, tally.right_model_id) AND NOT category.is_private
        )
    THEN
        RAISE EXCEPTION 'a model that is known stays public' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a model that is known stays public" BEFORE UPDATE OF is_private ON providers_imagemodel FOR EACH ROW
WHEN (NEW.is_private AND NOT OLD.is_private) EXECUTE FUNCTION arena_known_model_stays_public();

CREATE FUNCTION arena_competition_leaves_its_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM arena_oldslug WHERE slug = NEW.slug;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO arena_oldslug (slug, competition_id) VALUES (OLD.slug, NEW.id)
        ON CONFLICT (slug) DO UPDATE SET competition_id = excluded.competition_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER "a changed slug leads on" AFTER UPDATE OF slug ON arena_competition FOR EACH ROW
WHEN (OLD.slug <> NEW.slug) EXECUTE FUNCTION arena_competition_leaves_its_slug();
CREATE TRIGGER "a taken slug leads nowhere else" AFTER INSERT ON arena_competition FOR EACH ROW
EXECUTE FUNCTION arena_competition_leaves_its_slug();
"""
DROP = """
DROP TRIGGER "a taken slug leads nowhere else" ON arena_competition;
DROP TRIGGER "a changed slug leads on" ON arena_competition;
DROP FUNCTION arena_competition_leaves_its_slug();
DROP TRIGGER "a model that is known stays public" ON providers_imagemodel;
DROP FUNCTION arena_known_model_stays_public();
DROP TRIGGER "a private model has no offering" ON providers_offering;
DROP FUNCTION arena_offering_of_private_model();
DROP TRIGGER "a private model competes in private only" ON arena_entry;
DROP FUNCTION arena_entry_of_private_model();
DROP TRIGGER "a competition stays private or public" ON arena_competition;
DROP FUNCTION arena_competition_stays_private();
DROP TRIGGER "a used category stays private or public" ON arena_category;
DROP FUNCTION arena_category_stays_private();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('arena', '0023_integrity_watch'),
        ('providers', '0016_models_may_be_private'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='category',
            options={'default_manager_name': 'everything', 'ordering': ('position', 'name'), 'verbose_name_plural': 'categories'},
        ),
        migrations.AlterModelOptions(
            name='competition',
            options={'default_manager_name': 'everything', 'ordering': ('-created_at', '-pk')},
        ),
        migrations.AlterModelOptions(
            name='entry',
            options={'default_manager_name': 'everything', 'verbose_name_plural': 'entries'},
        ),
        migrations.AlterModelOptions(
            name='prompt',
            options={'default_manager_name': 'everything', 'ordering': ('competition', 'position', 'pk')},
        ),
        migrations.AlterModelManagers(
            name='category',
            managers=[
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name='competition',
            managers=[
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name='entry',
            managers=[
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name='prompt',
            managers=[
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='category',
            name='is_private',
            field=models.BooleanField(db_default=False, default=False, help_text='Board, competitions, images and votes are for who has an invitation. It stays so once it is used.', verbose_name='private'),
        ),
        migrations.AddField(
            model_name='historicalcategory',
            name='is_private',
            field=models.BooleanField(db_default=False, default=False, help_text='Board, competitions, images and votes are for who has an invitation. It stays so once it is used.', verbose_name='private'),
        ),
        migrations.AddField(
            model_name='historicalimagemodel',
            name='is_private',
            field=models.BooleanField(db_default=False, default=False, help_text='Competes in private categories only, with images brought as files; nobody else learns its name.', verbose_name='private'),
        ),
        migrations.CreateModel(
            name='HistoricalInvitation',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('note', models.CharField(help_text='Whom it is for.', max_length=120)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Empty: valid until it is revoked. UTC.', null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('category', models.ForeignKey(blank=True, db_constraint=False, limit_choices_to={'is_private': True}, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='arena.category')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical invitation',
                'verbose_name_plural': 'historical invitations',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note', models.CharField(help_text='Whom it is for.', max_length=120)),
                ('token', models.CharField(default=arena.models.invitations.invitation_token, editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Empty: valid until it is revoked. UTC.', null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('category', models.ForeignKey(limit_choices_to={'is_private': True}, on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='arena.category')),
            ],
            options={
                'ordering': ('-created_at',),
                'constraints': [models.CheckConstraint(condition=models.Q(('token__regex', '^[\\w-]{32}$')), name='an invitation has its token'), models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='an invitation says whom it is for')],
            },
        ),
        migrations.CreateModel(
            name='OldSlug',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=120, unique=True)),
                ('competition', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='old_slugs', to='arena.competition')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('slug__regex', '^[a-z0-9]+([._-][a-z0-9]+)*$')), name='an old slug is lower-case words')],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
