#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's installer on the serial console: its first dialogs, answered by keys.

usage: installer.py QUOIN FOLDER pc|q35
"""
import os
import select
import subprocess
import sys
import time

SKIP = 77
TIMEOUT = 500
# What a dialog is known by, and the key that answers it.
DIALOGS = [(b'Choose the language', b'\r'), (b'Select your location', None)]


def wait_for(run, words, seen, deadline):
    """Read on until the words are there; returns all that was read."""
    while words not in seen:
        ready, _, _ = select.select([run.stdout], [], [], max(deadline - time.monotonic(), 0))
        chunk = os.read(run.stdout.fileno(), 65536) if ready else b''
        if not chunk:
            return None, seen
        seen += chunk
    return seen[seen.index(words) + len(words):], seen


def talk(run):
    deadline, rest, seen = time.monotonic() + TIMEOUT, b'', b''
    for words, key in DIALOGS:
        rest, seen = wait_for(run, words, rest, deadline)
        if rest is None:
            return f'no dialog "{words.decode()}"', seen
        if key:
            time.sleep(1)  # it drops keys that come before its dialog is drawn
            run.stdin.write(key)
            run.stdin.flush()
    return None, seen


def main():
    quoin, folder, machine = sys.argv[1:4]
    kernel, initrd = (os.path.join(folder, name) for name in ('linux', 'initrd.gz'))
    if not os.path.exists(initrd):
        print('no installer: scripts/dev test fetches debian-installer-12-netboot-amd64')
        return SKIP
    run = subprocess.Popen([quoin, '-machine', machine, '-accel', 'tcg', '-m', '1024', '-display',
                            'none', '-serial', 'stdio', '-kernel', kernel, '-initrd', initrd,
                            '-append', 'console=ttyS0 --- quiet'], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    why, seen = talk(run)
    run.terminate()
    status = run.wait(60)
    if why or status:
        print(seen[-4000:].decode(errors='replace'), f'\n{why}, status {status}')
        return 1
    return 0


sys.exit(main())
