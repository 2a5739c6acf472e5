"""What programs say to sendmail, and what becomes of it."""

import concurrent.futures
import os
import time

import pytest

from harness.local import DAEMON, WWW_DATA, parts

pytestmark = pytest.mark.needs_root("it calls as other users")


def test_a_message_arrives_as_it_was_written(local):
    message = (b"From: x@example.org\nDate: Tue, 1 Jul 2003 10:52:37 +0000\nMessage-ID: <1@x>\n"
               b"Subject: =?utf-8?q?J=C3=B6rg?=\nX-Folded: one\n\ttwo\n\n"
               b".one\n..two\n \nJ\xc3\xb6rg \xff\n\n\nlast")
    local.call("-i", "alice@example.org", message=message)
    octets = local.one()
    assert octets.endswith(message + b"\n")
    assert b"Return-Path: <root@mail.example.org>\n" in octets
    assert b"Received: by mail.example.org (from local user root, uid 0) id" in octets


def test_a_dot_alone_ends_it_unless_it_is_text(local):
    for ending in (b"\n", b"\r\n"):
        message = ending.join([b"Subject: s", b"", b"a", b".", b"b", b""])
        local.call("alice@example.org", message=message)
        assert parts(local.one())[1] == b"a\n"
        for option in ("-i", "-oi"):
            local.call(option, "alice@example.org", message=message)
            assert parts(local.one())[1] == b"a\n.\nb\n"
    local.call("alice@example.org", message=b"s: t\n\na\n.")
    assert parts(local.one())[1] == b"a\n"


def test_what_a_header_lacks_is_added(local):
    local.call("alice@example.org", message=b"only text\n")
    fields, body = parts(local.one())
    assert [name for name, _ in fields] == ["Message-ID", "Date", "From"]
    assert fields[0][1].endswith("@mail.example.org>")
    assert fields[2][1] == '"root" <root@mail.example.org>'
    assert body == b"only text\n"
    local.call("-F", 'A "B" C', "-f", "me@example.org", "alice@example.org", message=b"\nx\n")
    fields = dict(parts(local.one())[0])
    assert fields["From"] == r'"A \"B\" C" <me@example.org>'
    local.call("-F", "Jörg", "alice@example.org", message=b"\nx\n")
    assert dict(parts(local.one())[0])["From"] == "=?utf-8?q?J=C3=B6rg?= <root@mail.example.org>"
    local.call("-f", "<>", "alice@example.org", message=b"\nx\n")
    octets = local.one()
    assert b"Return-Path: <>\n" in octets
    assert dict(parts(octets)[0])["From"] == "MAILER-DAEMON@mail.example.org"


def test_resent_fields_are_who_sends_it_now(local):
    local.call("-t", message=b"From: first@x.example\nTo: x@x.example\nResent-To: alice@example.org\n"
                             b"Resent-Bcc: bob@example.org\n\nx\n")
    fields, _ = parts(local.one())
    assert [name for name, _ in fields] == ["Resent-Message-ID", "Resent-Date", "Resent-From",
                                            "From", "To", "Resent-To"]
    local.one("bob@example.org")


HEADERS = [
    (b"To: alice@example.org", [], "a"),
    (b"to: Al <alice@example.org>", [], "a"),
    (b"To: Team: alice@example.org,\n\t\"B, b\" <bob@example.org>;", [], "ab"),
    (b"Cc: alice@example.org (or bob@example.org)", [], "a"),
    (b"Bcc: bob@example.org\nTo: alice@example.org", [], "ab"),
    (b"To: alice@example.org", ["bob@example.org"], "ab"),
    (b"To: alice@example.org\nTo: bob@example.org, alice@example.org", [], "ab"),
    (b"To: =?utf-8?q?a=2C?= <alice@example.org>", [], "a"),
]


def test_recipients_of_the_header(local):
    for header, args, got in HEADERS:
        local.call("-t", *args, message=header + b"\nSubject: s\n\nx\n")
        for letter, address in (("a", "alice@example.org"), ("b", "bob@example.org")):
            if letter in got:
                assert b"bcc" not in local.one(address).lower(), header
        assert local.server.mails() == [], header


def test_names_without_a_domain_are_the_hosts(local):
    local.call("-t", message=b"To: Al <alice>, bob (B)\nCc: x@y.example, alice@example.org\n\nx\n",
               code=69)
    fields = dict(parts(local.one())[0])
    assert fields["To"] == "Al <alice@mail.example.org>, bob@mail.example.org (B)"
    assert fields["Cc"] == "x@y.example, alice@example.org"


WRONG = [
    (["-t"], b"To: a b\n\nx", 65, "To: this cannot be read as an address: a b"),
    (["-t"], b"Subject: s\n\nx", 65, "the header names no recipient"),
    (["-t"], b"To: undisclosed:;\n\nx", 65, "the header names no recipient"),
    (["-f", "a b", "alice"], b"x", 65, "-f: this cannot be read"),
    (["a@@b"], b"x", 65, "this cannot be read as an address"),
    ([], b"x", 64, "no recipient is named"),
    (["-C/tmp/x", "alice"], b"x", 64, "-C is refused"),
    (["-X/tmp/x", "alice"], b"x", 64, "-X is refused"),
    (["-bd"], b"", 64, "-bd is refused"),
    (["-Q", "alice"], b"", 64, "there is no option -Q"),
    (["nobody.here@example.org"], b"x", 67, "550 5.1.1 no such user"),
    (["x@elsewhere.example"], b"x", 69, "554 5.7.1 mail is not sent on to other servers"),
    (["-f", "x@elsewhere.example", "alice"], b"x", 77, "553 5.7.1 user root may not send as"),
    (["-f", "x@example.org", "a..b@example.org"], b"x", 65, "cannot be read"),
]


def test_what_is_wrong_is_said_with_a_code(local):
    for args, message, code, text in WRONG:
        _, err = local.call(*args, message=message, code=code)
        assert text in err and err.startswith("sendmail: "), (args, err)
    assert local.server.mails() == []


def test_refused_recipients_are_named_and_the_others_get_it(local):
    _, err = local.call("alice@example.org", "no@example.org", "bob@example.org", code=67)
    assert err.count("\n") == 1 and "no@example.org: 550" in err
    local.one()
    local.one("bob@example.org")


def test_options_for_delivery_reports_reach_the_envelope(local):
    local.call("-N", "success,delay", "-R", "hdrs", "-V", "id+1", "-B", "7BIT", "-v",
               "alice@example.org")
    assert local.one()


def test_web_programs_send_as_what_is_listed(local):
    """PHP: sendmail -t -i -fweb@example.org."""
    message = b"To: alice@example.org\nSubject: form\nFrom: w@example.org\n\nx\n"
    local.call("-t", "-i", "-fweb@example.org", message=message, uid=WWW_DATA)
    assert b"Return-Path: <web@example.org>\n" in local.one()
    for sender in ("root@example.org", "alice@example.org", "www-data@mail.example.org", "<>"):
        _, err = local.call("-t", "-i", "-f", sender, message=message, uid=WWW_DATA, code=77)
        shown = "" if sender == "<>" else sender
        assert f"553 5.7.1 user www-data may not send as <{shown}>" in err
    _, err = local.call("-t", "-i", message=message, uid=WWW_DATA, code=77)
    assert "may not send as <www-data@mail.example.org>" in err
    refused = local.server.log(event="decision", reason="sender_not_yours")
    assert len(refused) == 5
    assert all(row["user"] == "www-data" and row["client"] == "uid:33" for row in refused)


def test_a_users_rate(local):
    send = ("-f", "web@example.org", "alice@example.org")
    local.call(*send, "bob@example.org", uid=WWW_DATA)
    for _ in range(3):
        local.call(*send, uid=WWW_DATA)
    _, err = local.call(*send, uid=WWW_DATA, code=75)
    assert "450 4.7.1 user www-data has sent to 5 recipients within an hour, try again in" in err
    local.call("alice@example.org")  # others' mail goes on
    local.call("alice@example.org", uid=DAEMON)
    assert local.server.wait_log(event="decision", reason="rate_user", user="www-data")
    local.server.wait_delivered(6, "alice@example.org")


def test_daemons_without_a_section_speak_for_themselves(local):
    """cron: sendmail -FCronDaemon -i -B8BITMIME -oem root."""
    message = (b"From: daemon (Cron Daemon)\nTo: alice\nSubject: Cron <daemon@host> job\n"
               b"Auto-Submitted: auto-generated\n\nout\n")
    local.call("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "alice", message=message, uid=DAEMON)
    octets = local.one()
    assert b"Return-Path: <daemon@mail.example.org>\n" in octets
    fields = dict(parts(octets)[0])
    assert fields["From"] == "daemon@mail.example.org (Cron Daemon)"
    assert fields["To"] == "alice@mail.example.org"
    local.call("-f", "root", "alice", message=message, uid=DAEMON, code=77)


def test_mutts_call(local):
    message = b"From: A <alice@example.org>\nTo: bob@example.org\n\nx\n"
    local.call("-oem", "-oi", "-f", "alice@example.org", "--", "bob@example.org", message=message)
    assert b"Return-Path: <alice@example.org>\n" in local.one("bob@example.org")


def test_a_uid_without_a_user_is_refused(local):
    _, err = local.call("alice@example.org", uid=54321, code=77)
    assert "uid 54321 is no user of this machine" in err


def test_smtp_on_standard_input(local):
    said = (b"EHLO x\r\nMAIL FROM:<root@example.org>\r\nRCPT TO:<alice@example.org>\r\n"
            b"RCPT TO:<no@example.org>\r\nDATA\r\nSubject: s\r\n\r\n..x\r\n.\r\nQUIT\r\n")
    out, _ = local.call("-bs", message=said)
    codes = [line[:3] for line in out.split("\r\n") if line[3:4] == " "]
    assert codes == ["220", "250", "250", "250", "550", "354", "250", "221"]
    assert parts(local.one())[1] == b".x\n"


def test_lines_of_smtp_on_standard_input_may_end_in_lf(local):
    """Scripts pipe such. Content stays content: what it has of commands, and chunks to the octet."""
    said = (b"EHLO x\nMAIL FROM:<root@example.org>\nRCPT TO:<alice@example.org>\nDATA\n"
            b"Subject: s\n\nBDAT 9\n..x\n.\n"
            b"MAIL FROM:<root@example.org>\nDATA\n"  # no recipient: refused
            b"MAIL FROM:<root@example.org>\nRCPT TO:<alice@example.org>\nBDAT 15\nSubject: c\n\na\n\nBDAT 3 LAST\r\nb\r\nQUIT\n")
    out, _ = local.call("-bs", message=said)
    codes = [line[:3] for line in out.split("\r\n") if line[3:4] == " "]
    assert codes == "220 250 250 250 354 250 250 503 250 250 250 250 221".split()
    files = local.server.wait_delivered(2, "alice@example.org")
    bodies = sorted(parts(path.read_bytes())[1] for path in files)
    assert bodies == [b"BDAT 9\n.x\n", b"a\n\nb\n"]


def test_long_smtp_on_standard_input(local):
    """Neither side's octets wait for the other's."""
    refused = b"RCPT TO:<x@elsewhere.example>\n" * 19  # smtp_max_errors is 20
    many = b"NOOP\n" * 10 + b"MAIL FROM:<root@example.org>\n" + b"RCPT TO:<alice@example.org>\n" * 900
    body = b"a line of text\n" * 200_000
    out, _ = local.call("-bs", message=b"EHLO x\n" + many + refused + b"DATA\ns: t\n\n" + body +
                        b".\nQUIT\n")
    assert out.count("\r\n250 2.1.5") == 900 and out.count("\r\n554 ") == 19
    assert "\r\n221 " in out
    assert parts(local.one())[1] == body


def test_the_operators_names(local):
    out, _ = local.call("-bi")
    assert "nothing to do" in out
    local.call(name="newaliases")
    out, _ = local.call(name="mailq")
    assert out == "Mail queue is empty\n"
    local.call("-bp")
    local.call("-q")
    _, err = local.call(name="mailq", uid=WWW_DATA, code=77)
    assert "sekisho" in err
    out, _ = local.call("--help")
    assert out.startswith("usage: sendmail")


def test_no_server_is_a_reason_to_come_back(local):
    local.server.stop()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # each waits some seconds for one
        message = pool.submit(local.call, "alice@example.org", code=75)
        smtp = pool.submit(local.call, "-bs", code=75)
    assert "the mail server does not answer" in message.result()[1]
    assert smtp.result()[0].startswith("421 4.3.2 ")


def test_a_server_that_comes_back_is_waited_for(local):
    local.server.stop()
    call = local.popen("alice@example.org")
    call.stdin.write(b"x\n")
    call.stdin.close()
    local.server.start()
    assert call.wait(30) == 0
    local.one()


def test_slow_programs_hold_nothing(local):
    """cron's jobs write for hours: the server sees nothing of it before the end."""
    call = local.popen("alice@example.org")
    call.stdin.write(b"Subject: s\n\nfirst\n")
    call.stdin.flush()
    time.sleep(0.5)
    assert not any("socket:" in os.readlink(f"/proc/{call.pid}/fd/{fd}")
                   for fd in os.listdir(f"/proc/{call.pid}/fd"))
    call.stdin.write(b"last\n")
    call.stdin.close()
    assert call.wait(30) == 0
    assert parts(local.one())[1] == b"first\nlast\n"
