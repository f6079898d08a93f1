"""A battle's page, as templates get it: the pair before its vote, names and places after it, the card of a round.

page             the voting page and its fragment: which conditions and texts the templates get
prompt_markup    a prompt with its quoted words as checkboxes
reveal           what the page shows after the vote
reveal_registry  what another app adds to that: places, how others see the pair, links to the boards
round_card       what a finished round of five votes shows
fragments        templates rendered once per combination of their conditions, filled by joining strings
"""
