#!/usr/bin/env python3
"""Holds many connections open, each stalled at some point of a session, until its input ends.

    hold.py PORT COUNT      prints one line `held N` when all are open, then waits

Connections come from 127.0.1.1, 127.0.1.2, ..., 200 from each. A process of its own, so that its
descriptors and its memory are not the test's."""

import resource
import socket
import sys

STALLS = (  # what each sends after the greeting, and then no more
    b"",
    b"EHLO stalled.example\r\n",
    b"EHLO stalled.example\r\nMAIL FROM:<s@example.net>\r\n",
    b"EHLO stalled.example\r\nMAIL FROM:<s@exa",
)
PER_SOURCE = 200
ONCE = 100  # connections on their way at a time


def open_some(port, first, count):
    made = []
    for i in range(first, first + count):
        sock = socket.socket()
        sock.bind((f"127.0.1.{1 + i // PER_SOURCE}", 0))
        sock.settimeout(30)
        sock.connect(("127.0.0.1", port))
        made.append((i, sock))
    for i, sock in made:
        greeting = sock.recv(512)
        if not greeting.startswith(b"220"):
            raise SystemExit(f"connection {i}: {greeting!r}")
        for line in STALLS[i % len(STALLS)].splitlines(keepends=True):
            sock.sendall(line)
            if line.endswith(b"\n"):
                sock.recv(1024)
    return [sock for _, sock in made]


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for first in range(0, count, ONCE):
        held += open_some(port, first, min(ONCE, count - first))
    print(f"held {len(held)}", flush=True)
    sys.stdin.read()


main()
