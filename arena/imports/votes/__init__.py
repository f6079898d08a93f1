"""Votes cast elsewhere.

files    files of votes, read and checked line by line, in the columns of many arenas
presets  the columns of public arenas, and their words for the outcomes
load     a file taken whole or not at all, and withdrawn whole
"""
