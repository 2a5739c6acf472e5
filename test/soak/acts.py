"""All that can happen to the server. Each act draws what it needs from the random source it is given,
leaves the server as it may be in real life (running, and able to recover), and fails where the
server does what it must not."""

import contextlib
import os
import signal
import socket
import time

from harness import FAULTS_BUILD, Inject, Smtp, Timeout, wait_for
from harness.clock import shift
from harness.operator import json_lines
from harness.server import BUILD

from . import plan
from .scene import free_octets

# Calls by which a role reaches the disk or a neighbour, and what they may answer.
CALLS = {
    "spool": ("pwrite64", "openat", "unlink", "statfs", "sendmsg"),
    "writer": ("openat", "write", "renameat2", "sendmsg"),
    "deliver": ("openat", "writev", "renameat", "sendmsg"),
    "edge": ("accept4", "sendmsg"),
    "store": ("pwrite64", "sendmsg"),
    "vault": ("sendmsg",),
    "state": ("sendmsg",),
}
ERRORS = {"sendmsg": ("ENOBUFS", "ENOMEM"), "accept4": ("EMFILE", "ENFILE", "ENOMEM")}
DISK_ERRORS = ("ENOSPC", "EIO", "EDQUOT", "ENOMEM")
SYNCS = (("spool", "fdatasync"), ("writer", "fsync"), ("deliver", "syncfs"))

HOUR, YEAR = 3600, 365 * 86400
BUSY = (0, 69, 75)  # exit codes of commands to a server of which a part is just missing
BAD = (78, *BUSY[1:])
REFUSED_RELOAD = "no_such_option = 1\n"

HOSTILE = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"EHLO x\r\n" + b"A" * 70000 + b"\r\n",
    b"EHLO " + b"\0" * 300 + b"\r\nMAIL FROM:<\xff@\0>\r\n",
    b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 4294967295 LAST\r\nx",
    b"EHLO x\r\nBDAT 18446744073709551616\r\n",
    b"EHLO x\r\nDATA\r\nRSET\r\n" * 200,
    b"EHLO x\r\n" + b"NOOP\r\n" * 3000,
    b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@example.org>\r\n" + b"RCPT TO:<>\r\n" * 500,
    b"EHLO x\r\nSTARTTLS\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    bytes(range(256)) * 64,
)


class Acts:
    """crashes: how often mail that was out may have come twice (L3)."""

    def __init__(self, scene):
        self.scene = scene
        self.crashes = 0

    def do(self, event, rng):
        getattr(self, event.act)(rng)
        if self.scene.process.poll() is not None:
            raise AssertionError(f"after {event}: master ended\n{self.scene.log_tail()}")

    # ---- ends ----

    def _some(self, rng, roles):
        """(role, pid) of one that runs, or None."""
        role = rng.choice(roles)
        pids = self.scene.pids(role)
        return (role, rng.choice(pids)) if pids else None

    def kill_one(self, rng):
        victim = self._some(rng, plan.ROLES + plan.KEEPERS * 2)
        wait = rng.random() < 0.5  # else the next fault meets the recovery
        if victim is None:
            return
        role, pid = victim
        for_a_user = pid in self.scene.user_delivers()
        self.crashes += 1
        with contextlib.suppress(ProcessLookupError):  # one that had nothing to do has left
            os.kill(pid, signal.SIGKILL)
        if wait and not for_a_user:
            self.scene.wait_replaced(role, pid, seconds=60)

    def _start(self, rng):
        self.scene.build = rng.choice((BUILD, FAULTS_BUILD)) if "faults" in self.scene.has else BUILD
        self.scene.start()

    def kill_all(self, rng):
        self.crashes += 1
        self.scene.kill()
        self._start(rng)

    def kill_master(self, rng):
        """The roles leave by themselves."""
        self.crashes += 1
        family = self.scene.family()
        os.kill(self.scene.process.pid, signal.SIGKILL)
        self.scene.process.wait(10)

        def gone():
            return not any(os.path.exists(f"/proc/{pid}/exe") for pid in family)
        wait_for(gone, "the roles to follow their master", 20)
        self._start(rng)

    def restart(self, rng):
        self.scene.stop(seconds=60)
        self._start(rng)

    def _need_faults(self):
        if self.scene.build != FAULTS_BUILD:
            self.scene.stop(seconds=60)
            self.scene.build = FAULTS_BUILD
            self.scene.start()

    # ---- stalls ----

    def stall_one(self, rng):
        """SIGSTOP for a while: its neighbours cannot know why it is silent."""
        victim = self._some(rng, plan.ROLES)
        seconds = rng.choice((0.2, 1, 4)) * rng.random()
        if victim is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim[1], signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(victim[1], signal.SIGCONT)

    # ---- operators ----

    def _cli(self, *words, codes=BUSY):
        if words[0] in ("check", "reload") and self.scene.tables_broken:
            codes = (*codes, 78)
        done = self.scene.cli(*words, check=False, seconds=60)
        assert done.returncode in codes, \
            f"sekisho {' '.join(words)}: exit {done.returncode}\n{done.stdout[-500:]}{done.stderr}"
        return done

    def _queued(self):
        done = self._cli("queue", "list", "--json")
        return [row["id"] for row in json_lines(done.stdout)] if done.returncode == 0 else []

    def operator_looks(self, rng):
        for words in rng.sample((("status", "--json"), ("queue", "list", "--json"), ("status",),
                                 ("user", "list"), ("config",), ("check",)), 3):
            self._cli(*words)

    def operator_holds(self, rng):
        ids = self._queued()
        held = rng.sample(ids, min(3, len(ids)))
        gone = (*BUSY, 1, 65, 67)  # delivered in between
        if held:
            self._cli("queue", "hold", *held, codes=gone)
            time.sleep(rng.random())
            self._cli("queue", "release", *held, codes=gone)

    def operator_retries(self, rng):
        self._cli("queue", "retry", "--all", codes=(*BUSY, 1, 65, 67))

    def operator_backs_up(self, rng):
        folder = self.scene.dir / f"backup-{rng.getrandbits(40):x}"
        self._cli("backup", str(folder))

    # ---- configuration ----

    def reload_good(self, rng):
        self.scene.changed = {"edges": rng.randrange(1, 4), "delivers": rng.randrange(1, 4),
                              "writers": rng.randrange(1, 3), "retry_most": rng.randrange(1, 3),
                              "log_level": rng.choice(("info", "debug"))}
        self.scene.rewrite()
        if rng.random() < 0.5:
            os.kill(self.scene.process.pid, signal.SIGHUP)
        else:
            self._cli("reload")

    def reload_bad(self, rng):
        with open(self.scene.conf, "a", encoding="utf-8") as conf:
            conf.write(REFUSED_RELOAD)
        try:
            if rng.random() < 0.5:
                os.kill(self.scene.process.pid, signal.SIGHUP)
                time.sleep(0.3)
            else:
                self._cli("reload", codes=BAD)
        finally:
            self.scene.rewrite()

    def tables_change(self, rng):
        """Whatever else stands in it, team is ann's."""
        more = rng.choice(("other: ben\n", "", "this is no alias\n", "list: ann, ben,\n  cat\n"))
        self.scene.tables_broken = "no alias" in more
        self.scene.tables.write_text("team: ann\n" + more, encoding="utf-8")

    # ---- the neighbour ----

    def sink_refuses(self, rng):
        self.scene.sink.refusing = rng.choice(("451 4.3.0 later", "421 4.3.2 not now"))
        time.sleep(rng.uniform(0.1, 2))
        self.scene.sink.refusing = None

    def sink_hangs_up(self, rng):
        self.scene.sink.hanging_up = rng.choice(("before", "after"))
        self.crashes += 6  # tries in that time: one a second
        time.sleep(rng.uniform(0.1, 2))
        self.scene.sink.hanging_up = None

    # ---- the disk ----

    def disk_full(self, rng):
        ballast = self.scene.disk.path / "ballast"
        try:
            with open(ballast, "wb") as f:
                while free_octets(self.scene.disk.path) > 3 << 20:
                    f.write(b"x" * (1 << 20))
                    f.flush()
            time.sleep(rng.uniform(0.5, 2))
        finally:
            ballast.unlink()

    # ---- clients ----

    def flood(self, rng):
        """More connections than there are places; half of them end in a reset."""
        held = []
        for n in range(500):
            sock = socket.socket()
            sock.settimeout(5)
            sock.bind((f"127.0.{rng.randrange(2, 9)}.{rng.randrange(1, 250)}", 0))
            with contextlib.suppress(OSError):
                sock.connect((self.scene.host, self.scene.port))
            held.append(sock)
        time.sleep(rng.random())
        for n, sock in enumerate(held):
            if n % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()

    def hostile(self, rng):
        for octets in rng.sample(HOSTILE, 3):
            with contextlib.suppress(OSError, Timeout):
                with Smtp(self.scene.port, self.scene.host, seconds=2) as client:
                    client.sock.sendall(octets)
                    if rng.random() < 0.5:
                        client.closed(seconds=0.3)
                    else:
                        client.reset()

    # ---- calls that fail ----

    def _inject(self, role, calls, what, when, seconds, rng):
        self._need_faults()
        pids = self.scene.pids(role)
        if not pids:
            return
        with Inject(rng.choice(pids), calls, what, when):
            time.sleep(seconds)

    def call_fails(self, rng):
        role = rng.choice(list(CALLS))
        call = rng.choice(CALLS[role])
        error = rng.choice(ERRORS.get(call, DISK_ERRORS))
        when = rng.choice((1, 2, 7, "3+"))
        self.crashes += 1  # a role may leave over it
        self._inject(role, call, f"error={error}", when, rng.uniform(0.3, 1.5), rng)

    def sync_fails(self, rng):
        role, call = rng.choice(SYNCS)
        self.crashes += 1
        self._inject(role, call, "error=EIO", rng.randrange(1, 4), rng.uniform(0.3, 1.5), rng)

    def sync_stalls(self, rng):
        role, call = rng.choice(SYNCS)
        self._inject(role, call, f"delay_enter={rng.randrange(3 * 10**6)}", "1+",
                     rng.uniform(0.5, 2), rng)

    def clock_jumps(self, rng):
        """And back, now or with the next start."""
        self._need_faults()
        shift(self.scene, rng.choice((HOUR, -HOUR, 20 * YEAR, -40 * YEAR)))
        time.sleep(rng.uniform(0.2, 2))
        if rng.random() < 0.7:
            shift(self.scene, 0)
