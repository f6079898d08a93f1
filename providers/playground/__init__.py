"""The playground: your own prompt, up to four models side by side, no key needed.

visitors     a browser, known by a signed cookie and nothing else
forms        the form, checked like a request to the gateway
trials       plan, price, run and prune: rows are the queue, as in the arena
views        the form, its results, the images of its own visitor
"""
