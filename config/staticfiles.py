"""Which static files of installed packages are collected: not those that no page uses."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class UsedStaticFiles(StaticFilesConfig):
    """Compressing takes longer than anything else in the first start, so it pays to leave things out."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "Manrope-[A-U]*.ttf",  # the pages use the variable font alone
        "OFL.txt",
        "htm*x-4*",  # django-htmx brings two major versions of htmx; we use the other one
        "*.map",
    ]
