"""What is derived from votes and stored, and who derives it.

pair_counts      votes by left model, right model and outcome: what boards are fitted from
pair_key         such a cell as one integer, in SQL and in numpy
raw_votes        single votes as arrays, for clustered intervals
prompt_tallies   how models met and scored on each prompt
computed         a board before it is stored
ratings          recomputes and stores boards whose tallies moved
by_tag           boards of the prompts with one tag
overall          the board of all categories together
standings        what pages ask about ratings
summaries        which boards there are, and what those without ratings wait for
head_to_head     two models: what ratings expect, and how they met
image_records    how each model's image of each prompt did
snapshots        boards at permanent URLs, hash-chained, never changed
history          what snapshots say about a model over time
published_votes  every vote as CSV
register         every model that was ever voted on
drift_watch      newer images of hosted models against older ones
parity           one model through two providers
ledger           boards beside what they would be with votes that do not count
health           whether boards say what the votes say
place_words      places in the reader's language
translation      sentences of `rating` in the reader's language
"""
