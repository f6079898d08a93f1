"""The Celery application: `celery -A config worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("arena")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _monitor(**_: Any) -> None:
    from config import monitoring

    monitoring.start("worker")


@app.on_after_configure.connect
def _report(**_: Any) -> None:
    import config.heartbeats  # noqa: F401 - connects its signals; needs the settings
