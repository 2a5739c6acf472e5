"""KILL-1 to KILL-3 and PWR-1 for mail of the machine's users: what was answered 250 lies in their
homes, once, or twice where a crash came between (harness/ledger.py is the oracle)."""

import time

import pytest

from harness import DOMAIN, Inject, Ledger, Load, LoopDisk, UserServer, wait_for

USERS = tuple(f"user{n}" for n in range(6))
ADDRESSES = tuple(f"{user}@{DOMAIN}" for user in USERS)
OPTIONS = {"retry_first": 1, "retry_most": 1, "max_connections_client": 200, "system_deliver_idle": 1,
           "system_delivers": 4}  # fewer than users: they come and go
VICTIMS = ("spool", "deliver", "deliver", "deliver", "edge", "vault", "writer")


def load(server, ledger, rng, **how):
    return Load(server.port, ledger, rcpts=ADDRESSES, seed=rng.randrange(10**6), **how)


def send_until(done, server, ledger, rng):
    """Messages for user0, a few at a time, until it has happened."""
    for _ in range(40):
        with Load(server.port, ledger, rcpts=ADDRESSES[:1], connections=2, most=4,
                  seed=rng.randrange(10**6)) as some:
            some.wait_all()
        if done():
            return
    raise AssertionError(f"{ledger.kept()} messages, and it has not happened")


def settle(server, ledger, crashes):
    ledger.settle(server, crashes)
    left = [path for user in USERS for path in server.homes[user].glob("Maildir/tmp/*")]
    assert not left, f"left in tmp: {left}"
    print(f"{ledger.kept()} kept, {crashes} crashes, {ledger.copies(server)} duplicates")


def test_any_role_at_any_time(new_homes, new_server, rng, rounds):
    """KILL-2, and KILL-3 as each recovers under load."""
    server = new_server(kind=UserServer, homes=new_homes(*USERS), options=OPTIONS).start()
    ledger = Ledger()
    crashes = 0
    with load(server, ledger, rng, connections=4):
        for _ in rounds(12):
            time.sleep(rng.uniform(0, 0.15))
            crashes += 1
            if rng.random() < 0.08:
                server.kill()
                server.start()
                continue
            role = rng.choice(VICTIMS)
            pids = server.pids(role)
            if not pids:
                continue
            try:
                old = server.kill_role(role, index=rng.randrange(len(pids)))
            except (ProcessLookupError, IndexError):
                continue  # a user's deliver has just left
            if role != "deliver":
                server.wait_replaced(role, old)
    settle(server, ledger, crashes)


def kill_before(server, ledger, rng, call):
    """user0's deliver, before the n-th call of that name."""
    with Load(server.port, ledger, rcpts=ADDRESSES[:1], connections=1, most=1,
              seed=rng.randrange(10**6)) as first:
        first.wait_all()
    [pid] = wait_for(lambda: list(server.user_delivers()), "a deliver", 15)
    with Inject(pid, call, "signal=KILL", 1 + rng.randrange(4)):
        send_until(lambda: pid not in server.user_delivers(), server, ledger, rng)


@pytest.mark.needs_tool("strace")
@pytest.mark.parametrize("call", ("openat", "writev", "renameat", "syncfs,fsync", "sendmsg"))
def test_before_the_nth_call(new_homes, new_server, rng, rounds, call):
    """KILL-1. Nobody reads the mail: so each message is there exactly once."""
    for _ in rounds(1):
        server = new_server(kind=UserServer, homes=new_homes("user0"),
                            options={**OPTIONS, "system_deliver_idle": 30}).start()
        ledger = Ledger()
        kills = 2  # of one server: then master waits long before it starts another
        for _ in range(kills):
            kill_before(server, ledger, rng, call)
        settle(server, ledger, kills)
        assert ledger.copies(server) == 0
        server.stop()


@pytest.fixture
def disk(request):
    made = LoopDisk(mib=256)
    request.addfinalizer(made.remove)
    return made


def test_cut_right_after_a_250(disk, new_homes, new_server, rng, rounds):
    """PWR-1: spool and homes on one disk whose power is cut."""
    homes = new_homes(*USERS, at=disk.path / "home")
    server = new_server(kind=UserServer, homes=homes, options=OPTIONS, data_dir=disk.path / "data")
    ledger = Ledger()
    cuts = 0
    for _ in rounds(6):
        server.start()
        with load(server, ledger, rng, connections=4, sizes=(200, 4096, 100000)) as stream:
            stream.wait_kept(rng.randrange(1, 12))
            ledger.power(on=False)
            disk.cut()
            stream.stopping.set()
            server.kill()
        disk.power_on()
        ledger.power(on=True)
        cuts += 1
    server.start()
    settle(server, ledger, cuts)
    server.stop()
