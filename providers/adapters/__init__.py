"""One file per provider's wire format, one line here. `settings.PROVIDERS` says which adapter an account uses."""

from .base import Adapter
from .bfl import BlackForestLabs
from .fal import Fal
from .gemini import Gemini
from .openai_compatible import OpenAICompatible
from .replicate import Replicate

ADAPTERS: dict[str, Adapter] = {
    "fal": Fal(),
    "replicate": Replicate(),
    "openai": OpenAICompatible(),
    "bfl": BlackForestLabs(),
    "gemini": Gemini(),
}
