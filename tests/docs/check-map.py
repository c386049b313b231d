#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold docs/architecture.md to the source.

Every row of its map names a definition, `file:line`, and tests.  This checks that the
line defines that name and that the tests exist.  With --fix, line numbers that have
moved are put right (the name must be defined in the named file).
"""
import re
import sys
from pathlib import Path

ROW = re.compile(r'^\| *([A-Z]\d+)\b[^|]*\|[^|]*\|')
PLACE = re.compile(r'`([^`]+)` `([\w./-]+):(\d+)`')
TEST = re.compile(r'`(tests/[\w./-]+)`')


def defines(line, name):
    """Whether this line defines a function, macro, type or variable of that name."""
    word = r'(?<![\w])' + re.escape(name) + r'(?![\w])'
    if not re.search(word, line):
        return False
    if re.match(r'\s', line) and not re.match(r'\s+\.(name|parent)\b', line):
        return bool(re.match(r'\s+(\w+ )*[\w *]*' + word + r'[^()]*;', line))  # a struct's member
    return not line.rstrip().endswith(');')


def find(lines, name):
    return [n for n, line in enumerate(lines, 1) if defines(line, name)]


def check_place(root, name, path, number):
    file = root / path
    if not file.is_file():
        return f'{path}: no such file', None
    lines = file.read_text().splitlines()
    if 0 < number <= len(lines) and defines(lines[number - 1], name):
        return None, number
    places = find(lines, name)
    if places:
        return f'{path}:{number} is not {name}: it is at line {places[0]}', places[0]
    return f'{path} does not define {name}', None


def check_row(root, row, text):
    problems = []

    def replace(match):
        name, path, number = match.group(1), match.group(2), int(match.group(3))
        problem, where = check_place(root, name, path, number)
        if problem:
            problems.append((f'{row}: {problem}', where is not None))
        return f'`{name}` `{path}:{where or number}`'

    fixed = PLACE.sub(replace, text)
    if not PLACE.search(text):
        problems.append((f'{row}: names no place', False))
    tests = TEST.findall(text)
    if not tests:
        problems.append((f'{row}: names no test', False))
    problems += [(f'{row}: no test {t}', False) for t in tests if not (root / t).exists()]
    return fixed, problems


def main():
    root, fix = Path(sys.argv[1]), '--fix' in sys.argv
    document = root / 'docs/architecture.md'
    wanted = set(sys.argv[2:]) - {'--fix'}
    lines, failures, results, seen = document.read_text().splitlines(), 0, [], set()
    for i, line in enumerate(lines):
        match = ROW.match(line)
        if not match:
            continue
        seen.add(match.group(1))
        lines[i], problems = check_row(root, match.group(1), line)
        bad = [p for p, fixable in problems if not (fix and fixable)]
        failures += bool(bad)
        results.append((match.group(1), bad))
    print(f'1..{len(results) + 1}')
    for n, (row, bad) in enumerate(results, 1):
        print(f'{"not ok" if bad else "ok"} {n} {row}')
        for problem in bad:
            print(f'# {problem}')
    missing = sorted(wanted - seen)
    print(f'{"not ok" if missing else "ok"} {len(results) + 1} every row is there')
    for row in missing:
        print(f'# {row} is missing')
    if fix:
        document.write_text('\n'.join(lines) + '\n')
    return 1 if failures or missing else 0


sys.exit(main())
