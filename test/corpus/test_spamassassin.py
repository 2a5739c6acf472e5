"""P4: the whole SpamAssassin corpus goes in through SMTP and comes out of the Maildir as it was.

Wanted: `unpack.sh DIR spamassassin` of the shared corpora, below $SEKISHO_SHARED or beside the
repository; without them the test is skipped.
"""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from harness import Smtp, strip_added
from harness.mail import digests, kept_form, wire_form
from harness.server import ROOT

SHARED = Path(os.environ.get("SEKISHO_SHARED") or ROOT.parent / "shared")
CONNECTIONS = 8
RCPT = "alice@example.org"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Every message as it is sent: LF became CR LF, mbox's From_ line left out."""
    unpack = SHARED / "corpora" / "unpack.sh"
    if not unpack.exists():
        pytest.skip(f"no corpus: {unpack} is not there (SEKISHO_SHARED names its folder)")
    where = tmp_path_factory.mktemp("corpus")
    subprocess.run(["sh", unpack, where, "spamassassin"], check=True, stdout=subprocess.DEVNULL)
    return [wire_form(without_from_line(path.read_bytes()))
            for path in sorted((where / "spamassassin").rglob("*"))
            if path.is_file() and path.name != "labels.tsv"]


def without_from_line(octets):
    return octets.partition(b"\n")[2] if octets.startswith(b"From ") else octets


def send_share(server, corpus, first, failures):
    """One connection: each message's number is its sender."""
    try:
        with Smtp(server.port, seconds=60) as client:
            client.hello()
            for n in range(first, len(corpus), CONNECTIONS):
                client.envelope(f"m{n}@corpus.example", RCPT)
                reply = client.data(corpus[n])
                assert reply.code == 250, f"message {n}: {reply}"
            client.quit()
    except Exception as why:  # a thread's failure must reach the test
        failures.append(f"connection {first}: {why!r}")


def send_all(server, corpus):
    failures = []
    threads = [threading.Thread(target=send_share, args=(server, corpus, i, failures))
               for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def number_of(values):
    """The number that stands in Return-Path."""
    sender = values["Return-Path"]
    assert sender.startswith("<m") and sender.endswith("@corpus.example>"), values
    return int(sender[2:-len("@corpus.example>")])


def test_the_corpus_comes_out_as_it_went_in(new_server, corpus):
    server = new_server(options={"smtp_max_session": 10000}).start()
    send_all(server, corpus)
    files = server.wait_delivered(len(corpus), RCPT, seconds=60)
    seen = set()
    changed = []
    for path in files:
        values, content = strip_added(path.read_bytes())
        n = number_of(values)
        assert values["X-Original-To"] == RCPT and values["Delivered-To"] == RCPT
        seen.add(n)
        if digests(content) != digests(kept_form(corpus[n])):
            changed.append(n)
    assert not changed, f"{len(changed)} messages changed, the first: {changed[:10]}"
    assert seen == set(range(len(corpus)))
    print(f"corpus: {len(corpus)} messages, each header block and each body as sent")
