"""A battle's page, as templates get it: the pair before its vote, names and places after it, the card of a round."""
