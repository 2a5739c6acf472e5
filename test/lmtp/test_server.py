"""Our LMTP listener, with the clients that others use, and with ourselves as its client."""

import shutil
import smtplib
import subprocess

import pytest

from harness import Smtp, free_port, queue_is_empty, wait_for

MAIL = b"From: s@example.net\r\nSubject: lmtp\r\n\r\n.a line\r\n"
HERE = 'listen "lmtp" {{ address = "{}" service = lmtp }}'


@pytest.fixture
def lmtp(new_server):
    """A server with an LMTP listener beside the usual one."""
    def make(address=None, **how):
        server = new_server(**how)
        server.lmtp_port = free_port()
        server.write_conf(how.get("options", {}), how.get("domains", {"example.org": ""}),
                          HERE.format(address or f"127.0.0.1:{server.lmtp_port}"))
        return server.start()
    return make


def test_python_takes_its_recipients_results(lmtp):
    """smtplib reads one reply behind the message, so one of them is taken here."""
    server = lmtp()
    with smtplib.LMTP("127.0.0.1", server.lmtp_port) as client:
        refused = client.sendmail("s@example.net", ["nobody@example.org", "alice@example.org"], MAIL)
    assert list(refused) == ["nobody@example.org"] and refused["nobody@example.org"][0] == 550
    [mail] = server.wait_delivered(1, "alice@example.org")
    assert b" with LMTP id " in mail.read_bytes().replace(b"\n ", b" ")


@pytest.mark.needs_tool("swaks")
def test_swaks_over_a_unix_socket(lmtp, tmp_path):
    path = tmp_path / "lmtp.sock"
    server = lmtp(f"unix:{path}")
    done = subprocess.run(
        [shutil.which("swaks"), "--protocol", "LMTP", "--socket", path, "--from", "s@example.net",
         "--to", "alice@example.org,bob@example.org", "--body", "hello"],
        capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    server.wait_delivered(2)


def test_who_speaks_lmtp_is_a_stranger(lmtp, tmp_path):
    server = lmtp(f"unix:{tmp_path}/lmtp.sock")
    with Smtp(tmp_path / "lmtp.sock") as client:
        client.hello(verb="LHLO")
        assert client.cmd("MAIL FROM:<alice@example.org>").code == 250
        assert client.cmd("RCPT TO:<x@elsewhere.example>").code == 554
        assert client.cmd("DATA").code == 554
        assert client.cmd("EHLO x").code == 502


def test_one_of_ours_hands_mail_to_another(lmtp, new_server):
    """Each recipient's reply is the other's: what it does not know is held here."""
    far = lmtp(accounts=("alice@example.org",))
    near = new_server(domains={"example.org": f'deliver = "lmtp:127.0.0.1:{far.lmtp_port}"'}).start()
    near.deliver(["alice@example.org", "bob@example.org"], MAIL)
    [mail] = far.wait_delivered(1)
    assert mail.read_bytes().endswith(MAIL.replace(b"\r\n", b"\n"))
    [held] = near.wait_log(event="delivery", verdict="held")
    assert held["mailbox"] == "bob@example.org" and held["reply"].startswith("550 5.1.1 ")
    near.cli("queue", "delete", held["id"], check=False)
    assert not near.log(event="delivery", verdict="deferred")


def test_port_25_is_refused(new_server):
    server = new_server()
    server.write_conf({}, {"example.org": ""}, HERE.format("127.0.0.1:25"))
    done = server.cli("check", check=False)
    assert done.returncode != 0 and "LMTP has no place on port 25" in done.stdout + done.stderr
