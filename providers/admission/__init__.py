"""May this request be sent to its provider now? Agreed on by all workers, in Valkey.

admit            the question, asked of both below
circuit_breaker  an offering that fails again and again is not called for a while; then one worker tries it
limits           how many requests a provider gets at once and a second: spaced, not rejected
valkey           the small Lua scripts, each an atomic step, that the two above are made of
"""
