#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every CPU model and every machine of a program, whole: made, realized, reset, unrealized.

usage: realize-all.py QUOIN.  Prints TAP.  Devices and the rest are test-types' part.
"""
import subprocess
import sys

COMMANDS = "info registers\ninfo qom-tree\nsystem_reset\nsystem_reset\nquit\n"


def names(quoin, option):
    """First words of the rows of `OPTION help`'s first list."""
    text = subprocess.run([quoin, option, "help"], capture_output=True, text=True, check=True).stdout
    rows = text.split("\n\n")[0].splitlines()
    rows = [row.removeprefix("x86 ") for row in rows if not row.endswith(":") and "(alias of" not in row]
    return [row.split()[0] for row in rows]


def run(quoin, *options):
    command = [quoin, "-S", "-display", "none", "-serial", "none", "-monitor", "stdio", *options]
    done = subprocess.run(command, input=COMMANDS, capture_output=True, text=True, timeout=100)
    bad = done.returncode != 0 or "ERROR" in done.stderr or "runtime error" in done.stderr
    return not bad, done.stderr[-1500:]


def main():
    quoin = sys.argv[1]
    cases = [["-machine", m, "-accel", a] for m in names(quoin, "-machine") for a in ("tcg", "qtest")]
    cases += [["-machine", "pc", "-accel", "tcg", "-smp", "2", "-m", "64", "-cpu", c]
              for c in names(quoin, "-cpu")]
    print(f"1..{len(cases)}")
    for n, options in enumerate(cases, 1):
        good, said = run(quoin, *options)
        print(f"{'ok' if good else 'not ok'} {n} - {' '.join(options)}")
        for line in [] if good else said.splitlines():
            print("#", line)


main()
