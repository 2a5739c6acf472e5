"""FORK-F: master cannot start a process. It waits longer each time, says so, and goes on when it
can; what was answered 250 is kept."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from harness import Inject, Ledger, Load, wait_for

pytestmark = [pytest.mark.needs_tool("strace"),
              pytest.mark.needs_root("strace attaches to roles of other uids")]

ROLES = ("spool", "deliver", "writer", "edge", "vault")
EX_OSERR = 71
PIDS = Path("/sys/fs/cgroup/pids")

# Of master, the first few fork; of its children (each counted apart, so for as long as it lasts)
# what they do before they are the role, and exec.
FAULTS = (("clone", "EAGAIN", "1..5"), ("execve", "ENOMEM", "1+"), ("dup2", "EMFILE", "1+"))


def all_back(server):
    wait_for(lambda: all(server.pids(role) for role in ROLES), "all roles to be back", 30)


@pytest.mark.parametrize("call,error,when", FAULTS, ids=[f"{c}-{e}" for c, e, _ in FAULTS])
def test_a_role_cannot_be_started(faulty, rng, call, error, when):
    server = faulty()
    ledger = Ledger()
    with Load(server.port, ledger, connections=4, seed=rng.randrange(10**6)) as load:
        load.wait_kept(5)
        with Inject(server.pids("master"), call, f"error={error}", when, children=call != "clone"):
            role = rng.choice(ROLES)
            old = server.kill_role(role)
            failed = {"event": "restart"} if call == "clone" else \
                {"event": "role_ended", "by": "exit", "code": EX_OSERR}
            wait_for(lambda: len(server.log(of=role, **failed)) >= 3, f"3 lines with {failed}", 20)
        server.wait_replaced(role, old, seconds=30)
        load.wait_kept(5)
    assert len(server.log(**failed)) <= 12, "it does not back off"
    ledger.settle(server, 1)
    print(f"{role}: {len(server.log(**failed))} starts failed; {ledger.kept()} kept")


@contextlib.contextmanager
def no_more_processes(server):
    """A cgroup that is as full as can be."""
    group = PIDS / f"sekisho-test-{os.getpid()}"
    try:
        group.mkdir()
        for pid in server.family():
            (group / "cgroup.procs").write_text(str(pid))
    except OSError as why:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no cgroup that limits processes: {why}")
    try:
        (group / "pids.max").write_text("1")
        yield
    finally:
        (group / "pids.max").write_text("max")


@pytest.fixture
def no_group_left(request):
    """The group goes when the server, which is in it, has gone."""
    yield
    with contextlib.suppress(OSError):
        (PIDS / f"sekisho-test-{os.getpid()}").rmdir()


def test_the_machine_has_no_process_to_give(no_group_left, faulty, rng):
    """It backs off: a second of trying costs some tries, not thousands."""
    server = faulty()
    ledger = Ledger()
    with Load(server.port, ledger, connections=4, seed=rng.randrange(10**6)) as load:
        load.wait_kept(5)
        with no_more_processes(server):
            for role in ROLES:
                server.kill_role(role)
            time.sleep(2)
            tries = len(server.log(event="restart"))
            assert not server.pids("spool")
        all_back(server)
        load.wait_kept(5)
    assert 5 <= tries <= 60, f"{tries} tries of {len(ROLES)} roles in 2 s"
    ledger.settle(server, 5)
