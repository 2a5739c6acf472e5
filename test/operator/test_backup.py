"""`sekisho backup` copies a server that runs; `sekisho restore` makes one of it elsewhere."""

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from harness import wait_for
from harness.operator import Operator, json_lines

LARGE = b"x" * 70 + b"\r\n"


def mail(number, large=False):
    return b"From: s@example.net\r\nSubject: number-%d-\r\n\r\nbody\r\n" % number + (
        LARGE * 2000 if large else b"")


def numbers(server):
    """How often each message was delivered."""
    found = {}
    for path in server.mails():
        number = int(re.search(rb"number-(\d+)-", path.read_bytes())[1])
        found[number] = found.get(number, 0) + 1
    return found


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class Load(threading.Thread):
    """Sends until told to stop; `sent` are the numbers that were answered 250."""

    def __init__(self, server, first):
        super().__init__()
        self.server, self.next, self.sent, self.over, self.failed = server, first, [], False, []

    def run(self):
        while not self.over:
            try:
                self.server.deliver("bob@example.org", mail(self.next, self.next % 5 == 0))
                self.sent.append(self.next)
                self.next += 1
            except (AssertionError, OSError) as error:
                self.failed.append(error)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.over = True
        self.join()


def test_what_was_queued_is_delivered_elsewhere(stuck, new_server):
    parts = stuck.dir / "conf.d"
    parts.mkdir()
    (stuck.dir / "elsewhere").write_text("retry_most = 3600\n")
    (parts / "10-more.conf").symlink_to("../elsewhere")
    (parts / "notes.txt").write_text("not read\n")
    for number in range(40):
        stuck.deliver("alice@example.org", mail(number, number % 4 == 0))
    stuck.cli("queue", "hold", "--newer", "1d", "--recipient", "alice@example.org")
    target = stuck.dir / "backup"
    with Load(stuck, 1000) as load:
        wait_for(lambda: len(load.sent) >= 10, "some load")
        before = list(load.sent)
        told = json.loads(stuck.cli("backup", "--json", target).stdout)
        stuck.cli("user", "add", "late@example.org")
        # what was deleted once it was copied is in the copy all the same
        wait_for(lambda: len(load.sent) > len(before) + 5, "more load")
    assert not load.failed
    listed = json.loads((target / "backup.json").read_text())
    assert {"spool/spool.db", "accounts/accounts.db", "journal/journal.db", "sekisho.conf"} <= {
        row["path"] for row in listed["files"]}
    assert told["files"] == len(listed["files"]) and told["octets"] == sum(
        row["size"] for row in listed["files"])
    assert files(target) == sorted([row["path"] for row in listed["files"]] + ["backup.json"])
    assert target.stat().st_mode & 0o777 == 0o700
    assert (target / "conf.d" / "10-more.conf").read_text() == "retry_most = 3600\n"
    assert not (target / "conf.d" / "notes.txt").exists()
    # nothing is left behind, and the next one may come
    assert not list(stuck.data_dir.rglob("backup.db"))
    stuck.cli("backup", stuck.dir / "second")

    other = new_server(accounts=())
    shutil.rmtree(other.data_dir, ignore_errors=True)
    done = other.cli("restore", target)
    assert done.stdout.startswith(f"{told['files'] - 2} files, ")
    users = [row["address"] for row in json_lines(other.cli("user", "list", "--json").stdout)]
    assert users == ["alice@example.org", "bob@example.org"]
    other.start()
    assert len(json_lines(other.cli("queue", "list", "--json", "--state", "held").stdout)) == 40
    other.cli("queue", "flush")
    other.cli("queue", "release", "--all")
    wait_for(lambda: not other.cli("queue", "list", "--json").stdout, "an empty queue", 30)
    delivered = numbers(other)
    assert set(range(40)) | set(before) <= set(delivered)
    assert set(delivered.values()) == {1}
    # it goes on as any other server does
    other.deliver("alice@example.org", mail(5000))
    wait_for(lambda: 5000 in numbers(other), "new mail")
    wait_for(lambda: not list((other.data_dir / "spool" / "body").iterdir())
             or len(delivered) < len(load.sent) + 40, "no bodies left")
    assert other.cli("explain", listed_id(other, target)).returncode == 0


def listed_id(server, target):
    with sqlite3.connect(f"file:{target}/journal/journal.db?mode=ro&immutable=1", uri=True) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        number = db.execute(f"SELECT max(id) FROM {tables[0]}").fetchone()[0]
    letters = "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(letters[number >> 5 * i & 31] for i in range(12, -1, -1))


def test_bodies_stay_while_they_are_copied(stuck):
    """Deleted after spool's copy was made and before the bodies were taken."""
    sent = stuck.deliver("alice@example.org", mail(1, large=True)).text.split()[-1]
    body = stuck.data_dir / "spool" / "body" / sent
    with Operator(stuck.data_dir / "control.sock") as operator:
        assert operator.ask(verb="copy_spool", act="0")[1]["end"]
        wait_for(lambda: operator.ask(verb="copy_spool", act="1")[0][0]["whole"], "the copy")
        wait_for(lambda: "waiting" in stuck.cli("queue", "list").stdout, "it to wait")
        stuck.cli("queue", "delete", sent)
        time.sleep(0.2)
        assert body.exists()
        operator.ask(verb="copy_spool", act="2")
    assert not (stuck.data_dir / "spool" / "backup.db").exists()


@pytest.mark.parametrize("role", ["spool", "vault", "store"])
def test_a_copy_ends_with_its_role(server, role):
    verb, folder = {"spool": ("copy_spool", "spool"), "vault": ("copy_accounts", "accounts"),
                    "store": ("copy_journal", "journal")}[role]
    with Operator(server.data_dir / "control.sock") as operator:
        assert operator.ask(verb=verb, act="1")[1]["error"].startswith("no copy was begun")
        operator.ask(verb=verb, act="0")
        assert (server.data_dir / folder / "backup.db").exists()
    server.wait_replaced(role, server.kill_role(role, signal.SIGKILL))
    server.deliver("alice@example.org", mail(1))
    server.wait_delivered(1)
    wait_for(lambda: not (server.data_dir / folder / "backup.db").exists(), "it to be removed")


# ---- refusals ----

@pytest.fixture
def backed_up(new_server):
    """(a server that has ended, its backup)"""
    server = new_server().start()
    server.deliver("alice@example.org", mail(1))
    server.wait_delivered(1)
    server.cli("backup", server.dir / "backup")
    server.stop()
    return server, server.dir / "backup"


def test_restore_refuses_what_it_must_not_do(backed_up):
    server, target = backed_up
    assert server.cli("backup", server.dir / "other", check=False).returncode == 69
    done = server.cli("restore", target, check=False)
    assert done.returncode == 73 and "is not empty" in done.stderr
    server.start()
    done = server.cli("restore", target, check=False)
    assert done.returncode == 69 and "stop it first" in done.stderr
    done = server.cli("backup", target, check=False)
    assert done.returncode == 73 and "is not empty" in done.stderr
    server.stop()
    shutil.rmtree(server.data_dir)

    def refused(said, code=65):
        done = server.cli("restore", target, check=False)
        assert done.returncode == code and said in done.stderr, done
        assert not server.data_dir.exists()
    listed = (target / "backup.json").read_text()
    (target / "backup.json").write_text(listed.replace('"format": 1', '"format": 2'))
    refused("format 2; this sekisho knows up to 1")
    (target / "backup.json").unlink()
    refused("no whole backup")
    (target / "backup.json").write_text(listed[:-20])
    refused("backup.json: line")
    (target / "backup.json").write_text(listed)

    accounts = target / "accounts" / "accounts.db"
    good = accounts.read_bytes()
    accounts.write_bytes(good[:60] + (99).to_bytes(4, "big") + good[64:])
    refused("accounts.db has version 99, made by a newer sekisho")
    accounts.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused("it is damaged")
    accounts.unlink()
    accounts.symlink_to("/etc/passwd")
    refused("accounts/accounts.db")
    accounts.unlink()
    accounts.write_bytes(good)
    assert server.cli("restore", server.dir / "nowhere", check=False).returncode == 66
    server.cli("restore", target)
    server.start()
    server.deliver("bob@example.org", mail(2))
    server.wait_delivered(1)


def test_a_restore_that_ends_early_leaves_no_row_without_its_body(stuck):
    """It dies at the first file over 1 MiB, as the disk may be full there."""
    for number in range(3):
        stuck.deliver("alice@example.org", mail(number) + LARGE * 30000)
    stuck.cli("backup", stuck.dir / "backup")
    stuck.stop()
    shutil.rmtree(stuck.data_dir)
    done = subprocess.run(
        ["prlimit", f"--fsize={1 << 20}", stuck.build / "sekisho", "restore", stuck.dir / "backup",
         "-c", stuck.conf], check=False, timeout=30)
    assert done.returncode == -signal.SIGXFSZ
    assert [path for path in files(stuck.data_dir) if path.startswith("spool/body/")]
    assert not list(stuck.data_dir.rglob("*.db"))


def test_a_configuration_that_is_linked_is_copied(stuck):
    """As those who keep /etc in a repository have it."""
    link = stuck.dir / "linked.conf"
    link.symlink_to(stuck.conf)
    subprocess.run([stuck.build / "sekisho", "backup", stuck.dir / "linked", "-c", link], check=True,
                   timeout=30)
    assert (stuck.dir / "linked" / "sekisho.conf").read_bytes() == stuck.conf.read_bytes()


@pytest.mark.parametrize("path", ["../evil", "spool/body/../../evil", "/etc/evil", "mail/evil",
                                  "accounts/../evil", "spool/body/evil"])
def test_restore_writes_nowhere_else(backed_up, path):
    server, target = backed_up
    shutil.rmtree(server.data_dir)
    listed = json.loads((target / "backup.json").read_text())
    listed["files"].append({"path": path, "size": 0, "xxh3": "0"})
    (target / "backup.json").write_text(json.dumps(listed))
    server.cli("restore", target)
    assert not list(server.dir.rglob("*evil*"))
