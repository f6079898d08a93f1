"""What a board's page shows, in HTML, CSV and JSON-LD.

rows        standings joined with prices, times and rights
filters     which rows are shown, in which order; refuses a filter that cannot be used
conditions  the filters in words
verdicts    the sentence above the board
certainty   how sure it is: what it rests on, what would change its top, what was left out
highlights  its answers for the front page, and the closest pairs
opened      what an opened row shows
pictures    the images beside the models
figures     intervals and head-to-head shares as charts
scatter     Elo against cost and speed
csv_export  the CSV
json_ld     structured data
"""
