"""Beside our time of a call stands the provider's own. The index that summaries read gets that column, without a lock
that stops calls from being recorded: hence no transaction."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("providers", "0010_what_caps_count_of_a_call"),
    ]

    operations = [
        migrations.AddField(
            model_name="callsummary",
            name="provider_p50",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="callsummary",
            name="provider_timed",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="With a time of the provider's own."),
        ),
        AddIndexConcurrently(
            model_name="call",
            index=models.Index(
                models.F("offering"),
                models.OrderBy(models.F("started_at"), descending=True),
                include=("outcome", "duration", "ttfb", "provider_time", "n", "ends_request"),
                name="call_offering_times",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="call",
            name="call_offering_recent",
        ),
    ]
