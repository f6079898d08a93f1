"""What the running demo takes of memory, process by process.

    python -m benchmarks.memory PORT

PSS counts what several processes share once: each has its part of it. The sum over a demo's tree of processes is what
it would give back by ending, which is why the aim is put in it – at most 512 MB, with all sample images made and votes
cast. RSS, beside it, counts shared pages again for every process. Linux only; /proc/PID/smaps_rollup has the figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

AIM = 512  # MB
NAMES = (
    ("web", "config.asgi"), ("worker", "config.demo.worker"), ("simulator", "simulator"), ("valkey", "valkey-server"), ("postgres", "postgres"), ("supervisor", "config.demo"),
)  # fmt: skip


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


def tree(pid: int) -> list[int]:
    pids = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            pids += tree(int(child))
    return pids


def megabytes(pid: int) -> tuple[float, float]:
    """(PSS, RSS)"""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        fields[name] = int(value) / 1024
    return fields["Pss:"], fields["Rss:"]


def demo(port: int) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and f"-m config.demo --port {port}" in command(int(entry.name)):
            return int(entry.name)
    raise SystemExit(f"No demo was started here with --port {port}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int, help="of the demo")
    options = parser.parse_args()
    groups: dict[str, list[float]] = {}
    for pid in tree(demo(options.port)):
        name = next((name for name, part in NAMES if part in command(pid)), "other")
        pss, rss = megabytes(pid)
        group = groups.setdefault(name, [0, 0, 0])
        groups[name] = [group[0] + 1, group[1] + pss, group[2] + rss]
    print(f"{'':12}{'processes':>10}{'PSS':>8}{'RSS':>8}  MB")
    for name, (count, pss, rss) in sorted(groups.items(), key=lambda item: -item[1][1]):
        print(f"{name:12}{count:10.0f}{pss:8.0f}{rss:8.0f}")
    count, pss, rss = (sum(group[column] for group in groups.values()) for column in range(3))
    print(f"{'all':12}{count:10.0f}{pss:8.0f}{rss:8.0f}   PSS ÷ aim of {AIM} MB: {pss / AIM:.2f}")


if __name__ == "__main__":
    main()
