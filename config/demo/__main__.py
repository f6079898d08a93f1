"""python -m config.demo [--port N] [--host ADDRESS] [--fresh] [--no-seed]

The order: PostgreSQL and Valkey, what prepare.py does, the web server, then worker and provider simulator.
They stop in the opposite order. Their output is in var/log/; the terminal shows what happens to them.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence

from config.demo import ports
from config.demo.supervisor import Child, Program, Service, Stop, Waiting, say, shut_down, supervise, timed
from config.services import missing, site_environment
from config.services.places import CHECKOUT, Place, ServiceError
from config.services.processes import open_log, spawn, tail, try_lock
from config.services.servers import State

START_TIMEOUT = 60.0  # seconds until the page answers


def main() -> int:
    options = parse()
    place = Place.of_checkout()
    try:
        place.var.mkdir(parents=True, exist_ok=True)
        with (place.var / "demo.lock").open("a+") as lock, Waiting() as waiting:
            if not try_lock(lock):
                lock.seek(0)
                raise ServiceError(f"The demo of this checkout is already running: {lock.read()}")
            with ports.reserved(options.host, options.port) as port:
                if options.port is None and port != ports.DEFAULT:
                    say(f"Port {ports.DEFAULT} is taken, so this is on {port}.")
                lock.truncate(0)
                lock.write(ports.url(options.host, port))
                lock.flush()
                if options.fresh:
                    remove_data(place)
                run(place, options.host, port, waiting, seed=not options.no_seed)
    except (ServiceError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description="Start Image Arena on this machine. Ctrl-C stops it.")
    parser.add_argument("--port", type=ports.number, help=f"default: {ports.DEFAULT}, or the next one that is free")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; by default only this machine's own")
    parser.add_argument("--fresh", action="store_true", help="delete what earlier demos stored and begin anew")
    parser.add_argument("--no-seed", action="store_true", help="without the sample competitions and votes")
    return parser.parse_args()


def run(place: Place, host: str, port: int, waiting: Waiting, *, seed: bool) -> None:
    """Start everything, keep it running until we shall stop, stop everything."""
    groups: list[list[Child]] = []
    try:
        servers = missing(place)
        with timed("PostgreSQL and Valkey"):
            for server in servers:
                groups.append([Service(server)])
                groups[-1][0].start(waiting)
        simulator_port = ports.stored(place.var / "simulator-port")  # jobs under way have it in their URLs
        environment = demo_environment(site_environment(place, servers), host, simulator_port)
        prepare(environment, place, waiting, seed=seed)
        web, simulator, worker = programs(environment, place, host, port, simulator_port)
        groups += [[simulator], [worker], [web]]
        children = [child for group in groups for child in group]
        with timed("web server"):
            web.start(waiting)
            await_page(host, port, children, waiting)
        for child in (simulator, worker):  # the first page needs none of them
            child.start(waiting)
        announce(ports.url(host, port), place)
        supervise(children, waiting)
    except Stop:
        say("Stopping.")
    finally:
        shut_down(groups[::-1], waiting)


def demo_environment(services: Mapping[str, str], host: str, simulator_port: int) -> dict[str, str]:
    """What the user has set wins, except for what makes it a demo."""
    hosts = "*" if host in ports.LOOPBACK else f"localhost,127.0.0.1,[::1],{host}"
    # glibc keeps a heap per thread; two for all of them save 20 MB in the worker, and again in the simulator. Pictures
    # are large and short-lived: memory of their own is given back at once, and leaves no holes behind.
    environment = {
        "GENERATION_TIME_LIMIT": "30",
        "GENERATION_LEASE_GRACE": "5",
        "ALLOWED_HOSTS": hosts,
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "262144",
        "MALLOC_TRIM_THRESHOLD_": "262144",
        **services,
    }
    environment |= {"ARENA_DEMO": "1", "SIMULATOR_URL": f"http://127.0.0.1:{simulator_port}"}
    environment.pop("DEBUG", None)
    return environment


def programs(env: Mapping[str, str], place: Place, host: str, port: int, simulator_port: int) -> list[Program]:
    """The commands of the site."""
    python = sys.executable
    # Two processes: each is replaced while the other serves. The head of a request has 20 s to come, which HTTP/2 would
    # not obey.
    granian = ["--interface", "asgi", "--workers", "2", "--no-ws", "--http", "1", "--host", host, "--port", str(port)]
    granian += ["--respawn-failed-workers", "--respawn-interval", "0.2", "--workers-kill-timeout", "15"]
    granian += ["--http1-header-read-timeout", "20000", "--backlog", "4096"]
    # The simulator draws on these same cores, one or two images a second: what waits for more than a few times out.
    worker = ["-P", "threads", "-c", "8", "--without-gossip", "--without-mingle", "-l", "warning"]
    background = ["nice", python]  # pages come before pictures
    simulate = ["manage.py", "simulate_providers", "--port", str(simulator_port)]
    commands = {
        "web": [python, "-m", "config.demo.serve", "config.asgi", *granian, "config.asgi:application"],
        "simulator": [*background, *simulate, "--job-log", str(place.var / "simulator-jobs.jsonl")],
        "worker": [*background, "-m", "config.demo.worker", str(place.var / "beat-schedule"), *worker],
    }
    # Many threads of the API share few connections; the worker's eight threads wait for none (see settings).
    pools = {"worker": "8"}
    return [
        Program(name, command, {**env, "DATABASE_POOL": pools.get(name, "4")}, place.var / "log")
        for name, command in commands.items()
    ]


def prepare(environment: Mapping[str, str], place: Place, waiting: Waiting, *, seed: bool) -> None:
    """Migrate and fill the database in a process of its own. Raises ServiceError with the end of its log."""
    log = place.var / "log" / "prepare.log"
    with open_log(log) as errors:
        since = errors.tell()
        command = [sys.executable, "-m", "config.demo.prepare", *([] if seed else ["--no-seed"])]
        process = spawn(command, environment=environment, output=None, errors=errors, cwd=CHECKOUT)
    try:
        while process.poll() is None:
            waiting.pause(1)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise ServiceError(f"The preparation failed. The end of {log}:\n{tail(log, since=since)}")


def await_page(host: str, port: int, children: Sequence[Child], waiting: Waiting) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not all(ports.answers(host, port, path) for path in ("/readyz", "/")):
        if time.monotonic() > deadline:
            raise ServiceError(f"The page does not answer. {children[-1].log.with_name('web.log')} may say why.")
        waiting.pause(min(0.1, *(child.tend(waiting) for child in children)))


def announce(address: str, place: Place) -> None:
    login = place.var / "admin_login"
    say(f"  Administration: {address}admin/  {login.read_text() if login.exists() else ''}")
    say(f"  Image gateway: {address}openai/v1  (a key: bin/manage create_api_key NAME)")
    say(f"  What happens is in {place.var / 'log'}. Ctrl-C stops everything.")
    say(f"Image Arena is ready: {address}")


def remove_data(place: Place) -> None:
    """--fresh: everything but the logs, and the programs that were copied for `nobody`."""
    if os.environ.get("DATABASE_URL"):
        raise ServiceError(
            "--fresh deletes the demo's own database, but DATABASE_URL names another. Unset one of them."
        )
    if any(server.state() is not State.ABSENT for server in missing(place)):
        raise ServiceError("--fresh needs the database to itself, but another command of this checkout is using it.")
    # Those of another checkout, which nobody has asked us to delete, are set aside when the servers start.
    doomed = [place.data / "postgres", place.data / "valkey"] if place.knows_data() else []
    for name in ("admin_login", "beat-schedule*", "media", "secret_key", "simulator-*", "static"):
        doomed += place.var.glob(name)
    for path in doomed:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
