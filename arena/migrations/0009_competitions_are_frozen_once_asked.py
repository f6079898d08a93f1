"""What voters were told to judge stays what it was: Postgres refuses to change it once a pair has been served."""

from django.db import migrations, models

CREATE = """
CREATE FUNCTION arena_competition_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM arena_battle b JOIN arena_prompt p ON p.id = b.prompt_id WHERE p.competition_id = OLD.id) THEN
        RAISE EXCEPTION 'a competition is frozen once voters were asked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a competition is frozen once voters were asked" BEFORE UPDATE ON arena_competition FOR EACH ROW
WHEN ((OLD.category_id, OLD.criterion, OLD.shape) IS DISTINCT FROM (NEW.category_id, NEW.criterion, NEW.shape))
EXECUTE FUNCTION arena_competition_is_frozen();

CREATE FUNCTION arena_prompt_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM arena_battle WHERE prompt_id = OLD.id) THEN
        RAISE EXCEPTION 'a prompt is frozen once voters were asked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "a prompt is frozen once voters were asked" BEFORE UPDATE ON arena_prompt FOR EACH ROW
WHEN ((OLD.competition_id, OLD.text, OLD.source_image) IS DISTINCT FROM (NEW.competition_id, NEW.text, NEW.source_image))
EXECUTE FUNCTION arena_prompt_is_frozen();
"""
DROP = """
DROP TRIGGER "a prompt is frozen once voters were asked" ON arena_prompt;
DROP FUNCTION arena_prompt_is_frozen();
DROP TRIGGER "a competition is frozen once voters were asked" ON arena_competition;
DROP FUNCTION arena_competition_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("arena", "0008_imported_votes_are_checked_by_statement")]

    operations = [
        migrations.AddField(
            model_name="competition",
            name="challenge",
            field=models.TextField(blank=True, help_text="Why it is hard: what models get wrong here."),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
