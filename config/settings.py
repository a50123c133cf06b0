"""All settings, read top to bottom; what differs between installations comes from the environment.

Every key begins with HATCHWAY_, except DATABASE_URL. A secret NAME may also be given as a file in
NAME_FILE. Wrong values stop the start and name their key (config/env.py, config/checks.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import dj_database_url

from config.env import (
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_map,
    env_secret,
    env_str,
)
from config.origins import host_of, parse_origin
from config.vite import is_immutable

BASE_DIR = Path(__file__).resolve().parent.parent

INSECURE_SECRET_KEY = "hatchway-insecure-key-for-tests-and-builds-only-never-for-serving"  # noqa: S105
"""Lets `makemigrations`, `collectstatic` and the tests run; config.E001 keeps it from serving."""


def _version() -> str:
    heading = re.search(r"^## (\S+)", (BASE_DIR / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None, "CHANGELOG.md has no version heading"
    return heading[1]


VERSION = _version()

# What this process is

DEBUG = env_bool("HATCHWAY_DEBUG", False)
HATCHWAY_DEMO = env_bool("HATCHWAY_DEMO", False)
"""Tells the pages that accounts and cluster are for show. Loosens nothing but `localhost`."""
HATCHWAY_PORT = env_int("HATCHWAY_PORT", 8000, least=1, most=65535)
SECRET_KEY = env_secret("HATCHWAY_SECRET_KEY", INSECURE_SECRET_KEY)
SECRET_KEY_FALLBACKS = list(env_list("HATCHWAY_SECRET_KEY_FALLBACKS"))

# Where it may be reached

_LOOPBACK_NAMES = ("127.0.0.1", "localhost") if DEBUG or HATCHWAY_DEMO else ("127.0.0.1",)
HATCHWAY_ORIGINS = tuple(
    parse_origin(origin, key="HATCHWAY_ORIGINS")
    for origin in env_list(
        "HATCHWAY_ORIGINS", tuple(f"http://{name}:{HATCHWAY_PORT}" for name in _LOOPBACK_NAMES)
    )
)
ALLOWED_HOSTS = list(
    env_list(
        "HATCHWAY_ALLOWED_HOSTS",
        tuple(dict.fromkeys(host_of(origin) for origin in HATCHWAY_ORIGINS)),
    )
)
HATCHWAY_TRUSTED_PROXIES = env_list("HATCHWAY_TRUSTED_PROXIES")
"""Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
HTTPS = any(origin.startswith("https://") for origin in HATCHWAY_ORIGINS)
CSRF_TRUSTED_ORIGINS = list(HATCHWAY_ORIGINS)

ASGI_APPLICATION = "config.asgi.application"
ROOT_URLCONF = "config.urls"

INSTALLED_APPS = [
    "daphne",
    "config.apps.HatchwayAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "config.apps.CompositionConfig",
    "access",
    "targets",
    "terminal",
]

MIDDLEWARE = [
    "config.static.StaticFilesMiddleware",
    "config.api_methods.json_not_allowed",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.csrf.StrictCsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

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
            ],
        },
    },
]

# Storage

DATABASES = {
    "default": dj_database_url.parse(
        env_secret("DATABASE_URL", f"sqlite:///{BASE_DIR / 'hatchway.sqlite3'}"),
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on while one writes; IMMEDIATE takes the write lock at the beginning of
    # a transaction, where waiting for it is possible, instead of failing in its middle. A
    # connection serves one call and is closed, so it reads the 2 MB that it would keep of a
    # database only once; but each thread that ever asked would go on holding as much memory.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 5,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;"
        ),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

HATCHWAY_REDIS_URL = env_secret("HATCHWAY_REDIS_URL")
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [HATCHWAY_REDIS_URL],
                "prefix": "hatchway",
                "symmetric_encryption_keys": [SECRET_KEY],
            },
        }
        if HATCHWAY_REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

# Accounts, cookies, forms

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/sign-in"
SESSION_COOKIE_NAME = "__Host-hatchway_session" if HTTPS else "hatchway_session"
SESSION_COOKIE_AGE = env_int("HATCHWAY_LOGIN_SECONDS", 12 * 3600, least=300)
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_NAME = "hatchway_csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = False
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
"""Bytes of one request body: the largest real one is a form of the admin site."""
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Headers of every response (config/headers.py)

SECURE_HSTS_SECONDS = env_int("HATCHWAY_HSTS_SECONDS", 0)

# Pages and static files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable
HATCHWAY_FRONTEND = BASE_DIR / "static" / "dist"
HATCHWAY_VITE_SERVER = env_str("HATCHWAY_VITE_SERVER")
"""Address of a running Vite server, for development only (config.E006)."""

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# Clusters

HATCHWAY_KUBECONFIG = env_list("HATCHWAY_KUBECONFIG")
"""Paths of kubeconfigs; every context in them becomes a cluster."""
HATCHWAY_KUBECONFIG_UNTRUSTED = env_list("HATCHWAY_KUBECONFIG_UNTRUSTED")
"""Paths of kubeconfigs that others wrote: one that names a program or a file is left out."""
HATCHWAY_IN_CLUSTER = env_bool("HATCHWAY_IN_CLUSTER", False)
HATCHWAY_IDENTITY = env_choice("HATCHWAY_IDENTITY", ("service-account", "impersonate"))
"""As whom a cluster sees a person: Hatchway's own account, or the person (impersonation)."""
HATCHWAY_CLUSTER_IDENTITIES = env_map("HATCHWAY_CLUSTER_IDENTITIES")
"""The same for single clusters: name=impersonate,other=service-account."""
HATCHWAY_DEBUG_IMAGES = env_list("HATCHWAY_DEBUG_IMAGES", ("busybox:1.36",))
"""Images that a debug container may have; the first one is offered."""

# Limits

HATCHWAY_DETACH_GRACE_SECONDS = env_int("HATCHWAY_DETACH_GRACE_SECONDS", 600, most=86400)
"""How long a session waits for its owner to come back."""
HATCHWAY_IDLE_SECONDS = env_int("HATCHWAY_IDLE_SECONDS", 0, most=604800)
"""How long a session may go without input; 0 for ever."""
HATCHWAY_MAX_SECONDS = env_int("HATCHWAY_MAX_SECONDS", 86400, least=60, most=604800)
"""How long a session may last at all."""
HATCHWAY_SESSIONS_PER_PERSON = env_int("HATCHWAY_SESSIONS_PER_PERSON", 20, least=1, most=1000)
HATCHWAY_SOCKETS_PER_PERSON = env_int("HATCHWAY_SOCKETS_PER_PERSON", 40, least=1, most=2000)
"""Open sockets of one person in one process: a full set of sessions, with a tree beside each."""
HATCHWAY_SOCKETS = env_int("HATCHWAY_SOCKETS", 2000, least=1)
"""Open sockets of all persons in one process."""
HATCHWAY_TICKETS_PER_PERSON = env_int("HATCHWAY_TICKETS_PER_PERSON", 60, least=1, most=1000)
"""Unused tickets of one person: one for each socket, and a retry for some."""
HATCHWAY_NICENESS = env_int("HATCHWAY_NICENESS", -5, least=-20, most=0)
"""What the server asks of the kernel's scheduler, where it may (root, CAP_SYS_NICE); 0: nothing."""
HATCHWAY_CONTACT = env_str("HATCHWAY_CONTACT")
"""Whom to ask for a grant where no grant names an owner."""

# Logging: one JSON object per line on stderr

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.log.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "uvicorn": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Without a handler uvicorn writes no access log; --no-access-log is undone by this table.
        "uvicorn.access": {"handlers": [], "propagate": False},
        "daphne": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
