"""Choosing who is asked for an image, and asking: the face of the package.

generate   find a model by its name, order its offerings, ask them one after the other
sending    one offering asked: its requests, sent in parallel where one brings too few images
call_log   what is recorded of each request
results    what comes back: images, attempts, what they cost
"""

from providers.routing.generate import Target, candidates, find, generate, likely_cost
from providers.routing.results import Attempt, Delivered, Generated
from providers.spending.costs import estimate

__all__ = ["Attempt", "Delivered", "Generated", "Target", "candidates", "estimate", "find", "generate", "likely_cost"]
