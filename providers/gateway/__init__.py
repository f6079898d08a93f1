"""The gateway: OpenAI's Images API in front of every offering that can be reached.

lifecycle       one request in five steps: authenticate, read, claim, generate, settle
wire            a decoded body → ApiRequest, or an error that names the parameter                 (pure)
errors          every error response, in OpenAI's envelope                                        (pure)
image_formats   the provider's image → the file format and quality requested                      (pure)
uploads         source images: form parts, data URIs, URLs; their type from their bytes
keys            who calls, and how often
names           ids and aliases of models, and which of them a key may use
budgets         what a key has spent and reserved: one ledger
idempotency     a client's own retry gets the first response, not a second bill
jobs            asynchronous requests: queued rows that workers run
job_webhooks    their end, sent to a URL of the client until it is taken
signed_files    images behind signed URLs, for an hour
responses       images and facts in OpenAI's format, with our metadata
openapi_schemas the objects of the OpenAPI file                                                    (pure)
discovery       what can be requested: models, their parameters, prices, the OpenAPI file
code_examples   a request as a program to copy, in four languages                                 (pure)
views           the URLs; behind WSGI, or behind ASGI (asgi), where a disconnect cancels the work (disconnect)
"""
