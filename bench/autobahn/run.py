"""Runs the original Autobahn suite through a Tidegate, as client and as backend, and writes the verdicts as text.

  run.py --binary TIDEGATE --suite FOLDER --out FILE [--compression off|pass|terminate] [CASE ...]

FOLDER is what `setup.sh` made. Beyond the gateway stands once a program that conforms (`e2e/clients/echo.mjs`) and once
one that validates nothing (`lax.py`, which knows no compression). Cases may be globs; without any, all of sections 1 to
10 are played. Read `gateway.py` for how a Tidegate is started.
"""

import argparse
import collections
import datetime
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

# No traces in the tree.
sys.dont_write_bytecode = True
from gateway import Gateway  # noqa: E402

HERE = pathlib.Path(__file__).parent
CONFORMING = ["node", str(HERE / "../../e2e/clients/echo.mjs")]
LAX = [sys.executable, str(HERE / "lax.py")]
SECTIONS = [f"{section}.*" for section in (1, 2, 3, 4, 5, 6, 7, 9, 10)]
BEHAVIOURS = ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"]
LISTEN_SECONDS_MAX = 30


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--suite", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--compression", default="off", choices=["off", "pass", "terminate"])
    arguments.add_argument("cases", nargs="*")
    asked = arguments.parse_args()
    asked.cases = asked.cases or SECTIONS
    # Whoever stops it leaves no gateway and no folder behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    version = subprocess.run([asked.binary, "--version"], capture_output=True, text=True, check=True)
    text = [
        f"Autobahn 25.10.1 through {version.stdout.strip()}, compression {asked.compression}, "
        f"{datetime.date.today()}",
        f"Cases: {' '.join(asked.cases)}",
    ]
    runs = {
        "The suite as client, a backend that conforms": (as_client, CONFORMING),
        "The suite as backend, a client that conforms": (as_backend, CONFORMING),
    }
    if asked.compression == "off":
        runs |= {
            "The suite as client, a backend that validates nothing": (as_client, LAX),
            "The suite as backend, a client that validates nothing": (as_backend, LAX),
            "For comparison, the suite straight at the backend that validates nothing": (straight, LAX),
        }
    with Gateway(asked.binary) as gateway:
        for number, (title, (play, program)) in enumerate(runs.items()):
            print(title, flush=True)
            begun = time.monotonic()
            lines = shown(play(asked, gateway, f"run{number}", program))
            print("\n".join(lines), flush=True)
            text += ["", f"{title} ({time.monotonic() - begun:.0f} s)", *lines]
    pathlib.Path(asked.out).write_text("\n".join(text) + "\n")


def straight(asked, _gateway, _name, program):
    """No gateway between: what one that only tunnels would let through."""
    return as_client(asked, None, None, program)


def as_client(asked, gateway, name, program):
    """The suite is a client of an API on this program, or of the program itself."""
    words = [*program, "serve", *deflates(asked)]
    backend = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = backend.stdout.readline().strip()
        if gateway:
            # The suite sets no headers.
            url = f"{gateway.offer(name, url, asked.compression)}?access_token={gateway.token()}"
        with tempfile.TemporaryDirectory(prefix="tidegate-autobahn-") as folder:
            server = {"agent": "tidegate", "url": url}
            suite(asked, folder, "fuzzingclient", {"servers": [server]}).wait()
            return verdicts(folder)
    finally:
        backend.stdin.close()
        backend.wait()


def as_backend(asked, gateway, name, program):
    """The suite is the backend of an API that this program visits."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tidegate-autobahn-") as folder:
        playing = suite(asked, folder, "fuzzingserver", {"url": f"ws://127.0.0.1:{port}"})
        try:
            listens(playing, port)
            url = gateway.offer(name, f"ws://127.0.0.1:{port}", asked.compression)
            subprocess.run([*program, "visit", url, gateway.token(), *deflates(asked)], check=True)
            return verdicts(folder)
        finally:
            playing.terminate()
            playing.wait()


def deflates(asked):
    return [] if asked.compression == "off" else ["deflate"]


def suite(asked, folder, mode, more):
    plan = {"options": {"failByDrop": False}, "outdir": folder, "cases": asked.cases}
    spec = pathlib.Path(folder, "spec.json")
    spec.write_text(json.dumps({**plan, "exclude-cases": [], "exclude-agent-cases": {}, **more}))
    words = [f"{asked.suite}/python", HERE / "loopback.py", "--mode", mode, "--spec", spec, "--webport", "0"]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def listens(playing, port):
    deadline = time.monotonic() + LISTEN_SECONDS_MAX
    while playing.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the suite does not listen")


def verdicts(folder):
    """The report's entries by case number, in the order of the suite."""
    report = json.loads(pathlib.Path(folder, "index.json").read_text())
    cases = {case: entry for agent in report.values() for case, entry in agent.items()}
    return dict(sorted(cases.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def shown(verdicts):
    """Counts by verdict, then each case that is not OK, or whose close is not."""
    counts = collections.Counter(entry["behavior"] for entry in verdicts.values())
    unknown = [behaviour for behaviour in counts if behaviour not in BEHAVIOURS]
    counted = ", ".join(f"{counts[behaviour]} {behaviour}" for behaviour in BEHAVIOURS + unknown)
    lines = [f"{len(verdicts)} cases: {counted}"]
    for case, entry in verdicts.items():
        if (entry["behavior"], entry["behaviorClose"]) != ("OK", "OK"):
            code = entry["remoteCloseCode"]
            lines.append(f"  {case:8} {entry['behavior']}, close {entry['behaviorClose']}, code {code}")
    return lines


main()
