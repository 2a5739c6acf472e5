"""The wall clock of one server (of a build with -Dfaults=true), moved while it runs."""

import functools
import struct
import subprocess
from pathlib import Path

SYMBOL = "clock_shift_us"  # src/base/clock.h


@functools.cache
def _offset(executable):
    """Where the symbol lies in a loaded executable; None where it has no use for the clock."""
    rows = subprocess.run(["nm", executable], capture_output=True, text=True, check=True).stdout
    return next((int(row.split()[0], 16) for row in rows.splitlines()
                 if row.split()[-1] == SYMBOL), None)


def _set(pid, shift_us):
    executable = str(Path(f"/proc/{pid}/exe").resolve())
    offset = _offset(executable)
    if offset is None:
        return False
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        base = next(int(row.split("-")[0], 16) for row in maps if row.rstrip().endswith(executable))
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(base + offset)
        memory.write(struct.pack("q", shift_us))
    return True


def shift(server, seconds):
    """From now on the server's clock is so far off; whoever is started later follows master."""
    done = 0
    for pid in server.family():  # master is first, so that nobody is started with the old one after
        try:
            done += _set(pid, int(seconds * 1e6))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    assert done > 0, "no process of this server can have its clock moved"
