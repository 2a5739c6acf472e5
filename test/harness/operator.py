"""The operator's socket as a program would speak to it: a line of JSON out, lines of JSON in."""

import json
import re
import socket

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r"(?:[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\n]*\",?)*"
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABELS})\}})? (-?[0-9.]+)")


class Operator:
    """One connection to control's socket."""

    def __init__(self, path, seconds=10.0):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(seconds)
        self.sock.connect(str(path))
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.sock.close()

    def send(self, octets):
        self.sock.sendall(octets)

    def line(self):
        """The next line as an object; None where the server has closed."""
        while b"\n" not in self.held:
            try:
                got = self.sock.recv(65536)
            except ConnectionResetError:
                continue  # told once; what was said before it is still there
            if not got:
                return None
            self.held += got
        line, _, self.held = self.held.partition(b"\n")
        assert all(0x20 <= octet < 0x7f for octet in line), line
        return json.loads(line)

    def ask(self, **request):
        """(rows, the line that ends the answer)."""
        self.send(json.dumps(request).encode() + b"\n")
        rows = []
        while True:
            line = self.line()
            if line is None or "row" not in line:
                return rows, line
            rows.append(line["row"])


def json_lines(text):
    """What a command with --json printed."""
    return [json.loads(line) for line in text.splitlines()]


def id_of(reply):
    """The message's id as the reply to the end of data tells it."""
    return reply.text.split()[-1]


def prometheus(text):
    """(name, labels) -> value; each line must be what the text format 0.0.4 allows, in its order."""
    assert text.endswith("\n")
    found, helped, typed, seen = {}, set(), {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, doc = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and name not in helped and doc and "\\" not in doc
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert kind in ("counter", "gauge") and name in helped and name not in typed
            assert (kind == "counter") == name.endswith("_total")
            typed[name], seen = kind, name
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample and sample[1] == seen, line
            key = (sample[1], sample[2] or "")
            assert key not in found, line
            found[key] = float(sample[3])
    return found
