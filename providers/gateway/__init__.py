"""The gateway: OpenAI's Images API in front of every offering we can reach.

wire         a request as it came → Asked, or a refusal that names the parameter        (pure)
refusals     everything the gateway refuses or fails with, in OpenAI's envelope         (pure)
formats      the provider's image → the file format and quality asked for               (pure)
uploads      source images: form parts, data URIs, addresses; sniffed, not believed
keys         who asks, how often, and for how much
repeats      a client's own retry gets the first answer, not a second bill
files        images behind signed addresses, for an hour
work         one request from beginning to end
answers      what came of it, in OpenAI's words and with our metadata
schema       what may be asked: a model's parameters, the OpenAPI file, the reference page
views        receipts; the same code behind WSGI and, cancelled with its client, behind ASGI (asynchronous)
"""
