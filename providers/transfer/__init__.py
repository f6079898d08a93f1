"""Bytes from and to hostile addresses, and what they really are. Pure: no Django.

download      a result image from a URL that a provider named
upload        bytes to a URL that a stranger named
signed_post   a signed webhook to such a URL
addresses     which IP addresses may be connected to
deadline      the time that one attempt may take
image_reader  the one reader of images: limits, upright, sRGB
image_type    type and size by the bytes alone
metadata      what a file says besides its pixels
colour        colour profiles
"""
