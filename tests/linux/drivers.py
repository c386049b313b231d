#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's full kernel and its drivers of what the smaller cloud kernel has none for: AHCI, floppy
disks, USB, watchdog, SMBus, the screen.

usage: drivers.py QUOIN VMLINUZ INITRD pc|q35
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

SKIP = 77
TIMEOUT = 240
OPTIONS = ['-device', 'qemu-xhci', '-device', 'usb-kbd', '-device', 'usb-tablet', '-device', 'i6300esb',
           '-drive', 'if=ide,format=raw,discard=unmap,file=DISK', '-cdrom', 'DISC',
           '-drive', 'if=floppy,format=raw,file=FLOPPY']
SIZES = {'DISK': 8 << 20, 'DISC': 1 << 20, 'FLOPPY': 1440 << 10}
WRITTEN = 262144
PATTERNS = ['input QUOIN QUOIN USB Keyboard', 'input QUOIN QUOIN USB Tablet', 'input AT Translated Set 2 keyboard',
            'input ImExPS/2 .*Mouse', 'watchdog i6300ESB timer', 'screen bochs-drmdrmfb 1280,800',
            'smbus 0x00, .*[Rr]ead failed', 'sda trimmed']
# AHCI has native command queuing, the PIIX3 does not.
DEPTH = {'pc': '1', 'q35': '32'}


def first(path, size):
    with open(path, 'rb') as file:
        return hashlib.md5(file.read(size)).hexdigest()


def main():
    quoin, kernel, initrd, machine = sys.argv[1:5]
    if not (os.path.exists(kernel) and os.path.exists(initrd)):
        print('no full kernel: scripts/dev test fetches linux-image-amd64')
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in SIZES}
        for name, size in SIZES.items():
            with open(paths[name], 'wb') as file:
                file.write(os.urandom(size))
        options = [re.sub('DIS[KC]|FLOPPY', lambda m: paths[m[0]], option) for option in OPTIONS]
        run = subprocess.run([quoin, '-machine', machine, '-accel', 'tcg', '-m', '512', '-smp', '2', '-kernel',
                              kernel, '-initrd', initrd, '-nographic', '-append',
                              'console=ttyS0 quoin.test=drivers,media,devices', *options],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT)
        patterns = PATTERNS + [f'sda has {first(paths["DISK"], WRITTEN)}, queue depth {DEPTH[machine]}',
                               f'fd0 has {first(paths["FLOPPY"], WRITTEN)},',
                               f'sr0 has {first(paths["DISC"], SIZES["DISC"])}']
    text = run.stdout.decode(errors='replace')
    missing = [p for p in patterns if not re.search('QUOIN: ' + p, text)]
    if run.returncode or missing:
        print(text[-6000:], f'\nstatus {run.returncode}, missing {missing}')
        return 1
    return 0


sys.exit(main())
