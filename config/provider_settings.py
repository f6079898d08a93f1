"""The part of the settings that says which providers there are, what they may do at once, and what they may cost.

One entry is one provider as this installation reaches it: which adapter speaks to it, where it is, our key.
A provider without a key is known (prices, pages) but never called.
"""

import os
from decimal import Decimal
from typing import Any

from config.environment import env, env_bool, env_choice, env_decimal, env_int, env_list, env_url
from config.named_providers import openai_compatible

ALLOW_LOOPBACK_PROVIDERS = env_bool("ALLOW_LOOPBACK_PROVIDERS")
JSON_EDIT_PROVIDERS = env_list("JSON_EDIT_PROVIDERS")  # keys of OpenAI-compatible providers whose edits are JSON
PRIVATE_NETWORK_PROVIDERS = env_list("PRIVATE_NETWORK_PROVIDERS")  # keys of providers that may be on a LAN, without TLS
WEBHOOK_URL = env_url("WEBHOOK_URL")  # how the internet reaches /webhooks; providers/webhooks says what for
PROVIDERS: dict[str, dict[str, Any]] = {
    "fal": {
        "name": "fal",
        "adapter": "fal",
        "urls": {
            "run": env_url("FAL_RUN_URL", "https://fal.run"),
            # "none": fal is asked synchronously instead of by its queue
            "queue": "" if env("FAL_QUEUE_URL") == "none" else env_url("FAL_QUEUE_URL", "https://queue.fal.run"),
            "rest": env_url("FAL_REST_URL", "https://rest.fal.ai"),  # takes large source images
            # Lists requests. Another queue's are not there, and its key is none of fal's.
            "api": env_url("FAL_API_URL", "" if env("FAL_QUEUE_URL") else "https://api.fal.ai/v1"),
        },
        "api_key": env("FAL_KEY"),
        "webhook_key": env_url("FAL_JWKS_URL", "https://rest.alpha.fal.ai/.well-known/jwks.json"),
    },
    "replicate": {
        "name": "Replicate",
        "adapter": "replicate",
        "urls": {"base": env_url("REPLICATE_BASE_URL", "https://api.replicate.com/v1")},
        "api_key": env("REPLICATE_API_TOKEN"),
        "webhook_key": env("REPLICATE_WEBHOOK_SECRET"),
    },
    "openai": {
        "name": "OpenAI",
        "adapter": "openai",
        "urls": {"base": env_url("OPENAI_BASE_URL", "https://api.openai.com/v1")},
        "api_key": env("OPENAI_API_KEY"),
    },
    "bfl": {
        "name": "Black Forest Labs",
        "adapter": "bfl",
        "urls": {"base": env_url("BFL_BASE_URL", "https://api.bfl.ai/v1")},
        "domains": ("bfl.ai",),  # it names the cluster that took a task, like api.eu2.bfl.ai
        "api_key": env("BFL_API_KEY"),
    },
    "gemini": {
        "name": "Google Gemini",
        "adapter": "gemini",
        "urls": {"base": env_url("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/v1beta")},
        "api_key": env("GEMINI_API_KEY"),
    },
}
# Other providers that speak the Images API of OpenAI: NAME=URL, any number, with the key in <NAME>_API_KEY.
PROVIDERS |= openai_compatible(
    env("OPENAI_COMPATIBLE_PROVIDERS"),
    os.environ,
    taken=PROVIDERS,
    allow_loopback=ALLOW_LOOPBACK_PROVIDERS,
    private=PRIVATE_NETWORK_PROVIDERS,
)
# The loopback simulator speaks the real wire formats for the sample models of the demo. It is a provider of its own,
# so its answers can never be mistaken for those of the companies whose formats it speaks.
SIMULATOR_URL = env_url("SIMULATOR_URL")
_SIMULATED: dict[str, tuple[str, dict[str, str]]] = {
    "fal": ("fal", {name: f"/fal/{name}" for name in ("run", "queue", "rest", "api")}),
    "replicate": ("Replicate", {"base": "/replicate/v1"}),
    "openai": ("OpenAI", {"base": "/openai/v1"}),
    "bfl": ("Black Forest Labs", {"base": "/bfl/v1"}),
    "gemini": ("Gemini", {"base": "/gemini/v1beta"}),
}
for _adapter, (_company, _paths) in _SIMULATED.items():
    PROVIDERS[f"simulated-{_adapter}"] = {
        "name": f"Simulator ({_company}'s wire format)",
        "adapter": _adapter,
        "urls": {name: f"{SIMULATOR_URL}{path}" for name, path in _paths.items()},
        "api_key": "simulated" if SIMULATOR_URL else "",
        "simulated": True,
    }
# How many requests a provider gets at once, per second and, after a quiet time, in one burst, by all workers together:
# FAL_CONCURRENCY, FAL_RATE, FAL_BURST and so on after the provider's key; 0 is no limit. FAL_PAUSE says what a 429 of
# the provider pauses: all of it ("provider"), or the model that was called ("model"), as its own limits are counted.
# fal runs up to 40 requests at once, 2 for a new account; others wait there, which would be measured like work.
# Replicate takes 600 new predictions a minute, Black Forest Labs 24 tasks at a time, OpenAI and Google count by model.
# Simulated providers are limited like those they stand for.
_DEFAULT_LIMITS: dict[str, dict[str, Any]] = {
    "fal": {"concurrency": 40 if PROVIDERS["fal"]["urls"]["queue"] else 10},
    "replicate": {"concurrency": 0, "rate": 10, "burst": 20},
    "openai": {"concurrency": 10, "pause": "model"},
    "bfl": {"concurrency": 24},
    "gemini": {"concurrency": 10, "pause": "model"},
}
for _key, _config in PROVIDERS.items():
    _variable = _key.upper().replace("-", "_")
    _defaults: dict[str, Any] = {"concurrency": 10, "rate": 0, "burst": 0, "pause": "provider"} | _DEFAULT_LIMITS.get(
        _key.removeprefix("simulated-"), {}
    )
    _rate = env_decimal(f"{_variable}_RATE")
    _config["limits"] = {
        "concurrency": env_int(f"{_variable}_CONCURRENCY", _defaults["concurrency"]),
        "rate": float(_defaults["rate"] if _rate is None else _rate),
        "burst": env_int(f"{_variable}_BURST", _defaults["burst"]),
        "pause": env_choice(f"{_variable}_PAUSE", _defaults["pause"], ("provider", "model")),
    }
# Seconds for which a visitor's request waits for these limits before a dearer provider is called instead; without
# another provider it waits for half of its time limit.
PROVIDER_MAX_WAIT = env_int("PROVIDER_MAX_WAIT", 30)

# US dollars that the calls of one day (UTC) may cost; empty is no cap. How exact: providers/spending/daily_cap.py.
DAILY_SPEND_CAP = env_decimal("DAILY_SPEND_CAP")
# US dollars that count for one image whose price nobody knows: reserved of every budget before it is requested, and
# spent until a bill says otherwise. It is never shown as a cost.
_ceiling = env_decimal("UNKNOWN_PRICE_CEILING", most=1_000)
UNKNOWN_PRICE_CEILING = Decimal("0.25") if _ceiling is None else _ceiling
