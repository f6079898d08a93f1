from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("arena", "0011_suggestions_of_visitors")]

    operations = [
        migrations.AddIndex(
            "tally", models.Index(fields=["category", "left_model", "right_model"], name="tally_category_pair")
        ),
        migrations.RemoveIndex("tally", "tally_pair"),
    ]
