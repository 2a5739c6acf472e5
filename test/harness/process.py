"""What the kernel says of a running process: memory, descriptors, processor time."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """User and system time it has used."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = stat.rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def private_octets(pid):
    """Memory that is nobody else's: what it would give back by ending."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    rows = {line.split(":")[0]: line.split()[1] for line in rollup.splitlines()[1:]}
    return (int(rows["Private_Clean"]) + int(rows["Private_Dirty"])) * 1024


def status_octets(pid, name):
    """A row of /proc/PID/status that counts kB: VmData, VmHWM, ..."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def descriptors(pid):
    """How many it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
