"""arena-rank on simulated votes, in a process of its own: `python -m benchmarks.arena_rank_reference K COUNT`.

It brings JAX: half a gigabyte of memory, and a fit that is compiled again each time. So it is no dependency of anything
here; put it beside us to have it join in: `pip install arena-rank`.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from benchmarks.simulated_votes import simulate


def main(k: int, count: int) -> None:
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    votes = simulate(k, count)
    names = np.array([f"m{index:03}" for index in range(k)])
    winner = np.array(["model_b", "tie", "model_a"])[(2 * votes.score).astype(int)]
    frame = pd.DataFrame({"model_a": names[votes.left], "model_b": names[votes.right], "winner": winner})
    started = time.process_time()
    dataset = PairDataset.from_pandas(frame)
    read = time.process_time() - started
    took = []
    for _ in range(3):
        started = time.process_time()
        result = BradleyTerry(n_competitors=k).compute_ratings_and_cis(dataset)
        lower, upper = np.asarray(result["rating_lower"]), np.asarray(result["rating_upper"])
        took.append(time.process_time() - started)
    order = np.argsort(result["competitors"])
    weighted = PairDataset.from_pandas(frame, reweighted=True)
    balanced = BradleyTerry(n_competitors=k).compute_ratings_and_cis(weighted)
    width = np.asarray(balanced["rating_upper"]) - np.asarray(balanced["rating_lower"])
    json.dump(
        {
            "read": read,
            "fit": sorted(took)[1],
            "elo": np.asarray(result["ratings"])[order].tolist(),
            "se": ((upper - lower) / 2 / 1.959963984540054)[order].tolist(),
            "reweighted_se": (width / 2 / 1.959963984540054)[np.argsort(balanced["competitors"])].tolist(),
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
