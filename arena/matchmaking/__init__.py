"""Which two images a voter meets next: the pool of what can be asked, and the draw from it. Pure."""

from arena.matchmaking.draw import CHECK_SHARE, NOTHING_MET, Draw, draw
from arena.matchmaking.pool import Candidate, Pair, Pool, Table

__all__ = ["CHECK_SHARE", "NOTHING_MET", "Candidate", "Draw", "Pair", "Pool", "Table", "draw"]
