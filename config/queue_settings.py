"""The part of the settings about Valkey and Celery: cache, broker, and what Celery beat sends."""

from urllib.parse import parse_qs, urlsplit

from config.environment import env_url
from providers.connections import valkey_client

REDIS_URL = env_url("REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "unix"))  # rediss: with TLS


def _celery_broker_url(url: str) -> str:
    """Celery's reading of the URL differs from redis-py's: a Unix socket is redis+socket://, and it verifies the
    certificate of rediss:// only where the URL says so."""
    parts = urlsplit(url)
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parse_qs(parts.query):
        return f"{url}{'&' if parts.query else '?'}ssl_cert_reqs=required"
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


CACHES = {
    "default": {
        "BACKEND": "providers.connections.valkey_cache.ValkeyCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": valkey_client.cache_options(),
    }
}

# Rows are the queue (docs/architecture.md), so these only decide how quickly a lost task message is made up for.
CELERY_BROKER_URL = _celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": not CELERY_BROKER_URL.startswith("redis+socket"),
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "config.heartbeats:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "dispatch": {"task": "arena.tasks.dispatch", "schedule": 2.0, "options": {"expires": 2.0}},
    "recompute": {"task": "leaderboard.tasks.recompute", "schedule": 3.0, "options": {"expires": 3.0}},
    # Apart from the boards of the categories, which must not wait for them; limits its own share of the time.
    "tags": {"task": "leaderboard.tasks.refresh_tags", "schedule": 3.0, "options": {"expires": 3.0}},
    "close-dead-reservations": {
        "task": "providers.tasks.close_dead_reservations",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "recount-spending": {"task": "providers.tasks.recount_spending", "schedule": 3600.0, "options": {"expires": 600.0}},
    # Limits itself to a tenth of the database's time.
    "records": {"task": "leaderboard.tasks.recount_records", "schedule": 5.0, "options": {"expires": 5.0}},
    # Limits its own share of the time: providers/performance/summaries.py.
    "keep-summaries": {"task": "providers.tasks.keep_summaries", "schedule": 20.0, "options": {"expires": 20.0}},
    # Due every few minutes, done once a day: a beat that is restarted often, or at midnight, misses nothing.
    "snapshots": {"task": "leaderboard.tasks.take_snapshots", "schedule": 300.0, "options": {"expires": 300.0}},
    "check-votes": {"task": "arena.tasks.check_votes", "schedule": 86_400.0, "options": {"expires": 3600.0}},
    "watch-votes": {"task": "arena.tasks.watch_votes", "schedule": 5.0, "options": {"expires": 5.0}},
    # Looks only where somebody voted; a large category once an hour: arena/integrity/caps.py.
    "follow-caps": {"task": "arena.tasks.follow_caps", "schedule": 20.0, "options": {"expires": 20.0}},
    "check-integrity": {"task": "arena.tasks.check_integrity", "schedule": 600.0, "options": {"expires": 600.0}},
    "check-tallies": {"task": "leaderboard.tasks.check_tallies", "schedule": 300.0, "options": {"expires": 300.0}},
    "playground": {"task": "providers.tasks.dispatch_trials", "schedule": 1.0, "options": {"expires": 2.0}},
    "sweep-orphans": {"task": "arena.tasks.sweep_orphans", "schedule": 3600.0, "options": {"expires": 3600.0}},
    # A prompt a time: a new pipeline's images come within hours, and nobody waits for a worker meanwhile.
    "re-encode-images": {"task": "arena.tasks.re_encode_images", "schedule": 60.0, "options": {"expires": 60.0}},
    "plan-deliveries": {"task": "leaderboard.tasks.plan_deliveries", "schedule": 60.0, "options": {"expires": 60.0}},
    "send-deliveries": {"task": "leaderboard.tasks.send_deliveries", "schedule": 10.0, "options": {"expires": 10.0}},
    # Once a night would do; a beat that is restarted often misses nothing.
    "check-prices": {"task": "providers.tasks.check_prices", "schedule": 43_200.0, "options": {"expires": 3600.0}},
    "prune-gateway": {"task": "providers.tasks.prune_gateway", "schedule": 60.0, "options": {"expires": 60.0}},
    "alert": {"task": "config.operations.tasks.alert", "schedule": 60.0, "options": {"expires": 60.0}},
    "prune": {"task": "config.operations.tasks.prune", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "add-months": {
        "task": "config.operations.tasks.add_months",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600.0},
    },
}
