"""Prompts, entries, battles, votes: the facts everything else is derived from.

Postgres refuses what cannot be true: every constraint here has a test that tries its opposite. The chain of facts is
PROTECTed: nothing that was voted on can vanish; prompts, entries and models are retired instead. What Django
cannot say stands as SQL in the second migration: an entry belongs to its generation's prompt and model, and both
entries of a battle answer the battle's prompt.
"""

import arena.models.history  # noqa: F401 - registers what has a history
from arena.models.battles import Battle, Voter, VoterProgress, new_token
from arena.models.competitions import QUESTION, Category, Competition, Prompt
from arena.models.generations import Entry, Generation, SpooledImage
from arena.models.imports import ImportedName, ImportedVote, VoteFile
from arena.models.integrity import NetworkWatch, Strengths, VoterDecision, VoterWatch
from arena.models.invitations import Invitation
from arena.models.old_slugs import OldSlug
from arena.models.reports import Report
from arena.models.rights import GivenRight
from arena.models.scores import PairScores
from arena.models.shares import Share, SharedAnswer
from arena.models.suggestions import Suggestion
from arena.models.votes import ImageTally, Outcome, Tally, Vote, VoteCap

__all__ = [
    "QUESTION",
    "Battle",
    "Category",
    "Competition",
    "Entry",
    "Generation",
    "GivenRight",
    "ImageTally",
    "ImportedName",
    "ImportedVote",
    "Invitation",
    "NetworkWatch",
    "OldSlug",
    "Outcome",
    "PairScores",
    "Prompt",
    "Report",
    "Share",
    "SharedAnswer",
    "SpooledImage",
    "Strengths",
    "Suggestion",
    "Tally",
    "Vote",
    "VoteCap",
    "VoteFile",
    "Voter",
    "VoterDecision",
    "VoterProgress",
    "VoterWatch",
    "new_token",
]
