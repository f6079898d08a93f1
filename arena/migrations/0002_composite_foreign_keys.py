"""Foreign keys over two and three columns, which Django cannot declare.

They make it impossible for an entry to claim another prompt or model than its generation's, and for a battle to show
an image that answers another prompt.
"""

from django.db import migrations

FOREIGN_KEYS = {
    "entry answers its generation's prompt with its model": (
        "arena_entry",
        "(generation_id, prompt_id, image_model_id)",
        "arena_generation (id, prompt_id, image_model_id)",
    ),
    "left answers the battle's prompt": ("arena_battle", "(left_id, prompt_id)", "arena_entry (id, prompt_id)"),
    "right answers the battle's prompt": ("arena_battle", "(right_id, prompt_id)", "arena_entry (id, prompt_id)"),
}


class Migration(migrations.Migration):
    dependencies = [("arena", "0001_initial")]

    operations = [
        migrations.RunSQL(
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" FOREIGN KEY {columns} REFERENCES {target}',
            f'ALTER TABLE {table} DROP CONSTRAINT "{name}"',
        )
        for name, (table, columns, target) in FOREIGN_KEYS.items()
    ]
