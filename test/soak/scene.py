"""The server that all this happens to: mailboxes of every kind at once, on a disk of its own."""

import os

from harness import DOMAIN, FAULTS_BUILD, Homes, LoopDisk, Raw, UserServer
from harness.server import BUILD
from harness.sink import Sink

VIRTUAL = "virtual.example"
AWAY = "away.example"
USERS = ("ann", "ben", "cat", "dan", "eve")
VIRTUALS = [f"{name}@{VIRTUAL}" for name in ("alice", "bob", "carol", "dora", "emil", "fred")]
AWAYS = [f"{name}@{AWAY}" for name in ("gus", "hal", "ida")]
LISTED = f"team@{DOMAIN}"  # an alias file's name for ann
OPTIONS = {
    "retry_first": 1, "retry_most": 1, "spool_reserve": Raw("8MiB"), "max_connections_client": 200,
    "max_connections": 400, "system_deliver_idle": 2, "drain": 10,
    "lmtp_connect": 5, "lmtp_wait": 5, "lmtp_wait_end": 5,
}


class Scene(UserServer):
    """Users of the machine, virtual mailboxes, and a neighbour that is spoken to by LMTP.

    `.has`: what of plan.WEIGHTS' needs is there.
    """

    def __init__(self):
        self.disk = LoopDisk(mib=192)
        self.users = Homes(USERS)
        self.sink = Sink(self.users.dir / "sink")
        self.tables = self.users.dir / "aliases"
        self.tables.write_text("team: ann\n", encoding="utf-8")
        self.changed = {}  # options that a reload has changed
        self.tables_broken = False  # the file as it lies there cannot be used
        super().__init__(self.users, options=OPTIONS, domains=self._domains(),
                         extra=f'alias_files = {{"{self.tables}"}}\n', build=BUILD,
                         data_dir=self.disk.path / "data")
        self.cli("user", "add", *VIRTUALS, *AWAYS)
        self.has = self._abilities()

    def _domains(self):
        return {DOMAIN: "mailboxes = system", VIRTUAL: "",
                AWAY: f'deliver = "lmtp:127.0.0.1:{self.sink.port}"'}

    def _abilities(self):
        words = {line.strip().split("  ")[0] for line in self.cli("help").stdout.splitlines()}
        has = words | {"disk", "tables", "sink"}
        if (FAULTS_BUILD / "sekisho").exists():
            has |= {"faults", "clock"}
        return has

    @property
    def rcpts(self):
        return [f"{user}@{DOMAIN}" for user in USERS] + VIRTUALS + AWAYS + [LISTED]

    def rewrite(self):
        """The configuration as it should be now."""
        self.write_conf({**OPTIONS, **self.changed}, self._domains(),
                        f'alias_files = {{"{self.tables}"}}\n')

    # ---- where mail lies ----

    def mails(self, address=None):
        assert address is None
        virtual = [path for sub in ("new", "cur")
                   for path in (self.data_dir / "mail").glob(f"*/*/{sub}/*")]
        return sorted(super().mails() + virtual + self.sink.mails())

    def mailbox_of(self, path):
        if path.is_relative_to(self.users.path):
            return super().mailbox_of(path)
        return f"{path.parts[-3]}@{path.parts[-4]}"

    def rcpt_mailbox(self, rcpt):
        return f"ann@{DOMAIN}" if rcpt == LISTED else rcpt

    def clean_up(self):
        self.kill()
        self.sink.close()
        self.users.remove()
        self.disk.remove()
        self.remove()


def free_octets(path):
    st = os.statvfs(path)
    return st.f_bavail * st.f_frsize
