"""Programs that work with this gateway, and the two lines that each needs. Pure; a test sends what they send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Recipe:
    """`lines` have {base_url} and {model} to fill in; `request` is the body that the program sends.

    `alias`: the name of a model that is built in, for which the operator makes an alias.
    """

    program: str
    where: str
    lines: tuple[str, ...]
    request: Mapping[str, Any]
    alias: str = ""

    def text(self, base_url: str, model: str) -> str:
        return "\n".join(self.lines).replace("{base_url}", base_url).replace("{model}", model)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "Open WebUI", gettext_noop("Admin settings → Images, engine “Open AI”"),
        ("API base URL: {base_url}    API key: ia_…", "Model: {model}"),
        {"n": 1, "size": "512x512", "response_format": "b64_json"},
    ),
    Recipe(
        "LibreChat", ".env",
        ("IMAGE_GEN_OAI_BASEURL={base_url}", "IMAGE_GEN_OAI_API_KEY=ia_…"),
        {"n": 1, "size": "auto", "quality": "auto", "background": "auto", "output_format": "png"},
        alias="gpt-image-1",
    ),
    Recipe(
        "LobeChat", gettext_noop("environment"),
        ("OPENAI_PROXY_URL={base_url}", "OPENAI_API_KEY=ia_…"),
        {"n": 1, "size": "1024x1024"},
    ),
    Recipe(
        "n8n", gettext_noop("Credential “OpenAI”"),
        ("Base URL: {base_url}", "API key: ia_…"),
        {"n": 1, "quality": "hd", "size": "1792x1024", "style": "vivid", "response_format": "url"},
        alias="dall-e-3",
    ),
    Recipe(
        "LiteLLM", gettext_noop("config.yaml, below litellm_params"),
        ("model: openai/{model}", "api_base: {base_url}"),
        {"n": 1, "size": "1024x1024", "quality": "standard", "user": "someone"},
    ),
    Recipe(
        "LangChain", "Python",
        ('DallEAPIWrapper(model="{model}", openai_api_base="{base_url}",', '    openai_api_key="ia_…")'),
        {"n": 1, "size": "1024x1024", "quality": "standard"},
    ),
    Recipe(
        "AI SDK", "TypeScript",
        ('const arena = createOpenAI({ baseURL: "{base_url}", apiKey: "ia_…" });', 'arena.image("{model}")'),
        {"n": 1, "size": "1024x1024", "response_format": "b64_json"},
    ),
)  # fmt: skip
