"""Users of the machine for a test: a passwd of its own, which its servers see, and their homes."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .mounts import need_mounts
from .server import Server

PASSWD = "/etc/passwd"
FIRST_UID = 30001  # and as gid; nobody on this machine has them
DOMAIN = "example.org"


class Homes:
    """`users` (names) with homes below `.path`; `.passwd` is the machine's own and these."""

    def __init__(self, users, at=None):
        need_mounts()
        self.dir = Path(tempfile.mkdtemp(prefix="sekisho-homes-"))
        self.dir.chmod(0o755)
        self.path = Path(at) if at else self.dir / "home"
        self.path.mkdir(exist_ok=True)
        self.path.chmod(0o755)
        self.uids = {}
        self.extra = []  # more lines
        self.machine = Path(PASSWD).read_text(encoding="utf-8")
        self.passwd = self.dir / "passwd"
        self.add(*users)

    def __getitem__(self, user):
        """The home."""
        return self.path / user

    def write(self):
        """In place: what lies over /etc/passwd is this very file."""
        rows = [f"{user}:x:{uid}:{uid}::{self[user]}:/bin/sh" for user, uid in self.uids.items()]
        self.passwd.write_text(self.machine + "\n".join([*rows, *self.extra, ""]), encoding="utf-8")

    def add(self, *users):
        for user in users:
            self.uids[user] = uid = FIRST_UID + len(self.uids)
            self[user].mkdir(mode=0o700)
            os.chown(self[user], uid, uid)
        self.write()

    def run_as(self, user, *command):
        """What the user does: no more than the user may."""
        uid = self.uids[user]
        subprocess.run([str(word) for word in command], cwd=self[user], user=uid, group=uid,
                       extra_groups=[], check=True, capture_output=True)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)


class UserServer(Server):
    """A server whose domain has the users of `homes` for mailboxes."""

    def __init__(self, homes, options=None, domains=None, **how):
        self.homes = homes
        super().__init__(options={"system_uid_min": FIRST_UID, **(options or {})},
                         domains=domains or {DOMAIN: "mailboxes = system"}, accounts=(),
                         binds={PASSWD: homes.passwd}, **how)

    def maildir(self, address):
        return self.homes[address.rpartition("@")[0]] / "Maildir"

    def mailbox_of(self, path):
        return f"{path.parent.parent.parent.name}@{DOMAIN}"

    def mails(self, address=None):
        users = [address.rpartition("@")[0]] if address else list(self.homes.uids)
        return sorted(path for user in users for sub in ("new", "cur")
                      for path in (self.homes[user] / "Maildir" / sub).glob("*"))

    def user_delivers(self):
        """pid -> uid of the delivers that are a user's."""
        found = {}
        for pid in self.pids("deliver"):
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            except (FileNotFoundError, ProcessLookupError):
                continue
            uid = int(status.split("\nUid:\t")[1].split()[0])
            if uid in self.homes.uids.values():
                found[pid] = uid
        return found
