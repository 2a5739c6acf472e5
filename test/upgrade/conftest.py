"""Folders that an older sekisho left (make_data.py), laid out for a server of this build."""

import hashlib
import json
import os
import pwd
import re
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from harness import Raw, queue_is_empty, strip_added, wait_for

DATA = Path(__file__).resolve().parent / "data"
# name of the folder -> (owner, group), as roles; the files in it are theirs too
OWNERS = {"spool": ("spool", "spool"), "spool/body": ("writer", "spool"),
          "accounts": ("vault", "vault"), "journal": ("store", "store")}
FILES = {"spool.db": "spool/spool.db", "accounts.db": "accounts/accounts.db",
         "journal.db": "journal/journal.db"}
OPTIONS = {"retry_first": 1, "retry_most": 1, "queue_lifetime": Raw("30d"),
           "journal_age": 315360000}
DOMAINS = {"example.org": 'alias "team" { to = {"alice", "bob"} }'}
NUMBERS = {"vault": 2, "store": 4, "spool": 5, "writer": 6}  # enum proc


def uid_of(role):
    try:
        return pwd.getpwnam(f"_sekisho-{role}").pw_uid
    except KeyError:
        return 52000 + NUMBERS[role]


def give_away(data_dir):
    for folder, (owner, group) in OWNERS.items():
        base = data_dir / folder
        for path in (base, *(p for p in base.iterdir() if p.is_file())):
            os.chown(path, uid_of(owner), uid_of(group))


def version_of(path, new=None):
    """The number in a database that nobody has open; given a new one, it is changed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        if new is not None:
            db.execute(f"PRAGMA user_version = {new}")
        return db.execute("PRAGMA user_version").fetchone()[0]


def shape_of(path):
    """Tables, columns and indices, in whatever words and order of time they were made."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: (
            [row[1:] for row in db.execute(f"PRAGMA table_xinfo({name})")],
            sorted((row[1] if row[3] == "c" else "", row[2], row[3], row[4],
                    tuple(tuple(col) for col in db.execute(f"PRAGMA index_xinfo('{row[1]}')")))
                   for row in db.execute(f"PRAGMA index_list({name})"))) for name in names}


def digests(folder):
    """Of every file that has anything in it; what only processes share (-shm) is none."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and path.stat().st_size > 0 and not path.name.endswith("-shm")}


class Old:
    """A server of this build on the folder that an older one left."""

    def __init__(self, server, archive):
        self.server = server
        server.data_dir.mkdir(mode=0o711)
        with tarfile.open(archive) as tar:
            self.expect = json.loads(tar.extractfile("expect.json").read())
            tar.extractall(server.data_dir, members=[
                m for m in tar.getmembers() if m.name != "expect.json"])
        if os.geteuid() == 0:
            give_away(server.data_dir)

    def path(self, name):
        return self.server.data_dir / FILES[name]

    def version(self, name, new=None):
        """The number in the file, read or changed while nobody has it open."""
        path = self.path(name)
        found = version_of(path, new)
        if os.geteuid() == 0:
            give_away(self.server.data_dir)  # what SQLite made beside it is root's
        return found

    def check_all_is_there(self):
        """Everything that waited lies where it belongs, once; the accounts and the journal live."""
        server = self.server
        wait_for(lambda: queue_is_empty(server), lambda: f"an empty queue\n{server.log_tail()}", 20)
        due = sorted((f"{user}@example.org", mark) for mark, _, rcpts, _ in self.expect["waiting"]
                     for rcpt in rcpts
                     for user in (("alice", "bob") if rcpt.startswith("team") else (rcpt[:-12],)))
        got = sorted((f"{path.parent.parent.name}@example.org", mark_in(path))
                     for path in server.mails())
        assert got == due
        for account in self.expect["accounts"]:
            assert account in server.cli("user", "list").stdout.split()
        told = server.cli("explain", self.expect["delivered_before"]).stdout
        assert re.search(r"delivery +delivered .*rcpt=alice@example.org", told)


def mark_in(path):
    """The mark of a message all of which is as it was sent."""
    _, content = strip_added(path.read_bytes())
    mark = content.split(b"\n", 1)[0].removeprefix(b"Subject: ").decode()
    lines = content.decode().split("\n")
    assert lines[2] == f"This is {mark}." and lines[-1] == ""
    assert lines[3:-1] == [f"line {n} of {mark}" for n in range(len(lines) - 4)]
    assert (len(lines) == 200_000 // 20 + 4) == (mark == "large")
    return mark


@pytest.fixture(params=sorted(DATA.glob("*.tar.xz")), ids=lambda path: path.name.split(".")[0])
def old(request, new_server):
    return Old(new_server(options=OPTIONS, domains=DOMAINS, accounts=()), request.param)
