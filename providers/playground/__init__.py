"""The playground: a prompt of one's own, up to four models side by side, no key needed.

visitors     who tries: a signed cookie and nothing else
forms        what may be tried, read from the form and checked like a request to the gateway
trials       plan, price, run and forget: rows are the queue, as in the arena
snippets     the very request as cURL, Python and JavaScript
views        receipts
"""
