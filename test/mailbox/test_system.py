"""The machine's users have mailboxes, its system accounts have none: by whatever name."""

import os
import socket

import pytest

from harness.mounts import need_mounts
from harness.operator import json_lines
from harness.wait import wait_for

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33::/var/www:/usr/sbin/nologin
backup:x:34:34::/var/backups:/usr/sbin/nologin
bob:x:1000:1000:Bob,,,:/home/bob:/bin/bash
eve:x:1001:1001::/home/eve:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture
def files(tmp_path):
    """A passwd and an alias file that a test may change."""
    need_mounts()
    os.chmod(tmp_path, 0o755)
    (tmp_path / "passwd").write_text(PASSWD)
    (tmp_path / "aliases").write_text("postmaster: vera@virt.example\nabuse: root\n")
    return tmp_path


@pytest.fixture
def system(new_server, files):
    """Makes a running server: the first domain, and with it every name of the host, the machine's
    users'; a second one of them; and a virtual one."""
    def make(accounts="refuse", aliases=True):
        lists = f'alias_files = {{"{files / "aliases"}"}}' if aliases else ""
        return new_server(
            options={"system_accounts": accounts}, extra=lists, accounts=["vera@virt.example"],
            domains={"ours.example": "mailboxes = system", "extra.example": "mailboxes = system",
                     "virt.example": ""},
            binds={"/etc/passwd": files / "passwd"}).start()
    return make


def code(server, *recipients):
    """The replies to RCPT for each, in one transaction."""
    with server.smtp() as client:
        client.hello()
        client.cmd("MAIL FROM:<>")
        return [client.cmd(f"RCPT TO:<{to}>").code for to in recipients]


def forms(server, local):
    """Every name of that mailbox."""
    literal = socket.gethostbyname("localhost")
    return [f"{name}@{domain}" for name in (local, local.upper(), f"{local}+tag")
            for domain in ("ours.example", "extra.example", "localhost", server.hostname,
                           f"[{literal}]")]


def test_system_accounts_are_refused_by_every_name(system):
    server = system()
    for account in ("root", "daemon", "www-data", "backup", "nobody"):
        names = forms(server, account)
        assert code(server, *names) == [550] * len(names), account
    names = forms(server, "bob")
    assert code(server, *names) == [250] * len(names)
    assert code(server, "carol@ours.example", "abuse@extra.example") == [550, 550]
    assert code(server, "postmaster@ours.example", "postmaster@localhost", "postmaster") == [250] * 3


def test_system_accounts_are_discarded_by_every_name(system):
    """DISCARD-ALIAS, DISCARD-INCOMPLETE: whom passwd names, not whom a list does."""
    server = system("discard")
    accounts = ("root", "daemon", "www-data", "backup", "nobody")
    for account in accounts:
        names = forms(server, account)
        with server.smtp() as client:
            client.hello()
            client.envelope("a@b.example", names)
            assert client.data(MESSAGE).code == 250
        for name in names:
            server.wait_log(event="decision", verdict="discard", to=name)
    wait_for(lambda: len(server.log(event="decision", reason="discarded", verdict="discard",
                                    stage="data")) == len(accounts), "a record of each message")
    assert not server.log(event="decision", reason="kept")
    assert server.cli("queue", "list", "--json").stdout == "" and server.mails() == []
    assert code(server, "carol@ours.example") == [550]


def test_discarding_one_takes_no_mail_from_others(system):
    """DISCARD-ALL: the record names who was discarded; the others have the message."""
    server = system("discard")
    with server.smtp() as client:
        client.hello()
        client.envelope("a@b.example", ["daemon@ours.example", "vera@virt.example",
                                        "root@localhost"])
        reply = client.data(MESSAGE)
        assert reply.code == 250 and "kept as" in reply.text
        client.envelope("a@b.example", ["vera@virt.example", "abuse@ours.example"])
        client.send(b"BDAT 4 LAST\r\nx\r\n\n")
        assert client.reply().code == 250
    server.wait_delivered(2, "vera@virt.example")
    ident = server.log(event="decision", reason="kept")[0]["id"]

    def discarded():
        rows = json_lines(server.cli("explain", ident, "--json").stdout)
        return {row["record"]["fields"]["to"] for row in rows
                if row.get("record", {}).get("fields", {}).get("verdict") == "discard"}
    wait_for(lambda: discarded() == {"daemon@ours.example", "root@localhost"}, "both records")


def test_both_domains_are_one_mailbox(system):
    server = system()
    with server.smtp() as client:
        client.hello()
        client.envelope("a@b.example", ["bob@ours.example", "BOB@extra.example", "bob+x@localhost"])
        assert client.data(MESSAGE).code == 250
    assert server.wait_log(event="decision", reason="kept")[0]["rcpts"] == "1"


def test_users_come_and_go(system, files):
    """adduser and deluser are seen without a restart."""
    server = system(aliases=False)
    assert code(server, "bob@ours.example", "new@ours.example") == [250, 550]
    (files / "passwd").write_text(PASSWD.replace("bob:", "new:"))
    wait_for(lambda: code(server, "bob@ours.example", "new@ours.example") == [550, 250],
             "the new passwd")
    (files / "passwd").write_text("")  # whoever writes it has not come far
    server.wait_log(event="map_failed", file="/etc/passwd")
    assert code(server, "new@ours.example") == [250]


def test_the_list_has_both_kinds(system):
    server = system()
    want = [("bob@ours.example", True), ("eve@ours.example", True), ("vera@virt.example", False)]

    def listed():
        return [(row["address"], row["system"])
                for row in json_lines(server.cli("user", "list", "--json").stdout)]
    assert listed() == want
    assert "user of this machine" in server.cli("user", "list").stdout
    for verb in ("add", "remove"):
        done = server.cli("user", verb, "carol@ours.example", check=False)
        assert done.returncode == 65 and "machine's users" in done.stderr
    server.cli("user", "allow", "bob", "info@virt.example", "<>")

    def senders():
        return [row.get("senders") for row in json_lines(server.cli("user", "list", "--json").stdout)]
    assert senders() == [["<>", "info@virt.example"], [], None]
    server.stop()
    assert listed() == want
    assert senders() == [["<>", "info@virt.example"], [], None]
