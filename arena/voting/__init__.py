"""Votes: cast by one statement; what it moves is recounted nightly (`recount`)."""

from arena.voting.vote_statement import CastVote, cast, cast_vote, explain, parameters

__all__ = ["CastVote", "cast", "cast_vote", "explain", "parameters"]
