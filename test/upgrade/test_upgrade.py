"""UPG-1: what an older sekisho kept is taken over, whole and once; what a newer one kept is left
as it is."""

import subprocess
import time

import pytest

from harness import wait_for

from .conftest import FILES, digests, shape_of

CONFIG = 78  # sysexits: the service manager does not try again


def test_everything_that_waited_is_delivered_once(old):
    before = {name: old.version(name) for name in FILES}
    old.server.start()
    old.check_all_is_there()
    old.server.stop()
    steps = {(row["file"], int(row["from"]), int(row["to"]))
             for row in old.server.log(event="upgraded")}
    assert steps == {(name, n, n + 1) for name, was in before.items()
                     for n in range(was, old.version(name))}
    old.server.start()  # and from now on nothing is left to do
    old.server.stop()
    assert len(old.server.log(event="upgraded")) == len(steps)


def test_old_files_become_what_new_ones_are(old, new_server):
    fresh = new_server().start()
    fresh.stop()
    old.server.start()
    old.server.stop()
    for name, path in FILES.items():
        assert old.version(name) > 0
        assert shape_of(old.path(name)) == shape_of(fresh.data_dir / path), name


def test_kill_at_any_moment_of_the_start(old, rng):
    for _ in range(6):
        old.server.start(wait=False)
        time.sleep(rng.uniform(0.01, 0.25))
        old.server.kill()
    old.server.start()
    old.check_all_is_there()


@pytest.mark.needs_root("strace follows a process that changes its uid")
@pytest.mark.needs_release("strace sees the sanitizer's writes too")
@pytest.mark.needs_tool("strace")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_spool_killed_at_each_write(old, call):
    """Each start of spool dies at its n-th write of the file; the one that follows goes on."""
    server = old.server
    for nth in (1, 2, 4):
        seen = len(server.log(event="role_ended", of="spool", by="signal", code=9))
        with open(server.log_path, "ab") as log:
            server.process = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                 f"inject={call}:signal=KILL:when={nth}", server.build / "sekisho", "run", "-c",
                 server.conf], cwd=server.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        wait_for(lambda seen=seen: len(server.log(
            event="role_ended", of="spool", by="signal", code=9)) > seen,
            f"spool to be killed at its {call} number {nth}")
        kill_traced(server)
    server.start()
    old.check_all_is_there()


def kill_traced(server):
    """strace, master below it, and the roles below that."""
    master = int(subprocess.run(["pgrep", "-P", str(server.process.pid)], text=True,
                                capture_output=True, check=True).stdout.split()[0])
    roles = subprocess.run(["pgrep", "-P", str(master)], text=True, capture_output=True,
                           check=False).stdout.split()
    server.kill_all([server.process.pid, master, *map(int, roles)])
    server.process.wait()
    server.process = None


@pytest.mark.parametrize("name", ["spool.db", "accounts.db"])
def test_newer_file_is_refused_and_left_alone(old, name):
    old.server.start()  # the newest version that this build knows
    old.server.cli("user", "list")  # vault has taken its file over
    old.server.kill()
    known = old.version(name)
    old.version(name, known + 1)
    folder = old.path(name).parent
    before = digests(folder)
    old.server.start(wait=False)
    assert old.server.process.wait(20) == CONFIG
    old.server.process = None
    text = f"open {name}: {name} has version {known + 1}, made by a newer sekisho; " \
           f"this one knows up to {known}"
    assert any(text in row["text"] for row in old.server.wait_log(event="birth"))
    assert digests(folder) == before
    old.version(name, known)
    old.server.start()
    old.check_all_is_there()


def test_newer_journal_stops_no_mail_and_is_left_alone(old):
    known = old.version("journal.db")
    old.version("journal.db", known + 7)
    before = digests(old.server.data_dir / "journal")
    old.server.start()
    old.server.wait_log(event="journal_failed")
    wait_for(lambda: len(old.server.mails()) >= old.expect["recipients"], "the mail")
    assert any("made by a newer sekisho" in row["text"]
               for row in old.server.log(event="journal_failed"))
    old.server.stop()
    assert digests(old.server.data_dir / "journal") == before
