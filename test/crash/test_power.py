"""PWR-1: the power is cut right after the k-th 250. What was answered 250 is there afterwards."""

import pytest

from harness import Ledger, Load, LoopDisk

pytestmark = pytest.mark.needs_root("mounts a loop device")

OPTIONS = {"retry_first": 1, "retry_most": 1}


@pytest.fixture
def disk(request):
    made = LoopDisk(mib=256)
    request.addfinalizer(made.remove)
    return made


def cut_once(server, disk, ledger, rng):
    server.start()
    with Load(server.port, ledger, connections=4, seed=rng.randrange(10**6),
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
