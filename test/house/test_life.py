"""master: roles start, die, are replaced, and leave in order."""

import signal
import subprocess
import time

import pytest

from harness import BUILD, wait_for

ROLES = ("control", "deliver", "edge", "logger", "spool", "state", "store", "vault", "writer")
MAIL = b"Subject: x\r\n\r\nx\r\n"


def test_term_drains_and_leaves_nothing(new_server):
    server = new_server().start()
    server.deliver(["alice@example.org"], MAIL)
    server.stop()  # checks exit code and that no process is left
    assert server.log(event="leaving")
    assert len(server.mails()) == 1


def test_interrupt_does_as_term(new_server):
    server = new_server().start()
    server.stop(signal.SIGINT)


def accepted(server):
    """One message; while peers notice that a role is gone, a 4xx or 421 is right."""
    try:
        with server.smtp() as client:
            replies = [client.reply(), client.cmd("EHLO client.example"),
                       client.cmd("MAIL FROM:<s@example.net>"), client.cmd("RCPT TO:<alice@example.org>"),
                       client.data(MAIL)]
    except OSError:
        return False
    return replies[-1].code == 250


@pytest.mark.parametrize("role", ROLES)
def test_killed_role_is_replaced_and_mail_goes_on(server, role):
    server.deliver(["alice@example.org"], MAIL)
    count = len(server.pids(role))
    old = server.kill_role(role)
    server.wait_replaced(role, old, count)
    wait_for(lambda: accepted(server), f"mail after {role} was replaced", 15)
    server.wait_delivered(2, "alice@example.org")


def test_a_role_that_finds_trouble_later_does_not_end_the_server(server):
    """Exit 78 gives up a start; afterwards it may pass: a folder that is away for a moment."""
    server.wait_log(event="started")
    folder, away = server.data_dir / "accounts", server.data_dir / "away"
    folder.rename(away)
    old = server.kill_role("vault")
    server.wait_log(event="role_ended", of="vault", code="78")
    away.rename(folder)
    server.wait_replaced("vault", old)
    wait_for(lambda: accepted(server), "mail after the folder came back", 15)


def test_end_of_master_is_the_end_of_all(new_server):
    server = new_server().start()
    family = server.family()
    server.process.kill()
    server.exit_code = server.process.wait(10)
    end = time.monotonic() + 10
    while any(pid in family for pid in live_pids(family)):
        assert time.monotonic() < end, "roles outlive master"
        time.sleep(0.02)
    server.process = None


def live_pids(family):
    return [pid for pid, name in family.items() if name_of(pid) == name]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            text = stat.read()
    except OSError:
        return None
    name, rest = text[text.index("(") + 1:].rsplit(") ", 1)
    return None if rest[0] == "Z" else name


def test_two_servers_do_not_share_a_data_dir(server):
    done = subprocess.run([server.build / "sekisho", "run", "-c", server.conf], capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == 69
    assert "another sekisho runs in" in done.stderr


def test_port_in_use_is_told(new_server, server):
    other = new_server()
    text = other.conf.read_text().replace(f":{other.port}", f":{server.port}")
    other.conf.write_text(text)
    done = other.cli("run", check=False)
    assert done.returncode == 69
    assert "Address already in use" in done.stderr and str(server.port) in done.stderr


@pytest.mark.needs_root("starts a server as somebody else")
def test_without_root_it_runs_and_says_which_walls_are_missing(new_server):
    if not all(path.stat().st_mode & 0o001 for path in (BUILD, *BUILD.parents)):
        pytest.skip("the build folder is closed to other users")
    server = new_server(user=52980).start()
    server.wait_log(event="started")
    missing = {row["of"]: row["missing"] for row in server.log(event="walls_missing")}
    assert missing == {role: "uid chroot namespaces caps" for role in ROLES}
    assert {row["level"] for row in server.log(event="walls_missing")} == {"warn"}
    for pid, name in server.family().items():
        if name != "sekisho":
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                assert "Seccomp:\t2\n" in status.read(), name
    server.deliver(["alice@example.org"], MAIL)
    server.wait_delivered(1)
