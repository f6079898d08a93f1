"""Where curators work: competitions and prompts, asking the models, watching progress, retiring what is broken.

competitions    categories, competitions and their prompts
ask_page        “Ask the models”: the price, a confirmation with the sum, how every model is coming along
preview         the voting screen of a competition before it opens
prompts         prompts one by one, in bulk with a dry run, and out again
images          progress, retiring what is broken, what voters reported
image_import    images that were made elsewhere: upload, dry run, confirm
votes           battles, votes and imported files, and which votes count
integrity       the queue of voters to look at, with their evidence
queue           the queue of what visitors sent: reported images and suggested prompts
suggestions     prompts that visitors would like to see voted on
invitations     invitations to private categories
files           stored files for staff
staged_uploads  uploads between their dry run and their confirmation
shared          actions that leave a trace, and what else these pages have in common
"""

from arena.admin import competitions, images, integrity, invitations, prompts, suggestions, votes

__all__ = ["competitions", "images", "integrity", "invitations", "prompts", "suggestions", "votes"]
