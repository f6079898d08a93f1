import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

READY = ("Viewer", "Moderator", "Curator", "Operator")
APPS = ("arena", "leaderboard", "providers")
# What the groups were first made with, beside the right to view. Whatever of it a group lacks now, an operator took.
FIRST = {
    "Viewer": (),
    "Moderator": ("change_entry", "change_report", "change_suggestion", "change_vote"),
    "Curator": (
        "add_category", "change_category", "add_competition", "change_competition", "add_prompt", "change_prompt",
        "change_generation", "add_entry", "change_entry", "change_report", "change_suggestion", "change_vote",
        "add_votefile", "change_votefile", "add_importedname", "change_importedname", "delete_importedname",
    ),
    "Operator": (
        "add_imagemodel", "change_imagemodel", "add_lab", "change_lab", "add_offering", "change_offering",
        "add_apikey", "change_apikey", "view_apikey", "view_gatewayrequest",
    ),
}  # fmt: skip
UNSEEN = ("apikey", "gatewayrequest", "trial", "webhook", "delivery")


def remember(apps, schema_editor):
    """Of groups that are there: what they have, and what they once had."""
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    GivenRight = apps.get_model("arena", "GivenRight")
    ours = Permission.objects.filter(content_type__app_label__in=APPS)
    views = Q(codename__startswith="view_") & ~Q(content_type__model__in=UNSEEN)
    for group in Group.objects.filter(name__in=READY):
        given = ours.filter(views | Q(codename__in=FIRST[group.name]) | Q(group=group)).distinct()
        GivenRight.objects.bulk_create(GivenRight(group=group, permission=permission) for permission in given)


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0028_the_cap_follows_the_board"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="GivenRight",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.ForeignKey(
                    db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.group"
                )),
                ("permission", models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.permission"
                )),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "permission"), name="a right is given to a group once")
                ],
            },
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
