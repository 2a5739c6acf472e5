"""`sekisho user` keeps the accounts, with a server and without one."""

import os
import stat

import pytest

from harness.operator import json_lines


def addresses(server):
    return [row["address"] for row in json_lines(server.cli("user", "list", "--json").stdout)]


def check_both_ways(server):
    server.cli("user", "add", "Carol@EXAMPLE.org", "dave@example.org")
    assert addresses(server)[-2:] == ["carol@example.org", "dave@example.org"]
    table = server.cli("user", "list").stdout.splitlines()
    assert [line.split()[0] for line in table] == addresses(server)

    refused = (("carol@example.org", 65), ("eve@elsewhere.example", 65), ("no address", 65),
               ("a\nb@example.org", 65), ("x" * 400 + "@example.org", 65))
    for address, status in refused:
        done = server.cli("user", "add", address, check=False)
        assert done.returncode == status, (address, done)
        assert done.stderr.count("\n") == 1 and done.stderr.startswith("sekisho: "), done.stderr
    # one that fails does not stop the others
    done = server.cli("user", "add", "carol@example.org", "frank@example.org", check=False)
    assert done.returncode == 65 and "frank@example.org" in addresses(server)


def test_accounts_without_a_server(new_server):
    check_both_ways(new_server())


def test_accounts_with_a_server(server):
    check_both_ways(server)


def test_an_account_made_while_it_runs_gets_mail_at_once(server):
    with server.smtp() as client:
        client.hello()
        client.cmd("MAIL FROM:<>")
        assert client.cmd("RCPT TO:<carol@example.org>").code == 550
    server.cli("user", "add", "carol@example.org")
    server.deliver("carol@example.org", b"Subject: welcome\r\n\r\n")
    server.wait_delivered(1, "carol@example.org")


def test_more_than_a_page_of_accounts(new_server):
    many = [f"user{n:03}@example.org" for n in range(150)]
    server = new_server(accounts=())
    server.cli("user", "add", *many)
    assert addresses(server) == many
    server.start()
    assert addresses(server) == many


@pytest.mark.needs_root("the file belongs to vault's uid")
def test_the_file_belongs_to_vault(new_server):
    server = new_server(options={"uid_base": 53000})
    folder = server.data_dir / "accounts"
    owners = {path.stat().st_uid for path in (folder, *folder.iterdir())}
    assert len(owners) == 1 and owners != {0}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.start()
    vault, = server.pids("vault")
    assert {os.stat(f"/proc/{vault}").st_uid} == owners or os.geteuid() == 0
    with open(f"/proc/{vault}/status", encoding="ascii") as status:
        uid = next(line.split()[1] for line in status if line.startswith("Uid:"))
    assert {int(uid)} == owners
