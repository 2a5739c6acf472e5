"""Cases, and how they are read from what each kind of suite leaves behind."""

import json
import re
import xml.etree.ElementTree as xml
from dataclasses import dataclass

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

_TAP = re.compile(r"^(ok|not ok) [0-9]+(?: - (\S+))?(?:.*# (SKIP))?", re.M)


@dataclass(frozen=True)
class Case:
    """One thing that was promised, and whether it held; `detail` says why not, or why skipped."""

    name: str
    outcome: str
    detail: str = ""


def closing_line(cases):
    """`N passed, N failed`, with the skipped ones where there are any."""
    count = {outcome: sum(case.outcome == outcome for case in cases)
             for outcome in (PASSED, FAILED, SKIPPED)}
    line = f"{count[PASSED]} passed, {count[FAILED]} failed"
    return line + (f", {count[SKIPPED]} skipped" if count[SKIPPED] else "")


def _tap_cases(name, output):
    for match in _TAP.finditer(output):
        outcome = FAILED if match[1] == "not ok" else SKIPPED if match[3] else PASSED
        yield Case(f"{name}/{match[2] or '?'}", outcome,
                   output if outcome == FAILED else "skips itself")


def meson_cases(testlog):
    """A case for each case of a cmocka program, one for each program that is a case itself."""
    for line in testlog.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        name = row["name"].rpartition(" / ")[2]
        output = row.get("stdout", "") + row.get("stderr", "")
        inner = list(_tap_cases(name, output))
        yield from inner
        if row["result"] == "SKIP":
            yield Case(name, SKIPPED, "skips itself")
        elif row["result"] != "OK" and not any(case.outcome == FAILED for case in inner):
            # a crash, a sanitizer's report or a timeout, which no line of TAP tells
            yield Case(name, FAILED, f"{row['result']}, exit {row.get('returncode')}\n{output}")
        elif row["result"] == "OK" and not inner:
            yield Case(name, PASSED)


def junit_cases(path):
    """A case for each test of a pytest run."""
    for row in xml.parse(path).getroot().iter("testcase"):
        name = f"{row.get('classname', '')}::{row.get('name', '')}"
        bad = [e for e in row if e.tag in ("failure", "error")]
        skip = row.find("skipped")
        if bad:
            yield Case(name, FAILED, "\n".join(e.text or e.get("message", "") for e in bad))
        elif skip is not None:
            yield Case(name, SKIPPED, skip.get("message", ""))
        else:
            yield Case(name, PASSED)
