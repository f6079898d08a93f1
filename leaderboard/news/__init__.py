"""What changed, for feeds, webhooks and the strip of the week: changes, their events, and deliveries."""
