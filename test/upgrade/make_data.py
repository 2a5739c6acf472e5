#!/usr/bin/env python3
"""Makes what test_upgrade.py takes over: a server's folder as a build of its time left it.

    git worktree add /tmp/old COMMIT; (cd /tmp/old && meson setup build && ninja -C build programs)
    python3 test/upgrade/make_data.py /tmp/old/build NAME

writes test/upgrade/data/NAME.tar.xz: spool, accounts and journal after kill -9, with mail that
waits, mail that failed once, one body in a file of its own, and what was delivered before.
What lies in it stands in its expect.json. format-1 was made at 666ddcb.
"""

import io
import json
import os
import re
import signal
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Server  # noqa: E402
from harness.server import ACCOUNTS  # noqa: E402

LARGE = 200_000  # octets: over what the database holds
FOLDERS = ("spool", "accounts", "journal")
DATA = Path(__file__).resolve().parent / "data"


def message(mark, octets=0):
    filling = "".join(f"line {n} of {mark}\r\n" for n in range(octets // 20))
    return f"Subject: {mark}\r\n\r\nThis is {mark}.\r\n{filling}".encode()


def id_in(reply):
    return re.search(r"\b[0-9a-z]{13}\b", str(reply))[0]


def hold_up(server, held):
    """Deliver stops where it is, or goes on."""
    for pid in server.pids("deliver"):
        os.kill(pid, signal.SIGSTOP if held else signal.SIGCONT)


def fill(server):
    """What waits in the end: [mark, sender, recipients, large]."""
    before = server.deliver(["alice@example.org"], message("delivered-before"))
    server.wait_log(event="delivery", verdict="delivered")
    (server.data_dir / "mail/example.org/bob").write_bytes(b"")  # no folder can be made here
    waiting = [["failed-once", "sender@example.net", ["bob@example.org"], 0]]
    server.deliver(["bob@example.org"], message("failed-once"))
    server.wait_log(event="delivery", verdict="deferred")
    hold_up(server, True)
    for mark, sender, recipients, octets in (
            ["plain", "sender@example.net", ["alice@example.org"], 0],
            ["bounce", "", ["alice@example.org"], 0],
            ["two-of-them", "sender@example.net", ["alice@example.org", "bob@example.org"], 0],
            ["by-alias", "sender@example.net", ["team@example.org"], 0],
            ["large", "sender@example.net", ["bob@example.org"], LARGE]):
        server.deliver(recipients, message(mark, octets), sender)
        waiting.append([mark, sender, recipients, octets])
    return id_in(before), waiting


def plain(info):
    """Nobody's uid, no time: the same folder is the same archive but for what is in it."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info if info.isdir() or info.isfile() else None


def pack(server, name, expect):
    DATA.mkdir(exist_ok=True)
    with tarfile.open(DATA / f"{name}.tar.xz", "w:xz", preset=9) as tar:
        for folder in FOLDERS:
            tar.add(server.data_dir / folder, folder, filter=plain)
        text = json.dumps(expect, indent=1).encode()
        info = tarfile.TarInfo("expect.json")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))


def main(build, name):
    server = Server(build=build, options={"retry_first": 2}, domains={
        "example.org": 'alias "team" { to = {"alice", "bob"} }'})
    try:
        server.start()
        before, waiting = fill(server)
        listed = server.cli("queue", "list", "--json").stdout.splitlines()
        server.cli("explain", before)  # the journal has it by now
        server.kill()
        pack(server, name, {"delivered_before": before, "waiting": waiting,
                            "recipients": len(listed), "accounts": list(ACCOUNTS)})
    finally:
        server.kill()
        server.remove()


if __name__ == "__main__":
    main(*sys.argv[1:])
