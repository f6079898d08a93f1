"""A few models beside each other: the page /compare/.

side_by_side  their places, what happened when they met, what was expected, and shared prompts
facts         their facts line by line, and which is better where one is
"""
