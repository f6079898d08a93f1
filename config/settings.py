"""Settings, read top to bottom, with three parts in files of their own: what makes images and which votes count
(`arena_settings`), providers (`provider_settings`), Valkey and Celery (`queue_settings`).

Every difference between a laptop and a cluster is an environment variable.

`.env.example` lists the variables. Without any of them this is a safe production configuration that refuses to start
without SECRET_KEY and DATABASE_URL; `bin/demo` and `bin/test` set what they need.
"""

import importlib.resources
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from config.arena_settings import *  # noqa: F403 - parts of this file
from config.environment import env, env_bool, env_choice, env_decimal, env_int, env_list, env_networks, env_url
from config.provider_settings import *  # noqa: F403
from config.queue_settings import *  # noqa: F403

django_stubs_ext.monkeypatch()  # ModelAdmin[Prompt] at run time, not only for the type checker

BASE_DIR = Path(__file__).resolve().parent.parent


# Where we are ────────────────────────────────────────────────────────────────────────────────────────────────────────

DEBUG = env_bool("DEBUG")
DEMO = env_bool("ARENA_DEMO")  # bin/demo: says so on the pages
PAGE_THREADS = env_int("PAGE_THREADS", 2, least=1)  # of each process; each has a database connection
PAGE_TIMEOUT = env_int("PAGE_TIMEOUT", 30, least=1)  # seconds until a page that is not ready becomes a 503
ADMIN_LARGEST_REQUEST = env_int("ADMIN_LARGEST_REQUEST", 64, least=1) * 1024 * 1024  # MB: files that curators upload
VAR_DIR = Path(env("VAR_DIR") or BASE_DIR / "var")
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

SECRET_KEY = env("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. Use bin/demo or bin/manage, or put a long random text into it.")
if len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 8:
    raise ImproperlyConfigured("SECRET_KEY is too weak. Use at least 32 random characters: it signs voters' cookies.")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # the old keys while a new one is rolled out

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SITE_NAME = env("SITE_NAME", "Image Arena")
SOURCE_URL = env_url("SOURCE_URL")  # where this installation's source code is; the footer links to it
SECURITY_CONTACT = env("SECURITY_CONTACT")  # in /.well-known/security.txt, which is not there without it
if not re.fullmatch(r"((https://|mailto:)\S+)?", SECURITY_CONTACT):
    raise ImproperlyConfigured("SECURITY_CONTACT is not a URL. Begin it with https:// or mailto:.")

# TLS usually ends at the load balancer: HTTPS=1 says that browsers only ever see https.
HTTPS = env_bool("HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Browsers remember HSTS for as long as it says; including sibling hosts and preloading are decisions of their own.
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env_bool("HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env_bool("HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # which ask for these two on every host
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Behind proxies every visitor has a proxy's IP address; the real one is in X-Forwarded-For. How many proxies there are
# one behind the other, each of which appends to it, and from which networks they come: providers/web/client_address.py.
TRUSTED_PROXY_HOPS = env_int("TRUSTED_PROXY_HOPS", 0)
TRUSTED_PROXIES = env_networks(
    "TRUSTED_PROXIES", "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
)

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
    "simple_history",
    "providers",
    "arena",
    "leaderboard",
    "config.operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.CompressedPages",
    "config.staff.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.staff.Users",
    "config.staff.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.translations.middleware.of_reader",
    "config.middleware.readable",
    "config.middleware.explained",
    "config.middleware.DatabaseOutage",
]

SIMPLE_HISTORY_REVERT_DISABLED = True  # old states are to be read: what voters relied on is frozen
# A one-time password beside the password of the admin: devices are made with manage.py add_totp.
ADMIN_TOTP = env_bool("ADMIN_TOTP")
if ADMIN_TOTP:
    INSTALLED_APPS += ["django_otp", "django_otp.plugins.otp_totp"]
    _after = MIDDLEWARE.index("config.staff.Users") + 1
    MIDDLEWARE.insert(_after, "django_otp.middleware.OTPMiddleware")
    OTP_TOTP_ISSUER = SITE_NAME

ROOT_URLCONF = "config.urls"

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
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "arena.templatetags.arena",
                "providers.templatetags.providers",
            ],
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
_POSTGRES = ("postgresql", "postgres", "pgsql")  # constraints and triggers are PostgreSQL's
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(env_url("DATABASE_URL", schemes=_POSTGRES))}
# A connection per thread stays open: opening one costs Postgres a fork (7x fewer votes/s when done per request).
DATABASES["default"]["CONN_MAX_AGE"] = None
_options: dict[str, Any] = DATABASES["default"].setdefault("OPTIONS", {})
# Nothing waits without a bound, except management commands such as import_votes: only the operator knows how long is
# too long there. config/asgi.py says that it is "web".
_PROGRAM = Path(sys.argv[0]).as_posix()
PROCESS = env("ARENA_PROCESS") or ("worker" if "celery" in _PROGRAM or "worker" in _PROGRAM else "command")
_statement, _lock, _idle = {  # seconds: a statement, waiting for a lock, a transaction doing nothing; 0: no limit
    "web": (20, 5, 30),
    "worker": (300, 30, 300),
    "command": (0, 15 if "migrate" in sys.argv else 0, 0),
}[PROCESS]
_options.setdefault("connect_timeout", env_int("DATABASE_CONNECT_TIMEOUT", 5, least=1))
_options |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# Keepalives are not sent while a statement is on its way: a machine that was cut off waited a quarter of an hour.
_options["tcp_user_timeout"] = 30_000  # milliseconds
DATABASE_POOLER = env_bool("DATABASE_POOLER")
if DATABASE_POOLER:
    # PgBouncer in transaction mode: every transaction may reach another server process, so nothing may outlive one:
    # no prepared statements, no server-side cursors, and no options at connecting. The role carries the timeouts.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    _options |= {"prepare_threshold": None, "server_side_binding": False}
else:
    # Server-side binding lets psycopg prepare statements once: 2.2x more votes/s.
    _options |= {"prepare_threshold": 2, "server_side_binding": True}
    _parameters = {
        "statement_timeout": env_int("DATABASE_STATEMENT_TIMEOUT", _statement),
        "lock_timeout": env_int("DATABASE_LOCK_TIMEOUT", _lock),
        "idle_in_transaction_session_timeout": _idle,
    }
    _flags = [f"-c {name}={seconds}s" for name, seconds in _parameters.items() if seconds]
    _options["options"] = " ".join([*filter(None, [_options.get("options")]), *_flags])
# Threads that wait for providers share a few connections instead. A waiting one needs none, and a working one needs it
# for about a millisecond at a time: 300 threads with calls of 10 s send some 200 statements a second, a fifth of one
# connection. Eight take the bursts; Postgres allows 100 to everybody. Where each thread has its own – those of pages –,
# the pool would only cost: 16 % of the votes per second.
DATABASE_POOL = env_int("DATABASE_POOL", 8 if PROCESS == "web" else 0)
SHARED_CONNECTIONS: dict[str, Any] | None = (
    None  # in "web": of the gateway's threads alone, see providers/connections/database.py
)
if DATABASE_POOL:
    from config.pool import PooledConnection

    # Twice what connecting may take, in seconds: a restart of Postgres is waited out, its absence is an error soon.
    _wait = 2 * int(_options["connect_timeout"])
    # A worker that is killed while it waits for one, with a job that a provider just accepted, buys its image again:
    # there all are open beforehand. Web processes have nothing to lose, and open them as they need them.
    _ready = DATABASE_POOL if PROCESS == "worker" else 1
    _pool = {"min_size": _ready, "max_size": DATABASE_POOL, "timeout": _wait, "connection_class": PooledConnection}
    # A restart of Postgres costs no request: connections are checked when they are lent.
    SHARED_CONNECTIONS = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": {"pool": _pool}}
    if PROCESS != "web":
        DATABASES["default"].update(CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=True, OPTIONS=_options | {"pool": _pool})
        SHARED_CONNECTIONS = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Operations ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# What needs a person goes there: a webhook that takes {"text": …}, addresses of mail (config/operations/alerts.py).
ALERT_WEBHOOK_URL = env_url("ALERT_WEBHOOK_URL")
ALERT_EMAIL = env_list("ALERT_EMAIL")
_mail = urlsplit(env_url("EMAIL_URL", "smtp://localhost:25", schemes=("smtp", "smtp+tls", "smtps")))  # +tls: STARTTLS
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _mail.hostname, _mail.port or (465 if _mail.scheme == "smtps" else 587), 10
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp+tls"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("EMAIL_FROM", "arena@localhost")

# Errors and traces, where their packages are installed (config/monitoring.py).
SENTRY_DSN = env_url("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env_url("OTEL_EXPORTER_OTLP_ENDPOINT")

METRICS_TOKEN = env("METRICS_TOKEN")  # opens /metrics; empty: there is none

# Days after which rows that nobody will ask for again are deleted (config/operations/retention.py).
RETENTION = {
    "unanswered battles": env_int("RETENTION_UNANSWERED_BATTLES", 30, least=1),
    "voters without battles": env_int("RETENTION_VOTERS", 60, least=1),
    "API requests": env_int("RETENTION_API_REQUESTS", 400, least=1),
}

# The gateway (/openai/v1) ────────────────────────────────────────────────────────────────────────────────────────────

GATEWAY_ORIGIN = env_url("GATEWAY_ORIGIN")  # where clients reach it, if that is not the host they name
GATEWAY_THREADS = env_int("GATEWAY_THREADS", 128, least=1)  # requests at once in one process; more get 503
GATEWAY_TIME_LIMIT = env_int("GATEWAY_TIME_LIMIT", 240, least=1)  # seconds per offering; the official clients wait 600
GATEWAY_RATE = env_int("GATEWAY_RATE", 60, least=1)  # requests a minute of a key that has no limit of its own
GATEWAY_LARGEST_REQUEST = env_int("GATEWAY_LARGEST_REQUEST", 64, least=1) * 1024 * 1024  # MB
GATEWAY_FILE_LIFETIME = env_int("GATEWAY_FILE_LIFETIME", 3600, least=1)  # seconds an image stays at its signed URL
GATEWAY_RETRY_WINDOW = env_int("GATEWAY_RETRY_WINDOW", 600)  # seconds in which a retry gets the first response

# The playground: what visitors without a key may cost. Sample models cost nothing.
PLAYGROUND_DAILY_BUDGET = env_decimal("PLAYGROUND_DAILY_BUDGET")  # US dollars a day (UTC) for all of them; empty: none
PLAYGROUND_RATE = env_int("PLAYGROUND_RATE", 12, least=1)  # tries a minute of a visitor, thrice that of an IP address

# Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("fonts", str(importlib.resources.files("font_manrope") / "files")),
]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.subset_font.SubsetFontFinder",
]
TESTING = "pytest" in sys.modules
# Images: a folder (MEDIA_ROOT), or object storage.
STORAGE_URL = env("STORAGE_URL")
_images: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
if STORAGE_URL:
    try:
        from config import object_storage
    except ImportError as error:
        raise ImproperlyConfigured("STORAGE_URL needs boto3: pip install 'django-storages[s3]'") from error
    _images = {"BACKEND": "config.object_storage.ObjectStorage", "OPTIONS": object_storage.options_of(STORAGE_URL)}
# Where nginx finds stored files by X-Accel-Redirect; empty: web processes read them. docs/deployment.md has its side.
STORAGE_ACCEL = env("STORAGE_ACCEL")
STORAGES = {
    "default": _images,
    "staticfiles": {
        # Hashed names can be cached for ever; in tests and with DEBUG, WhiteNoise serves the sources themselves.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.storage.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # every URL goes through {% static %}; plain copies only cost time
MEDIA_URL = "admin/arena/entry/files/"  # for staff; what the public sees has URLs of its own
MEDIA_ROOT = Path(env("MEDIA_ROOT") or VAR_DIR / "media")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Language and time ───────────────────────────────────────────────────────────────────────────────────────────────────

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # by their own names; which pages: config/translations/middleware.py
FORMAT_MODULE_PATH = "config.translations.formats"
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_TZ = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMAT = env_choice("LOG_FORMAT", "line", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "from outside": {"()": "config.logs.FromOutside"},
        "repeated": {"()": "config.logs.Repeated"},
        "shortened": {"()": "config.logs.Shortened"},
        "context": {"()": "config.logs.Context"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s%(context)s"},
        "json": {"()": "config.logs.JsonLines"},
    },
    "handlers": {
        "stderr": {
            "class": "config.logs.Stderr",
            "formatter": LOG_FORMAT,
            "filters": ["from outside", "repeated", "shortened", "context"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env_choice("LOG_LEVEL", "INFO", _LEVELS)},
    "loggers": {
        "httpx": {"level": "WARNING"},  # an INFO line per request to every provider says nothing that Call does not
        "celery.app.trace": {"level": "WARNING"},
    },
}
