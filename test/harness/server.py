"""One real sekisho on loopback, with all its state in a temporary folder."""

import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .logfmt import parse_line
from .mounts import lay_over
from .smtp import Smtp
from .wait import Timeout, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("SEKISHO_BUILD", ROOT / "build")).resolve()

START_SECONDS = 20.0
STOP_SECONDS = 30.0
ACCOUNTS = ("alice@example.org", "bob@example.org")
DOMAINS = {"example.org": ""}

_SANITIZER = (b"ERROR: AddressSanitizer", b"runtime error:", b"ERROR: LeakSanitizer")


class ServerError(AssertionError):
    """The server did not do what every test relies on."""


def free_port(host="127.0.0.1"):
    """A port nobody listens on, below the range the kernel gives to outgoing connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue


def _processes():
    """pid -> (parent's pid, state, name) of everything that runs."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, rest = stat[stat.index("(") + 1:].rsplit(") ", 1)
        state, parent = rest.split()[:2]
        found[int(entry)] = (int(parent), state, name)
    return found


class Server:
    """Writes a configuration, starts `sekisho run` with it, and watches it.

    options   name -> value, written as `name = value`: text is quoted, a tuple or list is a
              list, anything else as it prints; Raw("5m") for what must stand unquoted
    domains   name -> the text inside its section
    extra     more configuration, as it is
    accounts  made with `sekisho user add` before the start
    data_dir  on another disk than the rest
    user      a uid that everything runs as; default: who runs the test
    binds     path of the machine -> file that everything sees there instead (mounts.py)
    limits    resource.RLIMIT_... -> the most, for everything that is started
    """

    def __init__(self, options=None, domains=None, extra="", accounts=ACCOUNTS, build=None,
                 hostname="mail.example.org", env=None, data_dir=None, user=None, binds=None,
                 limits=None):
        self.build = Path(build or BUILD)
        self.dir = Path(tempfile.mkdtemp(prefix="sekisho-test-"))
        self.dir.chmod(0o755)  # the roles have uids of their own
        self.data_dir = Path(data_dir or self.dir / "data")
        self.conf = self.dir / "sekisho.conf"
        self.log_path = self.dir / "log"
        self.host = "127.0.0.1"
        self.port = free_port(self.host)
        self.hostname = hostname
        self.env = {**os.environ, **(env or {})}
        self.as_user = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        if binds or limits:
            self.as_user["preexec_fn"] = _before_exec(binds, limits)
        if user is not None:
            os.chown(self.dir, user, user)
        self.process = None
        self.exit_code = None
        self.write_conf(options or {}, DOMAINS if domains is None else domains, extra)
        for address in accounts:
            self.cli("user", "add", address)

    # ---- configuration ----

    def write_conf(self, options, domains, extra=""):
        lines = [f"hostname = {_value(self.hostname)}", f"data_dir = {_value(str(self.data_dir))}"]
        lines += [f"{name} = {_value(value)}" for name, value in options.items()]
        lines += [f'listen "mx" {{', f'    address = "{self.host}:{self.port}"',
                  "    service = smtp", "}"]
        for name, inside in domains.items():
            lines += [f'domain "{name}" {{', inside, "}"]
        self.conf.write_text("\n".join([*lines, extra, ""]), encoding="utf-8")

    # ---- life ----

    def start(self, wait=True):
        """Start it; with `wait`, return once it greets."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.build / "sekisho", "run", "-c", self.conf], cwd=self.dir, env=self.env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self.as_user)
        self.exit_code = None
        if wait:
            self.wait_greeting()
        return self

    def greets(self):
        if self.process.poll() is not None:
            raise ServerError(f"ended with {self.process.returncode}:\n{self.log_tail()}")
        try:
            with Smtp(self.port, self.host, seconds=1.0) as probe:
                return probe.reply().code == 220
        except (OSError, Timeout):  # it listens before its roles are there
            return False

    def wait_greeting(self, seconds=START_SECONDS):
        wait_for(self.greets, lambda: f"the greeting; log:\n{self.log_tail()}", seconds)

    def stop(self, sig=signal.SIGTERM, seconds=STOP_SECONDS):
        """SIGTERM; checks that it drains: exit code 0, no process left. Twice is once."""
        if self.process is None:
            return
        family = self.family()
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.exit_code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill_all(family)
            raise ServerError(f"still there {seconds} s after signal {sig}\n{self.log_tail()}")
        finally:
            self.process = None
        left = {pid: row for pid, row in _processes().items()
                if pid in family and row[1] != "Z" and row[2] == family[pid]}
        self.kill_all(left)
        if left:
            raise ServerError(f"left behind: {left}")
        if self.exit_code != 0:
            raise ServerError(f"exit code {self.exit_code}\n{self.log_tail()}")

    def kill(self):
        """kill -9 of master and every role at once, as a power cut ends them."""
        self.kill_all(self.family())
        if self.process is not None:
            self.exit_code = self.process.wait(STOP_SECONDS)
            self.process = None

    def kill_all(self, pids):
        for sig in (signal.SIGSTOP, signal.SIGKILL):  # first hold all: none sees another die
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
        wait_for(lambda: all(row[1] == "Z" for pid, row in _processes().items() if pid in pids),
                 "killed processes to end")

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        """Delete the folder with all state."""
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- processes ----

    def family(self):
        """pid -> name of master and its roles that are alive."""
        if self.process is None:
            return {}
        master = self.process.pid
        return {pid: name for pid, (parent, state, name) in _processes().items()
                if master in (pid, parent) and state != "Z"}

    def pids(self, role):
        """The pids of this role's processes ("edge", ...), lowest first."""
        if role == "master":
            return [self.process.pid]
        return sorted(pid for pid, name in self.family().items() if name == f"sekisho-{role}")

    def kill_role(self, role, sig=signal.SIGKILL, index=0):
        """Signal one process of this role; returns its pid."""
        pid = self.pids(role)[index]
        os.kill(pid, sig)
        return pid

    def wait_replaced(self, role, old_pid, count=1, seconds=15.0):
        """Until `count` processes of this role run and `old_pid` is none of them."""
        def replaced():
            now = self.pids(role)
            return old_pid not in now and len(now) >= count and now
        return wait_for(replaced, f"{role} {old_pid} to be replaced", seconds)

    # ---- what it did ----

    def smtp(self, **how):
        return Smtp(self.port, self.host, **how)

    def deliver(self, recipients, message, sender="sender@example.net"):
        """One message through SMTP that must be accepted; returns the reply to it."""
        with self.smtp() as client:
            client.hello()
            client.envelope(sender, recipients)
            reply = client.data(message)
            assert reply.code == 250, str(reply)
            client.quit()
        return reply

    def maildir(self, address):
        user, _, domain = address.rpartition("@")
        return self.data_dir / "mail" / domain / user

    def mailbox_of(self, path):
        """The address that a delivered file is for."""
        return f"{path.parent.parent.name}@{path.parent.parent.parent.name}"

    def mails(self, address=None):
        """All delivered files (new and cur), of one mailbox or of all, in order of name."""
        base = self.maildir(address) if address else self.data_dir / "mail"
        return sorted(path for sub in ("new", "cur") for path in base.glob(f"**/{sub}/*"))

    def wait_delivered(self, n, address=None, seconds=15.0):
        """Until exactly `n` files lie in the mailbox (or in all); more is a failure at once."""
        def there():
            found = self.mails(address)
            assert len(found) <= n, f"{len(found)} deliveries, expected {n}: {found}"
            return len(found) == n and (found or [None])
        what = lambda: f"{n} deliveries (there are {len(self.mails(address))})\n{self.log_tail()}"
        return [path for path in wait_for(there, what, seconds) if path is not None]

    def log_octets(self):
        return self.log_path.read_bytes() if self.log_path.exists() else b""

    def log_tail(self, lines=40):
        return b"\n".join(self.log_octets().split(b"\n")[-lines:]).decode("utf-8", "replace")

    def log(self, **fields):
        """The log's lines as dicts, those with these fields only."""
        found = []
        for line in self.log_octets().split(b"\n")[:-1]:
            if line.startswith(b"level="):
                row = parse_line(line)
                if all(row.get(key) == str(value) for key, value in fields.items()):
                    found.append(row)
        return found

    def wait_log(self, seconds=10.0, **fields):
        """Until a line with these fields stands in the log; returns all of them."""
        return wait_for(lambda: self.log(**fields), f"a log line with {fields}", seconds)

    def complaints(self):
        """What no run may have: sanitizer reports, failed assertions, roles that died of themselves.

        Tests kill with SIGKILL; SIGSYS is a call the walls do not allow, SIGSEGV a fault of ours.
        """
        marks = (*_SANITIZER, b"Assertion `")
        lines = [line for line in self.log_octets().split(b"\n") if any(m in line for m in marks)]
        died = self.log(event="role_ended", by="signal")
        return lines + [row for row in died if row["code"] != str(int(signal.SIGKILL))]

    def cli(self, *args, check=True, seconds=30.0, stdin=None):
        """Run an operator command on this server's configuration."""
        done = subprocess.run(
            [self.build / "sekisho", *map(str, args), "-c", self.conf], cwd=self.dir,
            env=self.env, capture_output=True, text=True, timeout=seconds, input=stdin,
            check=False, **self.as_user)
        if check and done.returncode != 0:
            raise ServerError(f"sekisho {' '.join(map(str, args))}: exit {done.returncode}\n"
                              f"{done.stdout}{done.stderr}")
        return done


def _before_exec(binds, limits):
    over = lay_over(binds) if binds else None

    def child():
        for which, most in (limits or {}).items():
            resource.setrlimit(which, (most, most))
        if over is not None:
            over()
    return child


class Raw(str):
    """A configuration value that is written without quotes: Raw("5m")."""


def _value(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(_value(item) for item in value) + "}"
    return str(value)
