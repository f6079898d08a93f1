"""Prompts in bulk.

files    files of prompts: pasted text, CSV, JSON, ZIPs with the source images of edits
similar  nearly the same texts, by trigrams as pg_trgm counts them
load     compared with what a category has, shown as a dry run, then added in one transaction
"""
