"""The blindness audit: plays a voter, keeps every byte that came before the vote, and tries to name the models by it.

`observed` (what was received) ← `browser` and `play` (the voter) → `rules` (what must never be) and `classifier` (what
must not help to name a model) → `report`. Everything but `browser`, `play` and `site` is pure. docs/blindness.md says
what counts as picture content, and what a failed and a passed audit mean.
"""
