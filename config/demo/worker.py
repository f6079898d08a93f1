"""A Celery worker with beat in a thread of its own: one process less, which had half of Celery for itself.

    python -m config.demo.worker SCHEDULE_FILE [the worker's own arguments]

Many workers need one beat, so in production it is a process (`celery -A config beat`). Celery's own `-B` would fork
one. When beat ends by a fault of its own, so does the worker, and the demo's supervisor starts both again.
"""

import logging
import os
import signal
import sys
import threading
from typing import Any

from celery.beat import Service
from celery.signals import worker_ready, worker_shutting_down

from config.celery import app

log = logging.getLogger(__name__)


class BeatThread(threading.Thread):
    def __init__(self, schedule: str) -> None:
        super().__init__(name="beat", daemon=True)
        # Named here: Celery's Service ignores the setting that its command reads.
        self.service = Service(app, schedule_filename=schedule, scheduler_cls=app.conf.beat_scheduler)

    def run(self) -> None:
        try:
            self.service.start(embedded_process=False)
        except Exception:
            log.exception("Beat has stopped")
        if not stopping.is_set():
            os.kill(os.getpid(), signal.SIGTERM)


stopping = threading.Event()

if __name__ == "__main__":
    beat = BeatThread(sys.argv.pop(1))

    @worker_ready.connect
    def start(**_: Any) -> None:
        beat.start()

    @worker_shutting_down.connect
    def stop(**_: Any) -> None:
        stopping.set()
        beat.service.stop()

    app.worker_main(["worker", *sys.argv[1:]])
