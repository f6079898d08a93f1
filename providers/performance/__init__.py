"""How fast and how reliable an offering is, from its calls.

percentiles  percentiles and success rates, counted by Postgres
summaries    the same as pages read them: computed every minute or so, read in milliseconds
recent       which offerings are called first, by the last quarter of an hour
"""
