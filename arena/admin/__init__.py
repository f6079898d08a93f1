"""Where curators work: competitions and prompts, asking the models, watching progress, retiring what is broken."""

from arena.admin import competitions, images, integrity, invitations, prompts, suggestions, votes

__all__ = ["competitions", "images", "integrity", "invitations", "prompts", "suggestions", "votes"]
