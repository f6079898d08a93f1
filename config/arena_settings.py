"""The part of the settings that says how images are made, and which votes count."""

from decimal import Decimal

from config.environment import env_bool, env_decimal, env_int, env_url

GENERATION_TIME_LIMIT = env_int("GENERATION_TIME_LIMIT", 120, least=1)  # seconds for one attempt, download included
GENERATION_LEASE_GRACE = env_int("GENERATION_LEASE_GRACE", 15)  # a lease outlives its attempt by this much
GENERATION_ATTEMPTS = env_int("GENERATION_ATTEMPTS", 8, least=1)  # with the pauses between them: about ten minutes
GENERATION_BACKOFF = env_int("GENERATION_BACKOFF", 5)  # seconds before the second attempt; doubles, with jitter
# Seconds before the second, and last, attempt at an image whose first may have been paid for.
GENERATION_CHARGED_BACKOFF = env_int("GENERATION_CHARGED_BACKOFF", 420)
BATTLE_LIFETIME = env_int("BATTLE_LIFETIME", 3600, least=1)  # seconds in which a served battle can be voted on
REPORTS_TO_HIDE = env_int("REPORTS_TO_HIDE", 3, least=1)  # voters whose reports hide an image until a curator looks

# Which votes count (docs/integrity.md). 0 switches a limit off.
VOTE_NEEDS_IMAGES = env_bool("VOTE_NEEDS_IMAGES", True)  # a vote counts only if its browser loaded both images
_min_seconds = env_decimal("VOTE_MIN_SECONDS", most=3_600)  # … and not sooner after them
VOTE_MIN_SECONDS = Decimal("0.6") if _min_seconds is None else _min_seconds
SKIPS_IN_ROW = env_int("SKIPS_IN_ROW", 10)  # skips in a row, and beyond one for every two votes
NETWORK_BALLOTS = env_int("NETWORK_BALLOTS", 60)  # different first pairs that a network can look at in an hour
NETWORK_NEW_VOTERS = env_int("NETWORK_NEW_VOTERS", 30)  # of one IPv4 address, or IPv6 /64, in an hour
NETWORK_PREFIX_NEW_VOTERS = env_int("NETWORK_PREFIX_NEW_VOTERS", 120)  # of one IPv4 /24, or IPv6 /48, in an hour
NETWORK_REPORTS = env_int("NETWORK_REPORTS", 20)  # of one network in an hour
NETWORK_RETENTION_DAYS = env_int("NETWORK_RETENTION_DAYS", 35)  # after which hashes of networks are blanked
ALARM_WEBHOOK_URL = env_url("ALARM_WEBHOOK_URL")  # gets {"text": …} for every new alarm of the ledger
