"""Listeners on UNIX sockets: who may connect, who is told apart, and what is left behind."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from harness import Smtp

MAIL = b"From: s@example.net\r\nSubject: here\r\n\r\nhello\r\n"
NOBODY = 65534


def listen(path, *more):
    return "\n".join(['listen "here" {', f'    address = "unix:{path}"', *more, "}"])


@pytest.fixture
def unix(new_server):
    """A server with a UNIX listener beside the usual one."""
    def make(*more, **how):
        server = new_server(**how)
        server.path = server.dir / "here.sock"
        server.write_conf(how.get("options", {}), {"example.org": ""}, listen(server.path, *more))
        return server
    return make


def refuses(server, said):
    done = server.cli("run", check=False)
    assert done.returncode == 69 and said in done.stderr, str(done)


def test_mail_comes_in_and_the_client_is_its_uid(unix):
    server = unix().start()
    with Smtp(server.path) as client:
        client.hello("here.example")
        client.envelope("s@example.net", "alice@example.org")
        assert client.data(MAIL).code == 250
        client.quit()
    [mail] = server.wait_delivered(1, "alice@example.org")
    assert f"from here.example (uid {os.geteuid()}) by".encode() in mail.read_bytes().replace(b"\n ", b" ")
    assert server.wait_log(event="decision", reason="kept", client=f"uid:{os.geteuid()}")


def test_a_local_client_is_a_stranger_too(unix):
    server = unix().start()
    with Smtp(server.path) as client:
        client.hello()
        assert client.cmd("MAIL FROM:<root@example.org>").code == 250
        assert client.cmd("RCPT TO:<somebody@elsewhere.example>").code == 554
        assert client.cmd("RCPT TO:<alice@[127.0.0.1]>").code == 250


def test_its_folder_is_made_where_it_is_missing(new_server):
    server = new_server()
    folder = server.dir / "run"
    server.write_conf({}, {"example.org": ""}, listen(folder / "here.sock"))
    server.start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    with Smtp(folder / "here.sock") as client:
        client.hello()


def test_a_uid_is_one_client_of_the_limits(unix):
    server = unix('mode = "0666"', options={"max_connections_client": 2}).start()
    with Smtp(server.path) as one, Smtp(server.path) as two, Smtp(server.path) as three:
        one.expect(220)
        two.expect(220)
        assert three.reply().code == 421
        with server.smtp() as other:
            other.expect(220)
        if os.geteuid() != 0:
            return
        said = subprocess.run(
            [sys.executable, "-c", "import socket, sys; s = socket.socket(socket.AF_UNIX);"
             "s.connect(sys.argv[1]); print(s.recv(99).decode())", server.path],
            user=NOBODY, capture_output=True, text=True, check=True)
        assert said.stdout.startswith("220 ")


@pytest.mark.needs_root("gives a socket to somebody")
def test_mode_and_owner_are_those_of_the_file(unix):
    server = unix('mode = "0620"', "owner = nobody", 'group = "54321"').start()
    seen = os.stat(server.path)
    assert (stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid) == (0o620, NOBODY, 54321)
    assert stat.S_ISSOCK(seen.st_mode)


def test_what_was_left_behind_is_replaced_and_nothing_is_left_behind(unix):
    server = unix().start()
    server.kill()
    assert server.path.exists()
    server.start()
    with Smtp(server.path) as client:
        client.hello()
    server.stop()
    assert not server.path.exists()


@pytest.mark.parametrize("prepare, said", [
    (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), None),
    (lambda path: path.write_text("mine"), "Address already in use"),
])
def test_a_file_in_the_way_is_nobodys_to_remove(unix, prepare, said):
    server = unix()
    prepare(server.path)
    if said is None:
        server.start()
        return
    refuses(server, said)
    assert server.path.read_text() == "mine"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM])
def test_a_socket_that_is_in_use_is_not_taken_over(unix, kind):
    server = unix()
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(str(server.path))
        if kind != socket.SOCK_DGRAM:  # such as a syslogd's, which is never listened on
            other.listen(1)
        refuses(server, "Address already in use")
        assert server.path.exists()


def test_a_reload_touches_no_file_that_took_the_sockets_place(unix):
    server = unix('mode = "0666"').start()
    server.path.unlink()
    server.path.write_text("mine")
    server.path.chmod(0o600)
    server.cli("reload")
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert server.wait_log(event="listen", level="error")


@pytest.mark.parametrize("line, said", [
    ("owner = no-such-user", "there is no user no-such-user"),
    ("group = no-such-group", "there is no group no-such-group"),
])
def test_names_that_the_machine_does_not_have_stop_the_start(unix, line, said):
    server = unix(line)
    refuses(server, said)
