"""Signatures of what we send."""

from __future__ import annotations

from providers.transfer import signed_post


def test_the_signature_is_that_of_the_published_example():
    """From the specification of Standard Webhooks and the tests of its libraries."""
    secret, name = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = signed_post.signature(secret, name, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
