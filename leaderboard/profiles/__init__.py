"""What a model's page shows, a file per question it answers. Nothing here writes, and nothing is said without data.

landscape     where the model stands between Elo and cost, and between Elo and speed
matchups      whom it met, and how that went
competitions  how it did in each competition, with its images
sellers       who sells it, at what price
speed         how quick and reliable its providers are
reference     what its API takes, and in which sizes it answers          (pure)
questions     what people ask about a model, answered from the above     (pure)
profile       all of it as one value, in a number of queries that no amount of data changes
"""
