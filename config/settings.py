"""Settings, read top to bottom. Every difference between a laptop and a cluster is an environment variable.

`.env.example` lists the variables. Without any of them this is a safe production configuration that refuses to start
without SECRET_KEY and DATABASE_URL; `bin/demo` and `bin/test` set what they need.
"""

import importlib.resources
import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dj_database_url
import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from config.named_providers import openai_compatible

django_stubs_ext.monkeypatch()  # ModelAdmin[Prompt] at run time, not only for the type checker

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool = False) -> bool:
    value = env(name).lower()
    if value in ("", "1", "0", "true", "false", "yes", "no", "on", "off"):
        return default if not value else value in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no. Use 1 or 0.")


def env_int(name: str, default: int) -> int:
    try:
        return int(env(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a whole number.") from error


def env_decimal(name: str) -> Decimal | None:
    """An amount, None when nothing is set."""
    try:
        value = Decimal(env(name)) if env(name) else None
    except InvalidOperation as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a number.") from error
    if value is not None and not (value.is_finite() and value >= 0):
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not an amount.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


# Where we are ────────────────────────────────────────────────────────────────────────────────────────────────────────

DEBUG = env_bool("DEBUG")
DEMO = env_bool("ARENA_DEMO")  # bin/demo: says so on the pages
GATEWAY = env_bool("GATEWAY")  # this process serves the API and nothing else: config/asgi.py
VAR_DIR = Path(env("VAR_DIR") or BASE_DIR / "var")

SECRET_KEY = env("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Use bin/demo or bin/manage, or put a long random text into it.")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # the old keys while a new one is rolled out

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SITE_NAME = env("SITE_NAME", "Image Arena")
SOURCE_URL = env("SOURCE_URL")  # where this installation's source code is; the footer links to it

# TLS usually ends at the load balancer: HTTPS=1 says that browsers only ever see https.
HTTPS = env_bool("HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Behind proxies every visitor has a proxy's address; the real one is in X-Forwarded-For. How many proxies there are one
# behind the other, each of which appends to it, and from which networks they reach us: providers/clients.py.
TRUSTED_PROXY_HOPS = env_int("TRUSTED_PROXY_HOPS", 0)
TRUSTED_PROXIES = env_list("TRUSTED_PROXIES", "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7")

# What runs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "config.staticfiles.UsedStaticFiles",
    "django.contrib.postgres",
    "django_htmx",
    "csp",
    "providers",
    "arena",
    "leaderboard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.readable",
    "config.middleware.explained",
]

ROOT_URLCONF = "config.urls"
if GATEWAY:
    # An API has no pages, no cookies and no forms. Middleware would also cost each request a change of threads.
    ROOT_URLCONF = "config.gateway_urls"
    MIDDLEWARE = []
    INSTALLED_APPS = ["django.contrib.postgres", "providers"]  # 40 MB less than all of the site
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "arena.context_processors.site",
            ],
            "builtins": ["arena.templatetags.arena"],
        },
    }
]

# Strict from the first day: no inline script or style anywhere, so an injected one never runs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Postgres ────────────────────────────────────────────────────────────────────────────────────────────────────────────

if not env("DATABASE_URL"):
    raise ImproperlyConfigured("DATABASE_URL is not set. Use bin/demo or bin/manage, which bring their own Postgres.")
DATABASES = {"default": dj_database_url.parse(env("DATABASE_URL"))}
# A connection per thread is kept: opening one costs Postgres a fork (7x fewer votes/s when done per request).
DATABASES["default"]["CONN_MAX_AGE"] = None
# Server-side binding lets psycopg keep prepared statements: 2.2x more votes/s.
DATABASES["default"].setdefault("OPTIONS", {}).update({"server_side_binding": True, "prepare_threshold": 2})
# Processes of many threads share a few connections instead (0: each thread keeps its own). A thread that waits for a
# provider needs none, and one that works needs it for about a millisecond at a time: 300 threads with calls of 10 s ask
# some 200 statements a second, a fifth of one connection. Eight take the bursts; Postgres allows 100 to everybody.
# Where each thread keeps its own, the pool would only cost: 16 % of the votes per second.
if DATABASE_POOL := env_int("DATABASE_POOL", 0):
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}  # a restart of Postgres costs no answer
    from config.pool import PooledConnection

    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": DATABASE_POOL,
        "timeout": 30,
        "connection_class": PooledConnection,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Valkey and Celery ───────────────────────────────────────────────────────────────────────────────────────────────────

REDIS_URL = env("REDIS_URL", "redis://127.0.0.1:6379/0")


def _celery_broker_url(url: str) -> str:
    """Celery's name for a Unix socket differs from redis-py's: redis+socket:// against unix://."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# Rows are the queue and messages are hints (docs/architecture.md), so these only decide how quickly a lost hint heals.
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
CELERY_BEAT_SCHEDULE = {
    "dispatch": {"task": "arena.tasks.dispatch", "schedule": 2.0, "options": {"expires": 2.0}},
    "recompute": {"task": "leaderboard.tasks.recompute", "schedule": 3.0, "options": {"expires": 3.0}},
    # Beside the boards of the categories, which must not wait for them; limits its own share of the time.
    "tags": {"task": "leaderboard.tasks.refresh_tags", "schedule": 3.0, "options": {"expires": 3.0}},
    "close-dead-reservations": {
        "task": "providers.tasks.close_dead_reservations",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "recount-spending": {"task": "providers.tasks.recount_spending", "schedule": 3600.0, "options": {"expires": 600.0}},
    # Rests by itself where it would take more than a tenth of the database's time.
    "records": {"task": "leaderboard.tasks.recount_records", "schedule": 5.0, "options": {"expires": 5.0}},
    # Pauses by itself while counting is dear: providers/summaries.py.
    "keep-summaries": {"task": "providers.tasks.keep_summaries", "schedule": 20.0, "options": {"expires": 20.0}},
    # Asked every few minutes, done once a day: a clock that is restarted often, or at midnight, misses nothing.
    "snapshots": {"task": "leaderboard.tasks.take_snapshots", "schedule": 300.0, "options": {"expires": 300.0}},
    "check-tallies": {"task": "leaderboard.tasks.check_tallies", "schedule": 300.0, "options": {"expires": 300.0}},
    "playground": {"task": "providers.tasks.dispatch_trials", "schedule": 1.0, "options": {"expires": 2.0}},
    "prune-gateway": {"task": "providers.tasks.prune_gateway", "schedule": 60.0, "options": {"expires": 60.0}},
}

# Generation ──────────────────────────────────────────────────────────────────────────────────────────────────────────

GENERATION_TIME_LIMIT = env_int("GENERATION_TIME_LIMIT", 120)  # seconds for one attempt, download included
GENERATION_LEASE_GRACE = env_int("GENERATION_LEASE_GRACE", 15)  # a lease outlives its attempt by this much
GENERATION_ATTEMPTS = env_int("GENERATION_ATTEMPTS", 4)
GENERATION_BACKOFF = env_int("GENERATION_BACKOFF", 5)  # seconds before the second attempt; doubles, with jitter
BATTLE_LIFETIME = env_int("BATTLE_LIFETIME", 3600)  # seconds in which a served battle can be voted on
REPORTS_TO_HIDE = env_int("REPORTS_TO_HIDE", 3)  # voters whose reports hide an image until a curator has looked

# Providers ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# One entry is one provider as this installation reaches it: which adapter speaks to it, where it is, our key.
# A provider without a key is known (prices, pages) but never called.

ALLOW_LOOPBACK_PROVIDERS = env_bool("ALLOW_LOOPBACK_PROVIDERS")
WEBHOOK_URL = env("WEBHOOK_URL").rstrip("/")  # how the internet reaches /webhooks; providers/webhooks.py says what for
PROVIDERS: dict[str, dict[str, Any]] = {
    "fal": {
        "name": "fal",
        "adapter": "fal",
        "urls": {
            "run": env("FAL_RUN_URL", "https://fal.run"),
            "queue": env("FAL_QUEUE_URL", "https://queue.fal.run"),
            "rest": env("FAL_REST_URL", "https://rest.fal.ai"),  # takes large source images
        },
        "api_key": env("FAL_KEY"),
        "webhook_key": env("FAL_JWKS_URL", "https://rest.alpha.fal.ai/.well-known/jwks.json"),
    },
    "replicate": {
        "name": "Replicate",
        "adapter": "replicate",
        "urls": {"base": env("REPLICATE_BASE_URL", "https://api.replicate.com/v1")},
        "api_key": env("REPLICATE_API_TOKEN"),
        "webhook_key": env("REPLICATE_WEBHOOK_SECRET"),
    },
    "openai": {
        "name": "OpenAI",
        "adapter": "openai",
        "urls": {"base": env("OPENAI_BASE_URL", "https://api.openai.com/v1")},
        "api_key": env("OPENAI_API_KEY"),
    },
    "bfl": {
        "name": "Black Forest Labs",
        "adapter": "bfl",
        "urls": {"base": env("BFL_BASE_URL", "https://api.bfl.ai/v1")},
        "domains": ("bfl.ai",),  # it names the cluster that took a task, like api.eu2.bfl.ai
        "api_key": env("BFL_API_KEY"),
    },
    "gemini": {
        "name": "Google Gemini",
        "adapter": "gemini",
        "urls": {"base": env("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/v1beta")},
        "api_key": env("GEMINI_API_KEY"),
    },
}
# Whoever else speaks the Images API of OpenAI: NAME=ADDRESS, as many as wanted, with the key in <NAME>_API_KEY.
PROVIDERS |= openai_compatible(
    env("OPENAI_COMPATIBLE_PROVIDERS"), os.environ, taken=PROVIDERS, allow_loopback=ALLOW_LOOPBACK_PROVIDERS
)
# The loopback simulator speaks the real wire formats for the sample models of the demo. It is a provider of its own,
# so its answers can never be mistaken for those of the companies whose formats it speaks.
SIMULATOR_URL = env("SIMULATOR_URL")
PROVIDERS |= {
    "simulated-fal": {
        "name": "Simulator (fal's wire format)",
        "adapter": "fal",
        "urls": {place: f"{SIMULATOR_URL}/fal/{place}" for place in ("run", "queue", "rest")},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    },
    "simulated-replicate": {
        "name": "Simulator (Replicate's wire format)",
        "adapter": "replicate",
        "urls": {"base": f"{SIMULATOR_URL}/replicate/v1"},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    },
    "simulated-openai": {
        "name": "Simulator (OpenAI's wire format)",
        "adapter": "openai",
        "urls": {"base": f"{SIMULATOR_URL}/openai/v1"},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    },
    "simulated-bfl": {
        "name": "Simulator (Black Forest Labs' wire format)",
        "adapter": "bfl",
        "urls": {"base": f"{SIMULATOR_URL}/bfl/v1"},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    },
    "simulated-gemini": {
        "name": "Simulator (Gemini's wire format)",
        "adapter": "gemini",
        "urls": {"base": f"{SIMULATOR_URL}/gemini/v1beta"},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    },
}
# How much is asked of a provider at a time and per second, by all workers together: FAL_CONCURRENCY, FAL_RATE and so on
# after the provider's key. 0 is no limit. fal runs 2 requests at once for a new account and up to 40 with credit (the
# rest waits in its queue); Replicate takes 600 new predictions a minute.
_USUAL_LIMITS: dict[str, tuple[int, int]] = {"fal": (10, 0), "replicate": (20, 10), "openai": (10, 0)}
for _key, _config in PROVIDERS.items():
    _variable = _key.upper().replace("-", "_")
    _concurrency, _rate = _USUAL_LIMITS.get(_key, (0 if _config.get("simulated") else 10, 0))
    _own_rate = env_decimal(f"{_variable}_RATE")
    _config["limits"] = {
        "concurrency": env_int(f"{_variable}_CONCURRENCY", _concurrency),
        "rate": float(_rate if _own_rate is None else _own_rate),
    }

# US dollars that the calls of one day (UTC) may cost; empty is no cap. providers/spending.py says how exact it is.
DAILY_SPEND_CAP = env_decimal("DAILY_SPEND_CAP")

# The gateway (/openai/v1) ────────────────────────────────────────────────────────────────────────────────────────────

GATEWAY_ORIGIN = env("GATEWAY_ORIGIN").rstrip("/")  # where clients reach it, if that is not the host they name
GATEWAY_THREADS = env_int("GATEWAY_THREADS", 128)  # requests under way in one process; more are refused with 503
GATEWAY_TIME_LIMIT = env_int(
    "GATEWAY_TIME_LIMIT", 240
)  # seconds for each offering asked; the official clients wait 600
GATEWAY_RATE = env_int("GATEWAY_RATE", 60)  # requests a minute of a key that has no limit of its own
GATEWAY_LARGEST_REQUEST = env_int("GATEWAY_LARGEST_REQUEST", 64) * 1024 * 1024  # MB
GATEWAY_FILE_LIFETIME = env_int("GATEWAY_FILE_LIFETIME", 3600)  # seconds an image stays behind its signed address
GATEWAY_RETRY_WINDOW = env_int(
    "GATEWAY_RETRY_WINDOW", 600
)  # seconds in which a client's own retry gets the first answer

# The playground: what visitors without a key may cost. Sample models cost nothing.
PLAYGROUND_DAILY_BUDGET = env_decimal("PLAYGROUND_DAILY_BUDGET")  # US dollars a day (UTC) for all of them; empty: none
PLAYGROUND_RATE = env_int("PLAYGROUND_RATE", 12)  # tries a minute of one visitor, and thrice that of one address

# Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("fonts", str(importlib.resources.files("font_manrope") / "files")),
]
TESTING = "pytest" in sys.modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Hashed names can be cached for ever; in tests and with DEBUG, WhiteNoise serves the sources as they are.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.storage.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # every address goes through {% static %}; plain copies only cost time
MEDIA_ROOT = Path(env("MEDIA_ROOT") or VAR_DIR / "media")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Language and time ───────────────────────────────────────────────────────────────────────────────────────────────────

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},  # an INFO line per request to every provider says nothing that Call does not
        "celery.app.trace": {"level": "WARNING"},
    },
}
