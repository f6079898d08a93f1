"""Which model for whom: the catalogue of all models, the answer to “Which for me?”, and the search.

abilities        what a model's offerings can do: sizes, shapes, source images, parameters
catalogue        every model with price, time, rating, rights and abilities, filtered and sorted by the URL
catalogue_words  its filters in words, and its sentences
lanes            its rows under heads: rated, unrated and imported ones are never mixed
choice           what fits a buyer's limits, what would if more were known, and what is left out
lanes            the catalogue's rows under heads: rated, unrated and imported ones apart
search           models, labs and competitions by a few letters, misspelt ones too
auto             the ratings by which the gateway chooses a model that is asked for as “auto”
"""
