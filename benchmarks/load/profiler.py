"""Where a vote's Python time goes."""

from __future__ import annotations

import re

from benchmarks.load.database import PAGE


def profile() -> None:
    """Where a vote's Python time goes, in this process and without a server."""
    import cProfile
    import pstats

    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    waiting = re.findall(r'data-url="([^"]+)"', client.get(PAGE).content.decode())
    profiler = cProfile.Profile()
    for number in range(320):
        if number == 20:
            profiler.enable()
        reply = client.post(f"{waiting[0]}vote/", {"outcome": "tie"}, headers={"HX-Request": "true"})
        waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', reply.content.decode())
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
