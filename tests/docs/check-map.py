#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold docs/architecture.md to the source.

Every row of its map names definitions, the file of each, and tests.  This checks that the
file defines that name and that the tests exist.
"""
import re
import sys
from pathlib import Path

ROW = re.compile(r'^\| *([A-Z]\d+)\b[^|]*\|[^|]*\|')
PLACE = re.compile(r'`([^`]+)` `([\w./-]+\.(?:[ch]|py))`')
TEST = re.compile(r'`(tests/[\w./-]+)`')


def defines(line, name):
    """Whether this line defines a function, macro, type or variable of that name."""
    word = r'(?<![\w])' + re.escape(name) + r'(?![\w])'
    if not re.search(word, line):
        return False
    if re.match(r'\s', line) and not re.match(r'\s+\.(name|parent)\b', line):
        return bool(re.match(r'\s+(\w+ )*[\w *]*' + word + r'[^()]*;', line))  # a struct's member
    return not line.rstrip().endswith(');')


def check_place(root, name, path):
    file = root / path
    if not file.is_file():
        return f'{path}: no such file'
    if any(defines(line, name) for line in file.read_text().splitlines()):
        return None
    return f'{path} does not define {name}'


def check_row(root, text):
    places = PLACE.findall(text)
    problems = [p for name, path in places if (p := check_place(root, name, path))]
    if not places:
        problems.append('names no place')
    tests = TEST.findall(text)
    if not tests:
        problems.append('names no test')
    return problems + [f'no test {t}' for t in tests if not (root / t).exists()]


def main():
    root, wanted = Path(sys.argv[1]), set(sys.argv[2:])
    rows = {}
    for line in (root / 'docs/architecture.md').read_text().splitlines():
        if match := ROW.match(line):
            rows[match.group(1)] = check_row(root, line)
    print(f'1..{len(rows) + 1}')
    for n, (row, problems) in enumerate(rows.items(), 1):
        print(f'{"not ok" if problems else "ok"} {n} {row}')
        for problem in problems:
            print(f'# {problem}')
    missing = sorted(wanted - set(rows))
    print(f'{"not ok" if missing else "ok"} {len(rows) + 1} every row is there')
    for row in missing:
        print(f'# {row} is missing')
    return 1 if missing or any(rows.values()) else 0


sys.exit(main())
