"""Sharing an answered pair or a finished round: the link and its answers (`links`), the picture it shows (`card`)."""

from arena.shares.links import answer, answers, battle_of, remember, row_of, share, shown_entries

__all__ = ["answer", "answers", "battle_of", "remember", "row_of", "share", "shown_entries"]
