"""Which provider is asked for an image, and asking it: `routing.generate(image_model, request, caller, time_limit=…)`.

generate   ask the offerings of a model one after the other until all images are there
preferences  what a caller says about the providers of one request
selection  what a model's name means, and its offerings in the order in which they are asked
sending    one offering asked: its calls, in parallel where one brings too few images
call_log   what is recorded of each call
results    what comes back: images, attempts, their cost
"""

from providers.routing.generate import generate
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.routing.results import Attempt, DeliveredImage, Generated
from providers.routing.selection import Target, candidates, find, likely_cost
from providers.spending.costs import estimate

__all__ = [
    "NO_PREFERENCES",
    "Attempt",
    "DeliveredImage",
    "Generated",
    "Preferences",
    "Target",
    "candidates",
    "estimate",
    "find",
    "generate",
    "likely_cost",
]
