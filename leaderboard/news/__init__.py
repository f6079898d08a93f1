"""What changed, for feeds, webhooks and the strip of the week: changes, their events, and deliveries.

changes     what changed in the last week
movements   what moved between two looks at a board; pure
events      what happened, each event with a key that never changes
feeds       events as a feed reader follows them, newest first
deliveries  webhooks: planned from events, sent until they are taken
"""
