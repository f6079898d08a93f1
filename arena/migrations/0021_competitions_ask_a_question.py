"""A competition asks its voters a question. It is frozen with the criterion, but may be added where there was none."""

from django.db import migrations, models

FREEZE = """
DROP TRIGGER "a competition is frozen once voters were asked" ON arena_competition;
CREATE TRIGGER "a competition is frozen once voters were asked" BEFORE UPDATE ON arena_competition FOR EACH ROW
WHEN ((OLD.category_id, OLD.criterion, OLD.shape, coalesce(nullif(OLD.question, ''), NEW.question))
    IS DISTINCT FROM (NEW.category_id, NEW.criterion, NEW.shape, NEW.question))
EXECUTE FUNCTION arena_competition_is_frozen();
"""
FREEZE_WITHOUT = """
DROP TRIGGER "a competition is frozen once voters were asked" ON arena_competition;
CREATE TRIGGER "a competition is frozen once voters were asked" BEFORE UPDATE ON arena_competition FOR EACH ROW
WHEN ((OLD.category_id, OLD.criterion, OLD.shape) IS DISTINCT FROM (NEW.category_id, NEW.criterion, NEW.shape))
EXECUTE FUNCTION arena_competition_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("arena", "0020_pair_scores_say_who_is_provisional")]

    operations = [
        migrations.AddField(
            model_name="competition",
            name="question",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="What voters are asked, such as “Which one has the words right?”; empty: “Which is better?”",
                max_length=60,
            ),
        ),
        migrations.AddField(
            model_name="historicalcompetition",
            name="question",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="What voters are asked, such as “Which one has the words right?”; empty: “Which is better?”",
                max_length=60,
            ),
        ),
        migrations.AddConstraint(
            model_name="competition",
            constraint=models.CheckConstraint(
                condition=models.Q(("question", ""), ("question__endswith", "?"), _connector="OR"),
                name="a question ends with a question mark",
            ),
        ),
        migrations.RunSQL(FREEZE, FREEZE_WITHOUT),
    ]
