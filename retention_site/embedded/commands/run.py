"""`./rekindle run`: everything in one terminal, from an empty folder to a shop that can be looked at."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence

from llm.local_servers import find_local_servers

from retention_site.embedded.console import Console
from retention_site.embedded.engines import Engines
from retention_site.embedded.leftovers import end_leftovers
from retention_site.embedded.local_model import add_local_model
from retention_site.embedded.process import EngineError
from retention_site.embedded.sharing import read_owner, take_ownership
from retention_site.embedded.state import State, find_state, read_environment
from retention_site.embedded.supervisor import Supervisor, Wishes


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; raises EngineError with one clear sentence when it cannot even begin."""
    options = make_parser().parse_args(arguments)
    environment = read_environment()
    port = read_port(str(options.port or environment.get("PORT", "8000")))
    state = find_state(environment)
    console = Console()
    handle = wait_for_ownership(state, console)
    try:
        end_leftovers(state.children, console.say)  # a web server among them holds the port
        listener = listen(options.listen, port)
        environment.setdefault("SITE_URL", f"http://127.0.0.1:{port}")
        # On two busy cores threads that spin while they wait take the time from those that work.
        environment.setdefault("OMP_WAIT_POLICY", "passive")
        supervisor = Supervisor(state, environment, Wishes(port, not options.no_demo), listener, console)
        if options.local_ai:
            return supervisor.run(lambda engines: add_local_model(engines, options.local_ai, console.say))
        return supervisor.run(lambda engines: tell_about_models(engines, environment, port, console))
    finally:
        os.close(handle)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./rekindle run", description="Start Rekindle in this terminal.")
    parser.add_argument(
        "--local-ai",
        nargs="?",
        const="standard",
        choices=("standard", "small"),
        help="run a language model on this machine (1.1 GB; small: 480 MB, faster and weaker)",
    )
    parser.add_argument("--port", type=int, default=0, help="the web port (PORT, else 8000)")
    parser.add_argument("--listen", default="127.0.0.1", help="the address to listen on (0.0.0.0 in a container)")
    parser.add_argument("--no-demo", action="store_true", help="leave an empty shop empty")
    return parser


def read_port(text: str) -> int:
    """Raises EngineError where it is no port that a web server can have."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise EngineError(f"A port (--port, PORT) must be a whole number from 1 to 65535, not “{text}”.")
    return int(text)


def wait_for_ownership(state: State, console: Console) -> int:
    """The handle that owns the state folder. Waits for a manage command, not for another `./rekindle run`."""
    told = False
    while True:
        handle = take_ownership(state)
        if handle is not None:
            return handle
        owner = read_owner(state)
        if owner is not None and owner.command == "run":
            address = owner.environment.get("SITE_URL", "")
            raise EngineError(f"Rekindle already runs in this checkout (process {owner.pid}): {address}")
        if not told:
            console.say(f"waiting for {owner.command if owner else 'another command'} to give the engines back")
            told = True
        time.sleep(0.2)


def listen(address: str, port: int) -> socket.socket:
    """The web's socket, taken before anything else starts; raises EngineError when the port is in use."""
    try:
        return socket.create_server((address, port), backlog=512)
    except OSError as error:
        raise EngineError(
            f"Port {port} cannot be used ({os.strerror(error.errno or 0)}): stop what uses it, or choose another with"
            " --port."
        ) from None


def tell_about_models(engines: Engines, environment: Mapping[str, str], port: int, console: Console) -> None:
    """Say what writes the drafts, and what could."""
    if base_url := environment.get("LLM_BASE_URL"):
        place = base_url.rpartition("@")[2].partition("?")[0]  # neither a password nor a key
        console.say(f"drafts come from {environment.get('LLM_MODEL', 'the model')} at {place}")
        return
    for server in find_local_servers(skip_port=port):
        console.say(f"{server.name} answers on this machine; to draft with it: {server.offer} ./rekindle run")
    console.say("no language model is connected: drafts are template text (--local-ai runs one on this machine)")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
