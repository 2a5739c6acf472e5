"""PWR-1: the power is cut right after the k-th 250. What was answered 250 is there afterwards; and
with the syncs taken out of the same server it is not, so these tests can fail."""

import contextlib
import subprocess

import pytest

from harness import FAULTS_BUILD, Ledger, Load, LoopDisk, is_traced, queue_is_empty, wait_for

pytestmark = pytest.mark.needs_root("mounts a loop device")

OPTIONS = {"retry_first": 1, "retry_most": 1}


@pytest.fixture
def disk(request):
    made = LoopDisk(mib=256)
    request.addfinalizer(made.remove)
    return made


@contextlib.contextmanager
def without_syncs(server):
    """Every sync of the keepers says done, and does nothing."""
    server.wait_log(event="started")
    pids = [pid for role in ("spool", "writer", "deliver") for pid in server.pids(role)]
    calls = "fsync,fdatasync,syncfs"
    strace = subprocess.Popen(
        ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:retval=0",
         *(word for pid in pids for word in ("-p", str(pid)))],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: all(is_traced(pid) for pid in pids), "strace to attach", 10)
        yield
    finally:
        strace.terminate()
        strace.wait(10)


def cut_once(server, disk, ledger, rng, spoiled=contextlib.nullcontext):
    server.start()
    with spoiled(server), Load(server.port, ledger, connections=4, seed=rng.randrange(10**6),
              sizes=(200, 4096, 4096, 100000)) as load:
        load.wait_kept(rng.randrange(1, 12))
        ledger.power(on=False)
        disk.cut()
        load.stopping.set()
        server.kill()
    disk.power_on()
    ledger.power(on=True)


def test_cut_right_after_a_250(disk, new_server, rng, rounds):
    server = new_server(options=OPTIONS, data_dir=disk.path / "data")
    ledger = Ledger()
    cuts = 0
    for _ in rounds(100):
        cut_once(server, disk, ledger, rng)
        cuts += 1
    server.start()
    ledger.settle(server, cuts)
    print(f"{cuts} cuts, {ledger.kept()} kept, {ledger.copies(server)} duplicates")
    server.stop()


@pytest.mark.needs_tool("strace")
def test_without_syncs_mail_is_lost(disk, new_server, rng):
    """The proof that the test above sees what it is for."""
    if not (FAULTS_BUILD / "sekisho").exists():
        pytest.skip(f"no build with -Dfaults=true at {FAULTS_BUILD}")
    server = new_server(options=OPTIONS, data_dir=disk.path / "data", build=FAULTS_BUILD)
    ledger = Ledger()
    for cuts in range(1, 21):
        cut_once(server, disk, ledger, rng, without_syncs)
        lost = [wrong for wrong in lost_after(server, ledger) if wrong.startswith("L1")]
        if lost:
            print(f"without syncs {len(lost)} deliveries of {ledger.kept()} kept messages were lost after {cuts} cuts")
            return
    raise AssertionError("nothing was lost without a sync: the test is blind")


def lost_after(server, ledger):
    server.start()
    wait_for(lambda: queue_is_empty(server), "an empty queue", 30, poll=0.1)
    server.stop()
    return ledger.problems(server, 100)
