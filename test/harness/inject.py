"""strace on running roles: their n-th call from now on fails, waits, or kills them."""

import os
import subprocess
import tempfile
from pathlib import Path

from .server import BUILD
from .wait import wait_for

# Roles whose calls strace can make fail (-Dfaults=true): in release seccomp kills such a role.
FAULTS_BUILD = Path(os.environ.get("SEKISHO_FAULTS_BUILD", BUILD.parent / "build-faults"))


def is_traced(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "TracerPid:\t0\n" not in status


class Inject:
    """While it is open: `calls` (one, or several with commas) of process `pids` (one, or a list)
    do `what` (strace's words) the `when`-th time. children: of those they fork, too.

    strace counts each call's name and each process apart. `count` is how often it has done so.
    """

    def __init__(self, pids, calls, what, when, children=False):
        self.pids = [pids] if isinstance(pids, int) else list(pids)
        self.told = tempfile.NamedTemporaryFile(prefix="sekisho-strace-")
        self.strace = subprocess.Popen(
            ["strace", "-qq", "-o", self.told.name, *(["-f"] if children else []),
             "-e", f"trace={calls}", "-e", f"inject={calls}:{what}:when={when}",
             *(word for pid in self.pids for word in ("-p", str(pid)))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        # a role that was just starting may have met its end already; strace then ends as well
        wait_for(lambda: all(map(is_traced, self.pids)) or self.strace.poll() is not None,
                 f"strace to attach to {self.pids}", 10)
        return self

    @property
    def count(self):
        return sum(b"(INJECTED)" in line for line in Path(self.told.name).read_bytes().splitlines())

    def __exit__(self, *unused):
        self.strace.terminate()
        self.strace.wait(20)
        self.told.close()
