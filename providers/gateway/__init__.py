"""The gateway: OpenAI's Images API in front of every offering that can be reached.

lifecycle       one request in five steps: authenticate, read, claim, generate, settle
responses_api   OpenAI's Responses API, as far as its image tool goes
wire            a decoded body → ApiRequest, or an error that names the parameter                 (pure)
errors          every error response, in OpenAI's envelope                                        (pure)
image_formats   the provider's image → the file format and quality requested                      (pure)
uploads         source images: form parts, data URIs, URLs; their type from their bytes
keys            who calls, and how often
names           ids and aliases of models, and which of them a key may use
lookup_cache    keys and models as they were a moment ago
auto_model      `model: "auto"`: the model that votes, prices and times speak for
budgets         what a key has spent and reserved: one ledger
idempotency     a client's own retry gets the first response, not a second bill
jobs            asynchronous requests: queued rows that workers run
job_webhooks    their end, sent to a URL of the client until it is taken
process         which process works on a request, and whether it is alive
signed_files    images behind signed URLs, for GATEWAY_FILE_LIFETIME
responses       images and facts in OpenAI's format, with our metadata
discovery       what can be requested: models, their parameters, prices
openapi         the OpenAPI file                                                                  (pure)
openapi_schemas  its objects                                                                      (pure)
code_examples   a request as a program to copy, in four languages                                 (pure)
recipes         programs that work with this gateway, and the lines that each needs               (pure)
pages           the pages of keys, their log and the reference
views           the URLs, behind WSGI or ASGI
asgi            the views behind an asynchronous server, streamed
slots           how many requests run at once, in threads of their own
disconnect      a client that hangs up cancels the work
"""
