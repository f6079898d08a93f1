"""What a model's page shows, a file per question it answers. Nothing here writes, and nothing is said without data.

model            all of it read, in a number of queries that no amount of data changes
profile          all of it as one value; what costs more is computed when first read
standing_words   its places and what they rest on, in words
notes            what its standing comes to: claims with their evidence
scatter          where it stands between Elo and cost, and between Elo and speed
head_to_head     whom it met, and how that went
opponents        what its best and worst images stand against
competitions     how it did in each competition, with its images
watched          whether it changed, and whether its providers differ
offerings        who sells it, at what price
provider_rows    its providers, a row each
speed            how quick and reliable they are
parameters       what its API takes, and in which sizes it answers          (pure)
parameter_words  what the shipped catalogue says its parameters mean, for translators
faq              what people ask about it, answered from the above          (pure)
family           its family, as far as names tell it                        (pure)
json_ld          structured data
lab              a lab's page
provider         a provider's page
"""
