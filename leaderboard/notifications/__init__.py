"""Webhooks: which events there are since when, and their delivery."""
