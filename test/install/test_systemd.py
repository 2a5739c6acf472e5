"""Install, run, upgrade and uninstall on a machine with systemd: as an operator does it, with the
unit as it is shipped."""

import json
import os
import re
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

from harness import BUILD, wait_for
from harness.server import ROOT

from .machine import Machine

pytestmark = [
    pytest.mark.needs_root("namespaces and overlay mounts"),
    pytest.mark.needs_release("the unit's limits leave no room for a sanitizer"),
    pytest.mark.needs_tool("systemctl", "systemd-analyze", "unshare", "nsenter"),
]

CONF = """\
hostname = "mail.example.org"
listen "mx" {
    address = "127.0.0.1:25"
    service = smtp
}
domain "example.org" { alias "postmaster" { to = {"alice"} } }
"""
EXPOSURE_MOST = 33  # tenths, of systemd-analyze security; doc/install.md says of what it consists
# what making and removing users leaves, whoever does it
LEFT_BY_USERS = {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock"}
SEEN = ("/etc", "/usr/local", "/usr/bin", "/usr/sbin", "/usr/lib/systemd", "/usr/lib/tmpfiles.d",
        "/usr/lib/sysusers.d", "/var/lib", "/var/spool", "/run/sekisho")
MAIL = "/var/lib/sekisho/mail/example.org/alice/new"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    one = Machine(tmp_path_factory.mktemp("install"))
    yield one
    one.close()


def bootstrap(machine, *words, **how):
    return machine.run(ROOT / "bootstrap", *words, seconds=300,
                       env={**os.environ, "SEKISHO_BUILD": str(BUILD)}, **how)


def snapshot(machine):
    """path -> what it is, of all that an installation may touch; of folders not the size."""
    told = machine.run("find", *SEEN, "-path", "/var/lib/systemd", "-prune", "-o", "-printf",
                       "%p\\t%y %m %u %l %s\\n", check=False).stdout
    rows = (line.split("\t", 1) for line in told.splitlines() if "\t" in line)
    return {path: re.sub(r"^(d .*) \d+$", r"\1", what) for path, what in rows
            if path not in LEFT_BY_USERS}


def send(machine, mark, code=250, to="alice@example.org"):
    """One message from a program in there."""
    text = textwrap.dedent(f"""
        import smtplib
        with smtplib.SMTP("127.0.0.1", 25, timeout=20) as c:
            c.ehlo("client.example.net")
            c.mail("sender@example.net")
            c.rcpt("{to}")
            print(*c.data(b"Subject: {mark}\\r\\n\\r\\n{mark}\\r\\n"))
        """)
    assert machine.run(sys.executable, "-c", text).stdout.startswith(str(code))


def mails(machine):
    folder = machine.path(MAIL)
    return [path.read_text() for path in folder.iterdir()] if folder.is_dir() else []


def wait_mail(machine, mark, count=1):
    wait_for(lambda: sum(f"\n{mark}\n" in text for text in mails(machine)) == count,
             lambda: f"{mark}\n{machine.journal('-n', '30')}", 20)


def pids(machine):
    """name -> pids as we see them out here, of the unit's processes."""
    found = {}
    for pid in machine.path("/sys/fs/cgroup/system.slice/sekisho.service/cgroup.procs") \
            .read_text().split():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except FileNotFoundError:
            continue  # it has ended since
        found.setdefault(name, []).append(int(pid))
    return found


def signal_all(machine, name, number):
    for pid in pids(machine)[name]:
        os.kill(pid, number)


@pytest.fixture(scope="module")
def before(machine):
    return snapshot(machine)


@pytest.fixture(scope="module")
def installed(machine, before):
    done = bootstrap(machine, "install")
    machine.path("/etc/sekisho/sekisho.conf").write_text(CONF)
    machine.run("sekisho", "user", "add", "alice@example.org")
    machine.run("systemctl", "start", "sekisho")
    return done.stdout


# The tests below run in the order of a life: installed, used, harmed, upgraded, uninstalled.

def test_install_says_what_comes_next(installed):
    assert "making system users: " in installed and "_sekisho-edge" in installed
    assert "sekisho check && systemctl enable --now sekisho" in installed


def test_unit_is_what_systemd_understands(machine, installed):
    unit = "/usr/local/lib/systemd/system/sekisho.service"
    done = machine.run("systemd-analyze", "verify", "--man=no", unit)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "sekisho" in line] == []
    machine.run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MOST}",
                "sekisho.service")


def test_it_runs_with_all_its_walls_as_its_own_users(machine, installed):
    assert machine.show("ActiveState") == "active"
    count, most = re.match(r"(\d+) of (\d+) processes serve", machine.show("StatusText")).groups()
    assert count == most
    assert "walls_missing" not in machine.journal()
    users = set(machine.path("/etc/passwd").read_text().split())
    for name, found in pids(machine).items():
        if name == "sekisho":
            continue
        for pid in found:
            uid = Path(f"/proc/{pid}/status").read_text().split("Uid:\t")[1].split()[0]
            assert any(line.startswith(f"_{name}:x:{uid}:") for line in users), name
    assert re.search(r"\d+ (KiB|MiB)", machine.run("sekisho", "status").stdout)


def test_mail_goes_in_and_is_kept(machine, installed):
    send(machine, "first")
    wait_mail(machine, "first")


def test_one_role_that_dies_is_replaced(machine, installed):
    old = pids(machine)["sekisho-state"]
    signal_all(machine, "sekisho-state", signal.SIGKILL)
    wait_for(lambda: pids(machine).get("sekisho-state", old) != old, "another state")
    wait_for(lambda: len(set(re.findall(r"\d+", machine.show("StatusText")))) == 1, "all to serve")
    assert machine.show("NRestarts") == "0"
    send(machine, "after-state")
    wait_mail(machine, "after-state")


def test_a_bad_configuration_is_not_loaded(machine, installed):
    conf = machine.path("/etc/sekisho/sekisho.conf")
    conf.write_text(CONF + "nonsense = 1\n")
    done = machine.run("systemctl", "reload", "sekisho", check=False)
    assert done.returncode != 0
    assert machine.show("ActiveState") == "active"
    assert "sekisho.conf:7: unknown key" in machine.journal()
    assert "does not fit this version" in bootstrap(machine, "install", check=False).stdout
    conf.write_text(CONF)
    machine.run("systemctl", "reload", "sekisho")
    send(machine, "after-reload")
    wait_mail(machine, "after-reload")


def test_upgrade_in_place_keeps_what_waits(machine, installed):
    signal_all(machine, "sekisho-deliver", signal.SIGSTOP)
    send(machine, "waits")
    done = bootstrap(machine, "install")
    assert "upgraded" in done.stdout and "systemctl restart sekisho" in done.stdout
    send(machine, "waits-too")  # the one that runs is not disturbed
    signal_all(machine, "sekisho-deliver", signal.SIGKILL)
    machine.run("systemctl", "restart", "sekisho")
    wait_mail(machine, "waits")
    wait_mail(machine, "waits-too")
    assert machine.path("/etc/sekisho/sekisho.conf").read_text() == CONF


def test_journal_knows_the_levels(machine, installed):
    rows = [json.loads(line) for line in machine.journal("-o", "json").splitlines()]
    levels = {row["MESSAGE"].split()[0]: row["PRIORITY"] for row in rows
              if row["MESSAGE"].startswith(("level=", "<"))}
    assert levels["level=info"] == "6" and levels["level=error"] == "3"
    assert set(levels) <= {"level=info", "level=error", "level=warn"}


def test_syslog_through_the_unit(machine, installed):
    conf = machine.path("/etc/sekisho/sekisho.conf")
    conf.write_text('log_to = "syslog"\n' + CONF)
    machine.run("systemctl", "reload", "sekisho")
    send(machine, "to-syslog")
    lines = ("-o", "json", "SYSLOG_FACILITY=2", "SYSLOG_IDENTIFIER=sekisho")
    wait_for(lambda: "verdict=delivered" in machine.run("journalctl", *lines).stdout,
             machine.journal, 10)
    conf.write_text(CONF)
    machine.run("systemctl", "reload", "sekisho")


SYSLOGD = """
import os, socket
if os.path.lexists("/dev/log"): os.unlink("/dev/log")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
with open("/run/lines", "ab", buffering=0) as out:
    while True: out.write(s.recv(65536) + b"\\n")
"""


def test_syslogd_that_ends_or_hangs_stops_nobody(machine, installed):
    def syslogd():
        machine.run("systemd-run", "--quiet", "--unit=syslogd", sys.executable, "-c", SYSLOGD)

    def told(mark, seconds=5):
        wait_for(lambda: machine.path("/run/lines").read_text().count("verdict=delivered") == mark,
                 lambda: machine.path("/run/lines").read_text(), seconds)

    conf = machine.path("/etc/sekisho/sekisho.conf")
    conf.write_text('log_to = "syslog"\n' + CONF)
    machine.run("systemctl", "stop", "sekisho")
    machine.path("/run/lines").write_bytes(b"")
    syslogd()
    wait_for(lambda: machine.path("/dev/log").is_socket(), "a syslogd")
    machine.run("systemd-run", "--quiet", "--unit=plain", "/usr/local/sbin/sekisho", "run")
    wait_for(lambda: "event=started" in machine.path("/run/lines").read_text(),
             lambda: machine.run("journalctl", "-u", "plain", "-u", "syslogd").stdout)
    send(machine, "syslog-1")
    told(1)
    assert re.match(r"<22>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d sekisho\[\d+\]: level=info role=",
                    machine.path("/run/lines").read_text().splitlines()[-1])
    machine.run("systemctl", "stop", "syslogd")
    send(machine, "syslog-2")
    wait_mail(machine, "syslog-2")
    syslogd()
    told(2)  # it waited
    machine.run("systemctl", "kill", "-s", "STOP", "syslogd")
    send(machine, "syslog-3")
    wait_mail(machine, "syslog-3")
    machine.run("systemctl", "kill", "-s", "CONT", "syslogd")
    told(3)
    machine.run("systemctl", "stop", "syslogd")
    send(machine, "syslog-4")
    wait_for(lambda: "verdict=delivered" in machine.run("journalctl", "-u", "plain").stdout,
             "standard error in its place", 10)
    machine.run("systemctl", "stop", "plain")
    machine.path("/dev/log").unlink()
    machine.path("/dev/log").symlink_to("/run/systemd/journal/dev-log")
    conf.write_text(CONF)
    machine.run("systemctl", "start", "sekisho")


def test_a_master_that_hangs_is_replaced(machine, installed):
    drop_in = machine.path("/run/systemd/system/sekisho.service.d/watchdog.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nWatchdogSec=1\nRestartSec=0\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "sekisho")
    time.sleep(2)  # its signs of life come in time
    assert machine.show("NRestarts") == "0"
    machine.run("kill", "-STOP", machine.show("MainPID"))
    wait_for(lambda: machine.show("NRestarts") == "1", machine.journal, 15)
    wait_for(lambda: machine.show("ActiveState") == "active", machine.journal, 15)
    drop_in.unlink()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "sekisho")
    send(machine, "after-hang")
    wait_mail(machine, "after-hang")


FAR = """\
domain "home.example" { mailboxes = system }
domain "tcp.example" { deliver = "lmtp:127.0.0.1:2424" }
domain "unix.example" { deliver = "lmtp:/run/far.sock" }
"""
# takes mail, and tells of each its recipient and its last line
LMTP = """
import os, socketserver, threading

class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\\r\\n")

    def handle(self):
        self.say("220 far.example LMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                self.to = line.split(b"<")[1].split(b">")[0].decode()
            if verb == b"DATA":
                self.say("354 go on")
                lines = list(iter(self.rfile.readline, b".\\r\\n"))
                with open("/run/far.mails", "a") as out:
                    out.write(self.to + " " + lines[-1].decode().strip() + "\\n")
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

open("/run/far.mails", "w").close()
tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 2424), Session)
threading.Thread(target=tcp.serve_forever).start()
unix = socketserver.ThreadingUnixStreamServer("/run/far.sock", Session)
os.chmod("/run/far.sock", 0o600)
unix.serve_forever()
"""


def test_mail_of_a_user_goes_home_and_that_of_a_far_domain_by_lmtp(machine, installed):
    conf = machine.path("/etc/sekisho/sekisho.conf")
    machine.run("useradd", "--create-home", "carol")
    uid = int(machine.run("id", "-u", "carol").stdout)
    machine.path("/run/far.py").write_text(LMTP)
    machine.run("systemd-run", "--quiet", "--unit=far", sys.executable, "/run/far.py")
    wait_for(lambda: machine.path("/run/far.sock").is_socket(), "the LMTP server", 10)
    conf.write_text(CONF + FAR)
    machine.run("systemctl", "reload", "sekisho")
    machine.run("sekisho", "user", "add", "bob@tcp.example", "bob@unix.example")
    for mark, to in (("home", "carol@home.example"), ("far-1", "bob@tcp.example"),
                     ("far-2", "bob@unix.example")):
        send(machine, mark, to=to)
    folder = machine.path("/home/carol/Maildir/new")
    wait_for(lambda: folder.is_dir() and list(folder.iterdir()), machine.journal, 20)
    [mail] = folder.iterdir()
    assert "\nhome\n" in mail.read_text()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (mail, folder, folder.parent)} \
        == {(uid, int(machine.run("id", "-g", "carol").stdout))}
    wait_for(lambda: machine.path("/run/far.mails").read_text().splitlines()
             == ["bob@tcp.example far-1", "bob@unix.example far-2"], machine.journal, 20)
    wait_for(lambda: not machine.run("sekisho", "queue", "list", "--json").stdout, machine.journal, 20)
    assert "walls_missing" not in machine.journal()
    conf.write_text(CONF)
    machine.run("systemctl", "reload", "sekisho")
    machine.run("systemctl", "stop", "far")
    machine.run("userdel", "--remove", "carol")
    for name in ("subuid", "subgid"):  # useradd fills them, and keeps what they were
        machine.path(f"/etc/{name}-").unlink(missing_ok=True)


def test_what_no_restart_mends_is_not_restarted(machine, installed):
    conf = machine.path("/etc/sekisho/sekisho.conf")
    conf.write_text(CONF + "nonsense = 1\n")
    assert machine.run("systemctl", "restart", "sekisho", check=False).returncode != 0
    assert machine.show("ActiveState") == "failed" and machine.show("NRestarts") == "0"
    conf.write_text(CONF)
    machine.run("systemctl", "start", "sekisho")


def test_completion_knows_the_commands(machine, installed):
    script = "/usr/local/share/bash-completion/completions/sekisho"

    def offered(*words):
        line = " ".join(f"'{word}'" for word in words)
        return set(machine.run("bash", "-c", f"""
            . {script}
            COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}
            _sekisho; printf '%s\\n' "${{COMPREPLY[@]}}" """).stdout.split())

    listed = machine.run("sekisho", "help", "--json").stdout
    first = {line.split('"words":"')[1].split('"')[0].split()[0] for line in listed.splitlines()}
    assert offered("sekisho", "") == first
    assert offered("sekisho", "st") == {"status"}
    assert "list" in offered("sekisho", "queue", "")
    assert "--json" in offered("sekisho", "queue", "list", "--")


def test_uninstall_leaves_what_is_documented(machine, before, installed):
    kept = mails(machine)
    done = bootstrap(machine, "uninstall")
    assert "kept: /etc/sekisho /var/lib/sekisho" in done.stdout
    assert machine.show("LoadState") == "not-found"
    assert sorted(mails(machine)) == sorted(kept) and kept
    left = {path for path in snapshot(machine).items()} - {path for path in before.items()}
    assert all(path.startswith(("/etc/sekisho", "/var/lib/sekisho", "/etc/passwd", "/etc/group",
                                "/etc/shadow", "/etc/gshadow", "/run/sekisho"))
               for path, _ in left), left


def test_purge_leaves_nothing(machine, before, installed):
    bootstrap(machine, "install")
    machine.run("systemctl", "enable", "--now", "sekisho")
    bootstrap(machine, "uninstall", "--purge")
    assert snapshot(machine) == before
