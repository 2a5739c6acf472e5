"""A machine of its own for tests that install: systemd boots in namespaces, over a copy-on-write
view of this machine's files, and nothing of it is left afterwards."""

import os
import subprocess
from pathlib import Path

from harness import wait_for

BOOT = Path(__file__).resolve().parent / "boot.sh"
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")


class Machine:
    def __init__(self, folder):
        self.log = folder / "boot.log"
        place = folder / "machine"
        place.mkdir()
        with open(self.log, "wb") as out:
            self.unshare = subprocess.Popen(
                ["unshare", *NAMESPACES, "--fork", "--kill-child", BOOT, place],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.first = wait_for(self._first, lambda: f"systemd: {self.log.read_text()}", 20)
        wait_for(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip()
                 in ("running", "degraded"), lambda: f"the boot: {self.log.read_text()}", 30)

    def _first(self):
        """The pid of what became systemd, as we see it from outside."""
        assert self.unshare.poll() is None, self.log.read_text()
        children = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text()
        for pid in children.split():
            if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                return int(pid)
        return None

    def run(self, *words, check=True, seconds=60, **how):
        """A program in there; its output as text."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.first), *NAMESPACES, "--root", "--wd", "--",
             "timeout", str(seconds), *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False, **how)
        if check:
            assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}" \
                                         f"\n{self.journal()}"
        return done

    def path(self, path):
        """A file in there, from out here."""
        return Path(f"/proc/{self.first}/root{path}")

    def show(self, what, unit="sekisho"):
        return self.run("systemctl", "show", "--value", "-p", what, unit).stdout.strip()

    def journal(self, *words):
        return self.run("journalctl", "--no-pager", "-u", "sekisho", *words, check=False).stdout

    def close(self):
        if self.unshare.poll() is None:
            os.kill(self.first, 9)  # and with it everything in its namespace
            self.unshare.wait(20)
