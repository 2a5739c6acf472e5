"""Alias files and virtual tables: read as Postfix reads them, and again whenever they change."""

import os
import time

import pytest

from harness.wait import wait_for

SECONDS = 5.0  # a change is looked for twice a second


@pytest.fixture
def table(tmp_path):
    """Writes a file of that name into a folder that the server can reach."""
    os.chmod(tmp_path, 0o755)

    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def lists(aliases=(), virtual=()):
    def one(key, paths):
        return f"{key} = {{{', '.join(f'{chr(34)}{path}{chr(34)}' for path in paths)}}}\n"
    return one("alias_files", aliases) + one("virtual_files", virtual)


def code(server, *recipients):
    with server.smtp() as client:
        client.hello()
        client.cmd("MAIL FROM:<>")
        return [client.cmd(f"RCPT TO:<{to}>").code for to in recipients]


def becomes(server, want, *recipients):
    wait_for(lambda: code(server, *recipients) == want,
             lambda: f"{recipients} to be {want}, is {code(server, *recipients)}", SECONDS)


def test_an_alias_file_in_all_its_lives(new_server, table):
    path = table("aliases", "one: alice\n")
    server = new_server(extra=lists([path])).start()
    names = ("one@example.org", "two@example.org", "alice@example.org", "one@localhost")
    assert code(server, *names) == [250, 550, 250, 250]

    path.write_text("two: alice\n")  # rewritten
    becomes(server, [550, 250, 250, 550], *names)

    other = table("aliases.new", "one: alice,\n  bob\n")  # replaced, as postalias's users do
    os.utime(other, ns=(os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns))
    other.rename(path)
    becomes(server, [250, 550, 250, 250], *names)

    path.write_text("two: alice\nthis is no alias\n")  # broken: what was good stays
    server.wait_log(event="map_bad_line", line="2")
    assert server.wait_log(event="map_failed")[-1]["file"] == str(path)
    assert code(server, *names) == [250, 550, 250, 250]
    assert len(server.log(event="map_failed")) == 1

    path.unlink()  # gone: whoever it could concern waits, nobody is refused
    becomes(server, [451, 451, 451, 451], *names)

    path.write_text("two: alice\n")  # it comes back
    becomes(server, [550, 250, 250, 550], *names)


def test_a_file_that_is_written_slowly(new_server, table):
    """Nobody is refused because a file has been emptied and not written yet."""
    path = table("aliases", "one: alice\n")
    server = new_server(extra=lists([path])).start()
    assert code(server, "one@example.org") == [250]  # it has been read
    for text in ("one: alice\ntwo:", " alice\n"):
        with open(path, "w" if "one" in text else "a", encoding="utf-8") as half:
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                assert code(server, "one@example.org") == [250]
            half.write(text)
    becomes(server, [250, 250], "one@example.org", "two@example.org")
    assert not server.log(event="map_failed")


def test_another_list_by_a_reload(new_server, table):
    old, new = table("old", "one: alice\n"), table("new", "two: alice\n")
    virtual = table("virtual", "three@example.org bob\n")
    server = new_server(extra=lists([old])).start()
    names = ("one@example.org", "two@example.org", "three@example.org")
    assert code(server, *names) == [250, 550, 550]
    server.write_conf({}, {"example.org": ""}, lists([new], [virtual]))
    server.cli("reload")
    becomes(server, [550, 250, 250], *names)


def test_a_file_that_comes_late(new_server, tmp_path, table):
    os.chmod(tmp_path, 0o755)
    path = tmp_path / "late" / "aliases"
    server = new_server(extra=lists([path])).start()
    assert code(server, "one@example.org", "alice@example.org") == [451, 451]
    path.parent.mkdir()
    path.write_text("one: alice\n")
    becomes(server, [250, 250, 550], "one@example.org", "alice@example.org", "two@example.org")
    path.unlink()
    path.mkdir()  # in the way, but not gone: what was read still holds
    server.wait_log(event="map_failed", why="Is a directory")
    assert code(server, "one@example.org") == [250]


def test_a_vault_that_died_reads_them_again(new_server, table):
    server = new_server(extra=lists([table("aliases", "one: alice\n")])).start()
    server.wait_replaced("vault", server.kill_role("vault"))
    wait_for(lambda: code(server, "one@example.org", "two@example.org") == [250, 550], "vault", 5)


def test_virtual_tables(new_server, table):
    virtual = table("virtual", """
# virtual(5)
info@two.example   alice@example.org, bob@example.org
info               bob@example.org
@two.example       alice@example.org
@three.example     @example.org
two.example        anything
loop@example.org   pool@example.org
pool@example.org   loop@example.org
null@example.org   /dev/null
far@example.org    someone@elsewhere.example
""")
    server = new_server(
        extra=lists([table("aliases", "team: alice, info\n")], [virtual]),
        domains={"example.org": "", "two.example": "", "three.example": ""}).start()
    to = ["info@two.example", "INFO+x@two.example", "whoever@two.example", "bob@three.example",
          "team@example.org"]
    server.deliver(to, b"Subject: many\r\n\r\n")
    server.wait_delivered(1, "alice@example.org")
    server.wait_delivered(1, "bob@example.org")
    assert len(server.mails()) == 2
    assert code(server, "nobody@three.example", "loop@example.org", "null@example.org",
                "far@example.org", "info@example.org") == [550, 451, 250, 451, 250]
    assert server.log(event="map_line", file=str(virtual), line="11")


def test_check_says_where(new_server, table):
    aliases = table("aliases", "a: alice\nb: |/bin/x\nbroken\nc: x@elsewhere.example\n")
    virtual = table("virtual", "a@example.org alice\n")
    server = new_server(extra=lists([aliases], [virtual]))
    done = server.cli("check", check=False)
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{aliases}:2", f"{aliases}:3", f"{aliases}:4"]
    assert ["warning" in line for line in lines] == [True, False, True]
    aliases.write_text("a: alice\nb: |/bin/x\n")
    assert server.cli("check").returncode == 0
    virtual.unlink()
    done = server.cli("check", check=False)
    assert done.returncode == 78 and f"{virtual}: cannot be opened" in done.stderr


def test_an_account_is_removed(new_server):
    server = new_server()
    done = server.cli("user", "remove", "Alice@example.org")
    assert str(server.maildir("alice@example.org")) in done.stdout
    server.start()
    assert code(server, "alice@example.org", "bob@example.org") == [550, 250]
    server.deliver("bob@example.org", b"Subject: keep me\r\n\r\n")
    server.wait_delivered(1, "bob@example.org")
    server.cli("user", "remove", "bob@example.org")
    assert code(server, "bob@example.org") == [550]
    assert len(server.mails("bob@example.org")) == 1
    done = server.cli("user", "remove", "bob@example.org", "nobody@elsewhere.example", check=False)
    assert done.returncode == 65 and done.stderr.count("\n") == 2
