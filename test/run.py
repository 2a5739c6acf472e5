#!/usr/bin/env python3
"""Runs every suite, or those named, and adds them up; the last line says `N passed, N failed`.

    ./bootstrap test [SUITE...]        builds are made as suites need them, the later ones beside the first suites
"""

import concurrent.futures
import sys
import time

from runner.builds import BUILDS, make
from runner.results import FAILED, PASSED, SKIPPED, Case, closing_line
from runner.suites import ALL, SUITES

DETAIL_LINES = 60  # of one failure; all of it stands in build/test-logs and meson-logs
DETAILS_MAX = 10


def timed_make(name):
    begun = time.monotonic()
    return make(BUILDS[name]), time.monotonic() - begun


class Builds:
    """All that the suites need, one after the other from the start on: suites mostly wait."""

    def __init__(self, suites):
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.made = {}
        for name in dict.fromkeys(need for suite in suites for need in SUITES[suite][0]):
            self.made[name] = self.pool.submit(timed_make, name)
        self.told = set()

    def get(self, name):
        """The case of this build, waited for; printed where it is new."""
        case, seconds = self.made[name].result()
        if name not in self.told:
            print(f"{'build ' + name:<14} {case.outcome}  ({seconds:.0f} s; {BUILDS[name].what})",
                  flush=True)
        self.told.add(name)
        return case


def run_suite(name, builds):
    """All cases of one suite, its builds first; without them it is skipped."""
    needs, function = SUITES[name]
    missing = [need for need in needs if builds.get(need).outcome == FAILED]
    begun = time.monotonic()
    if missing:
        cases = [Case(f"all of {name}", SKIPPED, f"not built: {', '.join(missing)}")]
    else:
        cases = list(function())
    if not cases:
        cases = [Case(f"all of {name}", SKIPPED, "there are no tests")]
    print(f"{name:<14} {closing_line(cases)}  ({time.monotonic() - begun:.0f} s; "
          f"{function.__doc__})", flush=True)
    return [Case(f"{name}: {case.name}", case.outcome, case.detail) for case in cases]


def report_skipped(cases):
    reasons = {}
    for case in cases:
        if case.outcome == SKIPPED:
            reasons.setdefault(case.detail, []).append(case.name)
    for reason, names in reasons.items():
        print(f"skipped, {reason}:")
        for name in names:
            print(f"    {name}")


def report_failed(cases):
    failed = [case for case in cases if case.outcome == FAILED]
    for case in failed[:DETAILS_MAX]:
        print(f"---- {case.name}")
        print("\n".join(case.detail.splitlines()[-DETAIL_LINES:]))
    if failed:
        print("failed:")
    for case in failed:
        print(f"    {case.name}")


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no such suite: {' '.join(unknown)}; there are: {' '.join(SUITES)}", file=sys.stderr)
        return 64
    builds = Builds(names or ALL)
    cases = []
    for name in names or ALL:
        cases += run_suite(name, builds)
    made = [builds.get(name) for name in builds.made]
    cases += [Case(f"build: {case.name}", case.outcome, case.detail) for case in made]
    report_skipped(cases)
    report_failed(cases)
    print(closing_line(cases), flush=True)
    outcomes = {case.outcome for case in cases}
    return 0 if PASSED in outcomes and FAILED not in outcomes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
