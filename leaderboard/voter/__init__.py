"""What a voter is shown of their own votes, and of those of others beside them.

first_pair  the pair on the start page
reveal      what a voter learns after the vote, registered with the arena
crowd       how a vote stands to those of others, in numbers and words
rankings    a voter's own ranking of a category, and the links by which they share it
taste       what that ranking says in sentences, and the images they liked best
"""
