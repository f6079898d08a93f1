"""What a model's page tells, a file per question it answers. Nothing here writes, and nothing is said without data.

    landscape   where the model stands between Elo and cost, and between Elo and speed
    matchups    whom it met, and how that went
    results     how it did in each competition, with its images
    speed       how quick and reliable its providers are
    sellers     who sells it, at what price
    reference   what its API takes, and in which sizes it answers     (pure)
    examples    code that asks for an image of it                     (pure)
    questions   what people ask about a model, answered from the above (pure)
"""
