"""Whatever happens to it: the whole site of bin/demo while its parts are killed, stopped and filled up.

    python -m benchmarks.chaos              60 kills of nine kinds, then every other fault; about ten minutes
    python -m benchmarks.chaos --short      one kill of each kind, shorter faults; about a minute and a half
    python -m benchmarks.chaos --only kill  the faults whose names begin so

Voters vote all the time, half of them with htmx and half with plain forms, and send a vote again until it is answered.
Every acknowledged vote goes into a ledger, and images are generated meanwhile. At the end the ledger is compared with
the rows, and the rows with the files. The report says for every kind of fault how long no vote was acknowledged once the
fault was over (aim: 5 s on a quiet machine), and in all: votes lost or doubled, tallies that differ from the votes,
generations that were never done, files without a row and rows without a file, and by the ledger of the simulated
providers images bought again. The exit code is 1 when a vote is lost or doubled, a tally differs, an image is missing, or
a response is a 5xx other than 503.

The site has its own folder, database and Valkey, which are deleted at the end. Linux only. A full disk needs `mount`
(root); without it those two faults are skipped, and that is said.
"""
