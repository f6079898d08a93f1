"""Competitions as pages show them.

overview    the list with its filters, and each prompt's images by standing
viewer      one prompt: every model's image of it, and what its voters preferred, pair by pair
use_cases   what prompts are about, by their tags
image_urls  URLs of images in sizes that no file has
"""
