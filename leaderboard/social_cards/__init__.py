"""Pictures of the site for other sites: what a link shows where it is shared, badges, embeds.

board      the card of a board: the verdict over five intervals, or one prompt as every model answered it
model      the card of a model: name, place, Elo, price and two of its images
ranking    the card of a shared ranking
pair       a pair that is voted on now, blind, as one image
badge      SVG: a model's badge, a board's first rows, with interval and date
icon       the site's mark for home screens
canvas     what all cards share: size, ground, mark, pictures with round corners, the file
lettering  text on pictures: typefaces by the characters they have, shaped and in order
"""
