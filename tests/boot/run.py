#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Start a small kernel and see how it ends.

usage: run.py QUOIN ACCEL IMAGE VALUE [option...]

The guest's checks.inc gives the values; any other is the number of the check that failed.
"""
import os
import subprocess
import sys
import tempfile

SKIP = 77


def main():
    quoin, accel, image, value = sys.argv[1:5]
    if accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        sys.exit(SKIP)
    if '-bios' in sys.argv and not os.path.exists('/usr/share/seabios/bios-256k.bin'):
        sys.exit(SKIP)
    with tempfile.NamedTemporaryFile() as initrd:
        initrd.write(b'init!')
        initrd.flush()
        command = [quoin, '-machine', 'pc', '-accel', accel, '-m', '64', '-nodefaults',
                   '-display', 'none', '-kernel', image, '-initrd', initrd.name, '-append',
                   'cmdline', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-no-reboot'] + sys.argv[5:]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
    expected = int(value, 0) << 1 | 1
    if run.returncode != expected:
        print(run.stderr.decode(errors='replace'))
        print(f'status {run.returncode} (value {run.returncode >> 1:#x}), expected {expected}')
        sys.exit(1)


main()
