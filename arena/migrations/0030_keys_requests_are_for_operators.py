from django.db import migrations

OTHERS = ("Viewer", "Moderator", "Curator")
SEEN_BY_OPERATORS = ("view_queuedrequest", "view_jobwebhook")


def take(apps, schema_editor):
    """What waits for the requests of API keys had no page when every ready group was given the right to view it."""
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    rights = Permission.objects.filter(content_type__app_label="providers", codename__in=SEEN_BY_OPERATORS)
    for group in Group.objects.filter(name__in=OTHERS):
        group.permissions.remove(*rights)
    apps.get_model("arena", "GivenRight").objects.filter(group__name__in=OTHERS, permission__in=rights).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0029_ready_groups_get_new_rights"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(take, migrations.RunPython.noop)]
