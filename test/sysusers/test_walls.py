"""SBX-2 and SBX-3 for a user's deliver: who it is, what it may do and what it holds, as the kernel
tells it."""

import os
import re
from pathlib import Path

import pytest

from harness import DOMAIN

BODY = b"Subject: hello\r\n\r\nhello\r\n"

# its own root is the home; everything else is as every role has it
DESCRIPTORS = {"/dev/null", "pipe", "socket", "[eventpoll]", "/", "/Maildir", "/Maildir/tmp",
               "/Maildir/new"}


@pytest.fixture
def running(new_house):
    """The server, and the pid of alice's deliver."""
    house = new_house("alice", system_deliver_idle=60)
    house.deliver([f"alice@{DOMAIN}"], BODY)
    house.wait_delivered(1)
    [pid] = house.user_delivers()
    return house, pid


def test_it_is_the_user_and_nobody_else(running):
    house, pid = running
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    uid = str(house.homes.uids["alice"])
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {uid}
    assert status["Groups"].strip() == ""
    zero = "0" * 16
    assert {name: status[name].strip() for name in
            ("NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
                "NoNewPrivs": "1", "Seccomp": "2", "CapInh": zero, "CapPrm": zero, "CapEff": zero,
                "CapBnd": zero, "CapAmb": zero}
    # not dumpable: the user can neither trace it nor read its memory or its descriptors
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert not house.log(event="walls_missing")


def test_the_home_is_its_root_and_all_it_sees(running):
    house, pid = running
    for space in ("net", "mnt", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}"), space
    for link in ("root", "cwd"):
        assert os.path.samefile(f"/proc/{pid}/{link}", house.homes["alice"])
    mounts = Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
    assert len(mounts) == 1 and " / " in mounts[0], mounts
    assert {"nosuid", "nodev", "noexec", "rw"} <= set(mounts[0].split()[5].split(","))


def test_descriptors_are_those_of_the_golden_list(running):
    _, pid = running
    held = {re.sub(r":\[\d+\]$", "", os.readlink(entry.path)).removeprefix("anon_inode:")
            for entry in os.scandir(f"/proc/{pid}/fd")}
    assert held == DESCRIPTORS


def test_the_user_cannot_trace_it(running):
    house, pid = running
    for what in ("mem", "fd", "maps"):
        with pytest.raises(Exception):
            house.homes.run_as("alice", "sh", "-c", f"ls -l /proc/{pid}/{what}/ || cat /proc/{pid}/{what}")
