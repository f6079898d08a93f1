"""An import of a million votes is checked in one query instead of three million: a trigger per statement.

The foreign keys of `arena_importedvote` become constraints of the same effect, with the same error code.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION arena_importedvote_names_what_exists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT file_id, left_model_id, right_model_id FROM stored) named
        WHERE NOT EXISTS (SELECT FROM arena_votefile WHERE id = file_id)
            OR NOT EXISTS (SELECT FROM providers_imagemodel WHERE id = left_model_id)
            OR NOT EXISTS (SELECT FROM providers_imagemodel WHERE id = right_model_id)
    ) THEN
        RAISE EXCEPTION 'an imported vote names a file and models that exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER "an imported vote names what exists" AFTER INSERT ON arena_importedvote
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION arena_importedvote_names_what_exists();
CREATE TRIGGER "a changed imported vote names what exists" AFTER UPDATE ON arena_importedvote
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION arena_importedvote_names_what_exists();

CREATE FUNCTION arena_votefile_keeps_its_votes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM arena_importedvote WHERE file_id = OLD.id) THEN
        RAISE EXCEPTION 'a vote file with votes stays' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER "a vote file with votes stays" BEFORE DELETE ON arena_votefile
FOR EACH ROW EXECUTE FUNCTION arena_votefile_keeps_its_votes();
"""
DROP = """
DROP TRIGGER "an imported vote names what exists" ON arena_importedvote;
DROP TRIGGER "a changed imported vote names what exists" ON arena_importedvote;
DROP FUNCTION arena_importedvote_names_what_exists();
DROP TRIGGER "a vote file with votes stays" ON arena_votefile;
DROP FUNCTION arena_votefile_keeps_its_votes();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("arena", "0007_reports"),
        ('providers', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='importedvote',
            name='file',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='arena.votefile'),
        ),
        migrations.AlterField(
            model_name='importedvote',
            name='left_model',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='providers.imagemodel'),
        ),
        migrations.AlterField(
            model_name='importedvote',
            name='right_model',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='providers.imagemodel'),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
