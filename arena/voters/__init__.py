"""Who votes: an anonymous browser, known by a signed cookie; how far it has come; what is stored about it."""

from arena.voters.cookie import COOKIE, current, named, remember

__all__ = ["COOKIE", "current", "named", "remember"]
