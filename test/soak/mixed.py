"""Load of all kinds at once: by DATA and BDAT, command by command and pipelined, to one and to
many, whole and broken off. The ledger knows of each message how far it came."""

import asyncio
import socket
import struct
import time

from harness import Load
from harness.ledger import Entry, kept_digest

# How a message is sent, and how often beside the others.
WAYS = {"data": 6, "pipelined": 4, "bdat": 4, "bdat_pieces": 2, "broken_off": 2, "reset": 1}
RESET = struct.pack("ii", 1, 0)


class MixedLoad(Load):
    """pace: seconds between two messages of a connection."""

    def __init__(self, *args, pace=0.0, **how):
        super().__init__(*args, **how)
        self.pace = pace

    async def _message(self, reader, writer, rng):
        await asyncio.sleep(self.pace * rng.uniform(0, 2))
        self.begun += 1
        mid = f"{self.seed}-{self.begun}-{rng.getrandbits(48):x}"
        content = self._content(mid, rng)
        entry = Entry(mid, f"s{rng.randrange(1000)}@load.example.net",
                      kept_digest(content.replace(b"\r\n", b"\n")))
        self.ledger.new(entry)
        most = len(self.rcpts) if rng.random() < 0.1 else min(3, len(self.rcpts))
        rcpts = rng.sample(self.rcpts, rng.randrange(1, most + 1))
        way = rng.choices(list(WAYS), list(WAYS.values()))[0]
        envelope = self._all_at_once if way == "pipelined" else self._one_by_one
        content_by = {"pipelined": self._dots, "data": self._data, "bdat": self._bdat,
                      "bdat_pieces": self._bdat_pieces, "broken_off": self._broken_off,
                      "reset": self._reset}[way]
        if not await envelope(reader, writer, entry, rcpts):
            return False
        return await content_by(reader, writer, entry, content, rng)

    # ---- envelopes ----

    async def _one_by_one(self, reader, writer, entry, rcpts):
        if await self._command(reader, writer, b"MAIL FROM:<%s>" % entry.sender.encode()) != 250:
            return False
        for rcpt in rcpts:
            if await self._command(reader, writer, b"RCPT TO:<%s>" % rcpt.encode()) == 250:
                entry.rcpts.append(rcpt)
        return bool(entry.rcpts)

    async def _all_at_once(self, reader, writer, entry, rcpts):
        """RFC 2920: all of it in one write, DATA at the end."""
        writer.write(b"MAIL FROM:<%s>\r\n" % entry.sender.encode()
                     + b"".join(b"RCPT TO:<%s>\r\n" % rcpt.encode() for rcpt in rcpts)
                     + b"DATA\r\n")
        await writer.drain()
        codes = [(await self._any_reply(reader))[0] for _ in range(len(rcpts) + 2)]
        entry.rcpts += [rcpt for rcpt, code in zip(rcpts, codes[1:]) if code == 250]
        for code in codes if codes[0] == 250 else codes[:1]:  # what follows a refusal is 503
            if code >= 400 and not (code == 503 and not entry.rcpts):
                self.ledger.failed(code)
        if codes[-1] == 354 and (codes[0] != 250 or not entry.rcpts):
            self.ledger.failed(354)
        return codes[-1] == 354 and bool(entry.rcpts)

    # ---- contents ----

    async def _finish(self, reader, entry):
        entry.dot_sent = True  # from here on it may have arrived whole
        entry.at = time.time()
        code, kept_as = await self._reply(reader)
        self.ledger.answered(entry, code, kept_as)
        return code == 250

    async def _dots(self, reader, writer, entry, content, rng):
        writer.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        await writer.drain()
        return await self._finish(reader, entry)

    async def _data(self, reader, writer, entry, content, rng):
        if await self._command(reader, writer, b"DATA") != 354:
            return False
        return await self._dots(reader, writer, entry, content, rng)

    async def _bdat(self, reader, writer, entry, content, rng):
        writer.write(b"BDAT %d LAST\r\n" % len(content) + content)
        await writer.drain()
        return await self._finish(reader, entry)

    async def _bdat_pieces(self, reader, writer, entry, content, rng):
        at = 0
        for _ in range(rng.randrange(1, 5)):
            n = rng.randrange(len(content) - at + 1)
            writer.write(b"BDAT %d\r\n" % n + content[at:at + n])
            if (await self._reply(reader))[0] != 250:
                return False
            at += n
        return await self._bdat(reader, writer, entry, content[at:], rng)

    async def _broken_off(self, reader, writer, entry, content, rng):
        """Gone in the middle: nobody may ever see it."""
        if await self._command(reader, writer, b"DATA") == 354:
            writer.write(content[:rng.randrange(len(content))])
            await writer.drain()
        return False

    async def _reset(self, reader, writer, entry, content, rng):
        """Gone right behind the end of data, without a word: it may have arrived."""
        if await self._command(reader, writer, b"DATA") == 354:
            entry.dot_sent = True
            writer.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            await asyncio.wait_for(writer.drain(), 30)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False
