"""SBX-4 on the living house: a role that says nonsense to all its neighbours is cut off by each; nobody
else comes to harm, and soon all are linked again."""

import ctypes
import os
import re
import socket
from pathlib import Path

import pytest

from harness import wait_for

SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
CHANNEL_TO_MASTER = 3


def channels_of(pid):
    """Copies of the role's channels to its neighbours, taken out of it as its captor has them."""
    libc = ctypes.CDLL(None, use_errno=True)
    held = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    if held < 0:
        pytest.skip("no pidfd_open here")
    made = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        inode = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry))
        if not inode or int(entry.name) == CHANNEL_TO_MASTER:
            continue
        fd = libc.syscall(SYS_PIDFD_GETFD, held, int(entry.name), 0)
        if fd < 0:
            pytest.skip("no pidfd_getfd here")
        one = socket.socket(fileno=fd)
        if one.family == socket.AF_UNIX and one.type == socket.SOCK_SEQPACKET:
            made.append(one)
    os.close(held)
    return made


@pytest.mark.needs_root("reaches into other processes")
@pytest.mark.parametrize("role", ["edge", "spool", "vault", "state", "store"])
def test_neighbours_cut_off_are_linked_again(new_server, role):
    server = new_server(options={"edges": 1}).start()
    server.wait_log(event="started")
    pids = {name: server.pids(name) for name in ("edge", "spool", "vault", "state", "store", "deliver")}
    channels = channels_of(pids[role][0])
    assert channels, "no channel found"
    for channel in channels:
        channel.send(b"\xff\xff")
        channel.close()
    server.wait_log(event="relink")

    def accepted():
        try:
            with server.smtp() as client:
                replies = [client.reply(), client.cmd("EHLO client.example"),
                           client.cmd("MAIL FROM:<s@example.net>"), client.cmd("RCPT TO:<alice@example.org>"),
                           client.data(b"Subject: x\r\n\r\nx\r\n")]
            return replies[-1].code == 250
        except OSError:
            return False
    wait_for(accepted, lambda: f"mail after all cut {role} off\n{server.log_tail()}", 15)
    server.wait_delivered(1)
    assert pids == {name: server.pids(name) for name in pids}, "somebody died of it"
