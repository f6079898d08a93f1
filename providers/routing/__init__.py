"""Which provider is called for an image, and how: `routing.generate(image_model, request, caller, time_limit=…)`.

generate        call the offerings of a model one after the other until all images are there
selection       what a model's name means, and its offerings in the order in which they are called
preferences     what a caller may say about the providers of one request
offering_calls  one offering called: its calls, in parallel where one brings too few images
open_jobs       jobs that a provider has accepted, stored before they are awaited
resumed_jobs    their result, where the process that awaited it died
call_log        what is recorded of each call
results         what comes back: images, attempts, their cost
"""

from providers.routing.generate import generate
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.routing.results import Attempt, DeliveredImage, Generated
from providers.routing.selection import Target, candidates, candidates_of_many, find, likely_cost
from providers.spending.costs import estimate

__all__ = [
    "NO_PREFERENCES",
    "Attempt",
    "DeliveredImage",
    "Generated",
    "Preferences",
    "Target",
    "candidates",
    "candidates_of_many",
    "estimate",
    "find",
    "generate",
    "likely_cost",
]
