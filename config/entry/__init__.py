"""The one entry for all requests: pages and API behind one asynchronous server.

    granian → application: what the head says (malformed, /healthz, /readyz, too large, unknown key) is answered at once
            → bodies: the whole body, with one deadline, before any thread is taken
            → pages: Django's WSGI handler in a few threads, with a bounded queue
            → providers.gateway.asgi: the API, in threads of its own

So a client that sends or reads slowly costs only itself, also where no proxy buffers for us. Django's own ASGI handler
is used nowhere: synchronous views behind it reach a third of the rate.
"""
