#!/usr/bin/env python3
"""What reloads cost those who are connected: failed and refused sessions, and the longest waits,
from connecting to the greeting and from MAIL to 250, with and without reloads in the same run.

    test/bench/reload.py [--seconds 10] [--connections 8] [--every 0.1]
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

MESSAGE = b"Subject: bench\r\n\r\n" + b"x" * 70 + b"\r\n.\r\n"


class Figures:
    def __init__(self):
        self.sessions = self.failed = self.refused = 0
        self.greeting, self.transaction = [], []

    def line(self, name):
        def of(waits):
            waits = sorted(waits) or [0]
            return f"{waits[len(waits) // 2] * 1000:6.1f} {waits[-1 - len(waits) // 100] * 1000:6.1f} " \
                   f"{waits[-1] * 1000:6.1f}"
        return f"{name:16} {self.sessions:8} {self.failed:6} {self.refused:7}   " \
               f"{of(self.greeting)}   {of(self.transaction)}"


async def reply(reader):
    while True:
        line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
        if line[3:4] == b" ":
            return int(line[:3])


async def session(port, figures):
    begin = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        figures.refused += 1
        return
    try:
        code = await reply(reader)
        figures.greeting.append(time.monotonic() - begin)
        if code != 220:
            figures.refused += 1
            return
        writer.write(b"EHLO bench.example.net\r\n")
        await reply(reader)
        begin = time.monotonic()
        for line, wanted in ((b"MAIL FROM:<a@bench.example.net>\r\n", 250),
                             (b"RCPT TO:<alice@example.org>\r\n", 250), (b"DATA\r\n", 354),
                             (MESSAGE, 250)):
            writer.write(line)
            if await reply(reader) != wanted:
                figures.failed += 1
                return
        figures.transaction.append(time.monotonic() - begin)
        figures.sessions += 1
        writer.write(b"QUIT\r\n")
        await reply(reader)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
        figures.failed += 1
    finally:
        writer.close()


async def load(port, figures, connections, seconds):
    end = time.monotonic() + seconds

    async def one():
        while time.monotonic() < end:
            await session(port, figures)
    await asyncio.gather(*(one() for _ in range(connections)))


async def with_reloads(server, figures, args):
    task = asyncio.create_task(load(server.port, figures, args.connections, args.seconds))
    while not task.done():
        os.kill(server.process.pid, signal.SIGHUP)
        await asyncio.sleep(args.every)
    await task


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--every", type=float, default=0.1, help="seconds between reloads")
    args = parser.parse_args()
    server = Server({"max_connections_client": 1000},
                    {"example.org": 'alias "postmaster" { to = {"alice"} }'}).start()
    try:
        rows = []
        for _ in range(2):  # by turns: the machine's mood is both sides'
            calm, busy = Figures(), Figures()
            asyncio.run(load(server.port, calm, args.connections, args.seconds / 2))
            asyncio.run(with_reloads(server, busy, argparse.Namespace(
                **{**vars(args), "seconds": args.seconds / 2})))
            rows += [("without reloads", calm), ("with reloads", busy)]
        print("                                            greeting, ms           MAIL to 250, ms")
        print("                 sessions failed refused   median    p99    max   median    p99    max")
        for name, figures in rows:
            print(figures.line(name))
        print(f"reloads: {server.log_octets().count(b' event=reloaded ')}")
        return 1 if any(figures.failed or figures.refused for _, figures in rows) else 0
    finally:
        server.stop()
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
