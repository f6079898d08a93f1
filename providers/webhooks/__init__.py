"""Webhooks that providers send, and those that the site sends.

views       POST /webhooks/<provider>/: what a provider reports about a job
signatures  whether it is from that provider; pure
outgoing    attempts to deliver those of the gateway's jobs and of the leaderboard's news
"""
