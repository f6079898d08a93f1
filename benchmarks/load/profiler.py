"""Where a vote's Python time goes."""

from __future__ import annotations

import re
import tempfile
import time

from benchmarks.load.database import PAGE


def profile() -> None:
    """Where a vote's Python time goes, in this process and without a server."""
    import cProfile
    import pstats

    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    folder = tempfile.TemporaryDirectory()
    settings.STATIC_ROOT = folder.name
    call_command("collectstatic", "--noinput", verbosity=0)
    client = Client()
    waiting = re.findall(r'data-url="([^"]+)"', client.get(PAGE).content.decode())
    profiler = cProfile.Profile()

    def vote() -> None:
        nonlocal waiting
        reply = client.post(f"{waiting[0]}vote/", {"outcome": "tie"}, headers={"HX-Request": "true"})
        waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', reply.content.decode())

    for _ in range(20):
        vote()
    started = time.process_time()
    for _ in range(200):
        vote()
    took = (time.process_time() - started) / 200
    print(f"{1000 * took:.2f} ms CPU a vote, with Django's test client (without the profiler)")
    profiler.enable()
    for _ in range(300):
        vote()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
