"""sekisho user allow, disallow, senders: further addresses for users of the machine."""

import pytest
from harness.local import DAEMON
from harness.operator import json_lines

pytestmark = pytest.mark.needs_root("it calls as other users")

WRONG = [
    (("allow", "daemon", "x@elsewhere.example"), "elsewhere.example is not a domain of ours"),
    (("allow", "a@b", "info@example.org"), "this is no name of a user"),
    (("allow", "nobody-here", "info@example.org"), "nobody-here: no user of this machine has this name"),
    (("disallow", "daemon", "other@example.org"), "was not allowed"),
]


def test_what_the_operator_allows_is_allowed_at_once_and_kept(local):
    cli = local.server.cli
    call = ("-f", "Info+x@example.org", "alice@example.org")
    local.call(*call, uid=DAEMON, code=77)
    cli("user", "allow", "daemon", "info@example.org", "<>")
    local.call(*call, uid=DAEMON)
    local.call("-f", "<>", "alice@example.org", uid=DAEMON)
    local.server.wait_delivered(2, "alice@example.org")
    rows = json_lines(cli("user", "senders", "--json").stdout)
    assert [(row["user"], row["address"]) for row in rows] == [
        ("daemon", "<>"), ("daemon", "info@example.org")]
    local.server.restart()
    local.call(*call, uid=DAEMON)
    cli("user", "disallow", "daemon", "info@example.org")
    local.call(*call, uid=DAEMON, code=77)
    assert "daemon" in cli("user", "senders").stdout


def test_it_works_where_no_server_runs(local):
    server = local.server
    server.stop()
    server.cli("user", "allow", "daemon", "Info@Example.org", "<>")
    server.cli("user", "allow", "nobody", *(f"n{i:03}@example.org" for i in range(150)))
    for words, text in WRONG:
        done = server.cli("user", *words, check=False)
        assert done.returncode == 65 and text in done.stderr, done
    server.cli("user", "disallow", "daemon", "<>")
    without = [server.cli("user", "senders", *flag).stdout for flag in ((), ("--json",))]
    assert [(row["user"], row["address"]) for row in json_lines(without[1])] == [
        ("daemon", "info@example.org"), *(("nobody", f"n{i:03}@example.org") for i in range(150))]
    server.start()
    assert [server.cli("user", "senders", *flag).stdout for flag in ((), ("--json",))] == without
    local.call("-f", "info@example.org", "alice@example.org", uid=DAEMON)
    local.call("-f", "<>", "alice@example.org", uid=DAEMON, code=77)


def test_what_cannot_be_is_said(local):
    for words, text in WRONG:
        done = local.server.cli("user", *words, check=False)
        assert done.returncode == 65 and text in done.stderr, done
