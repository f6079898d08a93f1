"""A loopback server that speaks the providers' wire formats, with images drawn by the studio.

It stands in for the companies in demos and tests: official clients accept its answers. Nothing leaves this machine,
no money is spent, and all is deterministic: the picture, the time it takes, and the faults, which a prompt asks for.

    /fal/run/…  /fal/queue/…  /fal/rest/…      fal: synchronous run, queue, uploads
    /fal/api/…                                 fal: the list of requests
    /replicate/v1/…                            Replicate: models, predictions, files
    /openai/v1/…                               OpenAI: images (JSON, forms, streams) and models
    /bfl/v1/…                                  Black Forest Labs: tasks and their results
    /gemini/v1beta/…                           Gemini: generateContent
    /files/<name>                              result images
    /healthz  /journal                         alive; what was asked, made and cancelled, per endpoint

A prompt that contains `[sim:NAME]` or `[sim:NAME=ARG]` asks for a fault; several may be combined.

    slow=S             the work takes S seconds instead of the model's usual time
    queue=S            the work starts after S seconds
    policy             refused for its content
    nsfw               made, but marked unsafe and black (fal); refused by the output check (others)
    missing            a required field is reported missing
    invalid            a value is reported as not acceptable
    input              a source image is reported as unreadable
    401 402 403 404    the account or the endpoint is refused; 403 says that the balance is exhausted
    429  429=S         always throttled, without and with Retry-After
    429-once[=S]       throttled the first time only
    500-after=N …      the first N orders of this prompt are taken, later ones answered so (any of these numbers)
    500 502 503 504    the provider fails, as the model's own answer
    gateway-502 …      the gateway before it fails: an HTML page without request id (also -500, -503, -504)
    user-timeout       504 because the start deadline that the caller set has passed
    reset              the job is taken, then the connection is reset before the answer
    cut                the job is taken, then the answer ends in the middle
    html               200 with an HTML page instead of JSON
    fail-after-queue[=STATUS]   the job runs and then fails (fal: COMPLETED, then the result answers STATUS or 500)
    failed=TEXT        the job runs and then fails with this text
    aborted  canceled  the job ends so (Replicate); fal answers its result with 504 and 499
    no-wait            Replicate answers at once, although it was asked to wait
    poll-503=N  poll-reset=N    the first N questions about the job fail at the gateway or are reset
    no-image           success without an image: an empty list
    text-only  thoughts  success with words alone, and with a sketch before the image (Gemini)
    task-not-found     the accepted job is not known any more
    output-null  output-string  output-list     the shape of Replicate's `output`
    data-uri           the image comes as a data: URI
    url                the image comes as an address (OpenAI)
    wrong-size         the image is smaller than asked for
    webhook=KIND       the webhook that was asked for comes twice (duplicate), after S seconds (late:S), changed on its
                       way (forged), with an old timestamp (old), or not (none)
    result-404[=N] result-403 result-500[=N]    the image's address fails, always or the first N times
    result-html result-zero result-huge result-cut result-wrong-type result-animated     what is at the address instead
    result-mislabelled the image, with a Content-Type that is not its own
    result-slow=S      the address sends a few bytes, then nothing for S seconds
    result-redirect=N  N redirects lead to the image
    result-private     the address is inside a private network

A seed is echoed where the wire format has a place for it.
"""

from .server import Simulator

__all__ = ["Simulator"]
