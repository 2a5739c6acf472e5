"""IO-1 (sampled), IO-3: calls fail, the disk is full. Clients hear 4xx, nothing that was answered 250 is
lost, and the server goes on without a restart. Deliver's calls are in test_deliver.py."""

import os

import pytest

from harness import FAULTS_BUILD, Inject, Ledger, Load, LoopDisk, Raw, wait_for

OPTIONS = {"retry_first": 1, "retry_most": 1, "writers": 1, "edges": 1}

# Who, which call, which error. Each once and from then on always.
FAULTS = [
    ("spool", "pwrite64", "ENOSPC"), ("spool", "pwrite64", "EIO"), ("spool", "pwrite64", "EDQUOT"),
    ("spool", "fdatasync", "EIO"), ("spool", "fdatasync", "ENOSPC"), ("spool", "openat", "EMFILE"),
    ("spool", "unlink", "EROFS"), ("spool", "statfs", "EIO"), ("spool", "sendmsg", "ENOBUFS"),
    ("writer", "openat", "ENFILE"), ("writer", "openat", "EACCES"), ("writer", "write", "ENOSPC"),
    ("writer", "write", "EINTR"), ("writer", "fsync", "EIO"), ("writer", "fsync", "EDQUOT"),
    ("writer", "renameat2", "EIO"), ("edge", "accept4", "EMFILE"), ("edge", "accept4", "ENOMEM"),
    ("edge", "sendmsg", "ENOBUFS"), ("edge", "recvmmsg", "EINTR"), ("store", "pwrite64", "ENOSPC"),
    ("store", "pwrite64", "EIO"), ("vault", "sendmsg", "ENOBUFS"), ("state", "sendmsg", "ENOBUFS"),
]

FOR_EVER = ("pwrite64", "fdatasync", "fsync", "write", "openat", "renameat2", "unlink", "statfs")


def fail(server, ledger, rng, role, call, error, when):
    """Some messages while the call fails; the ledger notes what clients hear."""
    pid = wait_for(lambda: server.pids(role), f"{role} to be there", 10)[0]
    with Inject(pid, call, f"error={error}", when), \
            Load(server.port, ledger, connections=3, most=8, seed=rng.randrange(10**6),
                 sizes=(200, 4096, 100000)) as load:
        load.wait_all(90)


@pytest.mark.needs_tool("strace")
@pytest.mark.needs_root("strace attaches to roles of other uids")
def test_a_call_fails(new_server, rng, rounds):
    """IO-1: faults in the order the seed draws; each once, later once more, and where the role can go on, for ever."""
    if not (FAULTS_BUILD / "sekisho").exists():
        pytest.skip(f"no build with -Dfaults=true at {FAULTS_BUILD}")
    left = []
    for _ in rounds(12):
        left = left or rng.sample(FAULTS, len(FAULTS))
        role, call, error = left.pop()
        server = new_server(options=OPTIONS, build=FAULTS_BUILD).start()
        server.wait_log(event="started")
        ledger = Ledger()
        whens = [1, rng.randrange(2, 8)] + ([f"{rng.randrange(1, 20)}+"] if call in FOR_EVER else [])
        for when in whens:
            fail(server, ledger, rng, role, call, error, when)
        ledger.settle(server, len(whens))
        print(f"{role} {call} {error} at {whens}: {ledger.kept()} kept, clients heard {dict(ledger.failures)}")
        server.stop()


def free_octets(path):
    st = os.statvfs(path)
    return st.f_bavail * st.f_frsize


def mail_reply(server):
    with server.smtp() as client:
        client.hello()
        return client.cmd("MAIL FROM:<s@example.net>")


@pytest.mark.needs_root("mounts a loop device")
def test_full_disk_refuses_with_452_and_recovers(new_server, request):
    """IO-3: below the reserve MAIL is answered 452; what was accepted is delivered; room is used again."""
    disk = LoopDisk(mib=48)
    request.addfinalizer(disk.remove)
    server = new_server(options={**OPTIONS, "spool_reserve": Raw("8MiB")}, data_dir=disk.path / "data")
    server.start()
    ledger = Ledger()
    with Load(server.port, ledger, connections=3, sizes=(4096, 30000, 100000)) as load:
        load.wait_kept(20)
        ballast = disk.path / "ballast"
        with open(ballast, "wb") as f:
            while free_octets(disk.path) > 4 << 20:
                f.write(b"x" * (1 << 20))
                f.flush()
        wait_for(lambda: mail_reply(server).code == 452, "452 below the reserve", 15)
    reply = mail_reply(server)
    assert (reply.code, reply.dsn) == (452, "4.3.1"), str(reply)
    ballast.unlink()
    wait_for(lambda: mail_reply(server).code == 250, "room to be found again", 15)
    ledger.settle(server, 0)
    assert ledger.kept() >= 20 and set(ledger.failures) <= {452, 451}
    server.stop()


@pytest.mark.needs_root("mounts a loop device")
def test_disk_without_inodes_refuses_with_452(new_server, request):
    disk = LoopDisk(mib=64, inodes=256)
    request.addfinalizer(disk.remove)
    server = new_server(options={**OPTIONS, "spool_reserve": Raw("1MiB")}, data_dir=disk.path / "data")
    server.start()
    made = []
    while os.statvfs(disk.path).f_favail > 20:
        made.append(disk.path / f"empty{len(made)}")
        made[-1].touch()
    wait_for(lambda: mail_reply(server).code == 452, "452 without inodes", 15)
    for path in made:
        path.unlink()
    wait_for(lambda: mail_reply(server).code == 250, "inodes to be found again", 15)
    server.stop()
