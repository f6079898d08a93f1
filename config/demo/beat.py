"""Celery beat without the site: it sends the names of tasks, so it need not import a single one.

    python -m config.demo.beat SCHEDULE_FILE

It leaves out the part of Celery that loads all of Django's apps, and Celery's own command line: 55 MB instead of 100.
"""

import os
import sys

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("beat", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")

if __name__ == "__main__":
    app.Beat(schedule=sys.argv[1], loglevel="WARNING", quiet=True).run()
