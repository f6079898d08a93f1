"""What images cost, and the cap on a day's calls.

costs        an offering's price applied to a request, or the bill where the provider shows it
daily_cap    what the calls of a day (UTC) have spent, and DAILY_SPEND_CAP on it, in US dollars
price_check  bills compared with the price list
money        prices as pages show them, in the reader's language
"""
