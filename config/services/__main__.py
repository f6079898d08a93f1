"""python -m config.services run [--temporary] -- COMMAND [ARGUMENT …]"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from config import services
from config.services import running
from config.services.places import Place, ServiceError
from config.services.processes import spawn


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command as if we were not there: its exit code, its terminal, its signals."""
    early: list[int] = []  # what arrived while the command was being started
    send: Callable[[int], None] = early.append

    def forward(number: int, _frame: FrameType | None) -> None:
        # A Ctrl-C in the terminal reaches the command without us, and to many a program a second one means "at once".
        if number != signal.SIGINT or not in_terminal():
            send(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    child = spawn(command, environment=environment, output=None, death_signal=signal.SIGTERM, foreground=True)
    send = child.send_signal
    for missed in early:
        send(missed)
    status = child.wait()
    return status if status >= 0 else 128 - status


def in_terminal() -> bool:
    """Whether a Ctrl-C comes from a terminal in whose foreground we are."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case ["run", "--", _, *_]:
            place = Place.of_checkout()
        case ["run", "--temporary", "--", _, *_]:
            place = Place.throwaway()
        case _:
            sys.stderr.write(services.__doc__ or "")
            return 2
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C does: leave through the `finally` that stops the servers
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        with running(place) as environment:
            return run(arguments[arguments.index("--") + 1 :], environment)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (ServiceError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
