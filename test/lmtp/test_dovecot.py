"""A real Dovecot: it reads our Maildirs, and it takes mail from us by LMTP, with the configurations
that doc/dovecot.md shows."""

import imaplib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from harness import free_port, queue_is_empty, wait_for

pytestmark = [pytest.mark.needs_root("Dovecot changes users"), pytest.mark.needs_tool("dovecot")]

DOC = Path(__file__).resolve().parent.parent.parent / "doc" / "dovecot.md"
DELIVER_UID = 52007  # uid_base + the number of deliver
VMAIL_UID = 52900

# What is the machine's: where Dovecot lives, whom it runs as, and how one logs in.
AROUND = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
listen = 127.0.0.1
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
disable_plaintext_auth = no
passdb {{
  driver = static
  args = nopassword=y
}}
"""


def shown(name):
    """The configuration that the document shows under this name."""
    [text] = re.findall(rf"(?ms)^```{name}\n(.*?)^```$", DOC.read_text(encoding="utf-8"))
    return text


class Dovecot:
    def __init__(self, conf, mail):
        self.dir = Path(tempfile.mkdtemp(prefix="sekisho-dovecot-"))
        self.dir.chmod(0o755)
        self.imap_port = free_port()
        for name in ("index", "control", "home", "mail"):
            folder = self.dir / "lib" / name
            folder.mkdir(parents=True)
            os.chown(folder, *[DELIVER_UID if mail else VMAIL_UID] * 2)
        for was, now in {"/var/lib/sekisho/mail": str(mail), "/var/lib/dovecot": f"{self.dir}/lib",
                         "_sekisho-deliver": str(DELIVER_UID), "vmail": str(VMAIL_UID)}.items():
            conf = conf.replace(was, now)
        path = self.dir / "dovecot.conf"
        path.write_text(AROUND.format(dir=self.dir, imap=self.imap_port) + conf, encoding="utf-8")
        self.process = subprocess.Popen(
            [shutil.which("dovecot"), "-F", "-c", path], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "out", "wb"))
        wait_for(lambda: (self.dir / "run" / "master.pid").exists() and self.answers(), self.log, 15)

    def log(self):
        return "\n".join(p.read_text(errors="replace") for p in (self.dir / "log", self.dir / "out")
                         if p.exists())

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=2).shutdown()
            return True
        except OSError:
            return False

    def imap(self, address):
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=10)
        client.login(address, "any")
        client.select("INBOX")
        return client

    def fetch_all(self, address):
        client = self.imap(address)
        _, [numbers] = client.search(None, "ALL")
        mails = [client.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in numbers.split()]
        client.logout()
        return mails

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture
def dovecot():
    made = []

    def make(conf, mail=None):
        made.append(Dovecot(conf, mail))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def message(rng, number):
    """Any octets that a message may have, long lines and lines of dots among them."""
    lines = [bytes(rng.choices(bytes(range(32, 127)) + b"\t\xc3\xa9\xff", k=rng.choice((0, 1, 70, 998))))
             for _ in range(rng.choice((1, 20, 200)))]
    lines += [b".", b"..", b".x", b"From here"]
    head = [b"From: s@example.net", b"Subject: number %d" % number, b"Message-ID: <%d@x>" % number]
    return b"\r\n".join([*head, b"", *lines, b""])


def of_sender(mail):
    """Without what was put on top on the way."""
    return mail[mail.index(b"From: s@example.net"):]


def test_imap_reads_our_maildirs(new_server, dovecot, rng):
    server = new_server().start()
    sent = [message(rng, n) for n in range(6)]
    for mail in sent[:5]:
        server.deliver(["alice@example.org"], mail)
    server.wait_delivered(5, "alice@example.org")
    cot = dovecot(shown("dovecot-maildir"), server.data_dir / "mail")
    got = sorted(map(of_sender, cot.fetch_all("alice@example.org")))
    assert got == sorted(sent[:5]), cot.log()
    client = cot.imap("alice@example.org")  # open while another one arrives
    server.deliver(["alice@example.org"], sent[5])
    server.wait_delivered(6, "alice@example.org")
    wait_for(lambda: client.noop() and client.search(None, "ALL")[1][0].split()[5:],
             lambda: f"the sixth\n{cot.log()}", 10)
    _, [newest] = client.search(None, "ALL")
    mail = client.fetch(newest.split()[-1], "(BODY.PEEK[])")[1][0][1]
    assert of_sender(mail) == sent[5]
    assert mail.startswith(b"Return-Path: <sender@example.net>\r\n")
    # what is read and deleted there leaves ours as Maildir has it
    client.store("1:*", "+FLAGS", r"(\Seen \Deleted)")
    client.expunge()
    client.logout()
    assert server.mails("alice@example.org") == []
    server.deliver(["alice@example.org"], sent[0])
    server.wait_delivered(1, "alice@example.org")
    assert len(cot.fetch_all("alice@example.org")) == 1


def test_lmtp_into_dovecot_is_what_was_sent(new_server, dovecot, rng):
    cot = dovecot(shown("dovecot-lmtp"))
    section = shown("sekisho-lmtp").replace("/run/dovecot", f"{cot.dir}/run")
    server = new_server(domains={}, extra=section, options={"retry_first": 1, "retry_most": 1}).start()
    sent = [message(rng, n) for n in range(20)] + [message(rng, 20) + b"x" * 100_000 + b"\r\n"]
    threads = [threading.Thread(target=server.deliver, args=(
        ["alice@example.org", "bob@example.org"], mail)) for mail in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: queue_is_empty(server), lambda: f"all of them\n{cot.log()}\n{server.log_tail()}", 30)
    for address in ("alice@example.org", "bob@example.org"):
        got = cot.fetch_all(address)
        assert sorted(map(of_sender, got)) == sorted(sent), server.log_tail()
        for mail in got:
            head = mail[:mail.index(b"From: s@")]
            assert head.count(b"Return-Path: <sender@example.net>\r\n") == 1, head
    assert server.log(event="delivery", verdict="delivered", mailbox="bob@example.org")
    assert not server.log(event="delivery", verdict="deferred")


def test_mail_waits_while_dovecot_is_away(new_server, dovecot):
    cot = dovecot(shown("dovecot-lmtp"))
    section = shown("sekisho-lmtp").replace("/run/dovecot", f"{cot.dir}/run")
    server = new_server(domains={}, extra=section, options={"retry_first": 1, "retry_most": 1}).start()
    (cot.dir / "run" / "lmtp").rename(cot.dir / "run" / "gone")
    server.deliver(["alice@example.org"], b"From: s@example.net\r\n\r\ny\r\n")
    server.wait_log(event="endpoint_down", why="connect: No such file or directory")
    assert "No such file" in server.wait_log(event="delivery", verdict="deferred")[0]["reply"]
    (cot.dir / "run" / "gone").rename(cot.dir / "run" / "lmtp")
    wait_for(lambda: queue_is_empty(server), lambda: f"it\n{cot.log()}", 20)
    assert len(cot.fetch_all("alice@example.org")) == 1
