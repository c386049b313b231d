#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the tree to what a formatter cannot see: layers, licence lines, headers that stand alone.

usage: check-style.py ROOT layers|files|headers [CC [CFLAGS...]]
Prints TAP.
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# Lower layers first.  A file may include its own layer and those below it.
LAYERS = [
    ["qom"],
    ["system/log", "system/loop", "system/memory"],
    ["hw/core", "accel/accel", "target", "accel/tcg", "accel/qtest",
     "system/char", "system/block", "system/display", "system/iothread", "system/options"],
    ["hw", "accel/kvm"],  # KVM has interrupt controllers of its own
    ["system"],
]
SOURCE_DIRS = ["qom", "system", "hw", "accel", "target"]
MAX_LINES = 1500


def sources(root):
    for top in SOURCE_DIRS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def layer(path):
    best = (0, None)
    for number, prefixes in enumerate(LAYERS):
        for prefix in prefixes:
            if (path + "/").startswith(prefix + "/") or path.startswith(prefix + "."):
                if len(prefix) > best[0]:
                    best = (len(prefix), number)
    return best[1]


def check_layers(root):
    for path in sources(root):
        text = open(os.path.join(root, path), encoding="utf-8").read()
        bad = []
        for target in re.findall(r'^#include "([^"]+)"', text, re.M):
            if not os.path.exists(os.path.join(root, target)):
                continue  # generated, or not from the root
            if layer(target) > layer(path):
                bad.append(f"includes {target}, which is above it")
        yield path, bad


def check_files(root):
    for path in sources(root):
        text = open(os.path.join(root, path), encoding="utf-8").read()
        bad = []
        if "SPDX-License-Identifier: MIT" not in text.split("\n")[0]:
            bad.append("first line has no SPDX-License-Identifier: MIT")
        if text.count("\n") > MAX_LINES:
            bad.append(f"{text.count(chr(10))} lines: more than {MAX_LINES}")
        if re.search(r"[ \t]$", text, re.M):
            bad.append("white space at the end of a line")
        if path.endswith((".c", ".h")) and "\t" in text:
            bad.append("a tab")
        if re.search(r"^/\* ---- [^*\n]*\n", text, re.M):
            bad.append("a ruler that a formatter broke: /* ---- name --- */ fits one line")
        if re.search(r"\b(TODO|FIXME|XXX)\b", text):
            bad.append("a to-do without an issue")
        yield path, bad


def check_headers(root, command):
    headers = [p for p in sources(root) if p.endswith(".h") and not p.endswith(".inc.h")]

    def one(path):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
            source.write(f'#include "{path}"\n#include "{path}"\n')
            source.flush()
            run = subprocess.run(command + ["-I", root, "-fsyntax-only", source.name],
                                 capture_output=True, text=True)
        return path, run.stderr.splitlines()[:3] if run.returncode else []

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(one, headers)


def main():
    root, what, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    checks = {"layers": lambda: check_layers(root), "files": lambda: check_files(root),
              "headers": lambda: check_headers(root, command)}
    count = 0
    for path, bad in checks[what]():
        count += 1
        print(f"{'not ok' if bad else 'ok'} {count} - {path}")
        for line in bad:
            print(f"# {line}")
    print(f"1..{count}")


main()
