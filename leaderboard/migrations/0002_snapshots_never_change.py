"""A snapshot is a record: Postgres itself refuses to change or delete one, whoever asks.

TRUNCATE stays possible, for a restore into an empty database and for tests; it cannot be done by accident to one row.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION leaderboard_snapshot_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a snapshot never changes' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER "a snapshot never changes" BEFORE UPDATE OR DELETE ON leaderboard_snapshot
FOR EACH ROW EXECUTE FUNCTION leaderboard_snapshot_never_changes();
"""
DROP = """
DROP TRIGGER "a snapshot never changes" ON leaderboard_snapshot;
DROP FUNCTION leaderboard_snapshot_never_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("leaderboard", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
