"""strace on one running role: its n-th call from now on fails, or kills it."""

import os
import subprocess
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
    """While it is open: `call` of process `pid` does `what` (strace's words) the `when`-th time."""

    def __init__(self, pid, call, what, when):
        self.pid = pid
        self.strace = subprocess.Popen(
            ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
             "-e", f"inject={call}:{what}:when={when}", "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        # a role that was just starting may have met its end already; strace then ends as well
        wait_for(lambda: is_traced(self.pid) or self.strace.poll() is not None,
                 f"strace to attach to {self.pid}", 5)
        return self

    def __exit__(self, *unused):
        self.strace.terminate()
        self.strace.wait(10)
