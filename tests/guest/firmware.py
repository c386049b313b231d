#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Firmware with nothing to boot: SeaBIOS must come to its boot attempt and say so on the
debug console; SIGTERM then ends the VM with status 0."""

import os
import sys
import tempfile

from until import run_until

BIOS = '/usr/share/seabios/bios-256k.bin'


def main():
    vmm, accel = sys.argv[1:3]
    if not os.path.exists(BIOS):
        print(f'SKIP: {BIOS} is not there')
        return 77
    if accel.startswith('kvm') and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: /dev/kvm cannot be opened')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, 'debugcon')
        text, status = run_until('No bootable device', log, [
            vmm, '-machine', 'pc', '-accel', accel, '-m', '64', '-bios', BIOS,
            '-display', 'none', '-chardev', f'file,id=debug,path={log}',
            '-device', 'isa-debugcon,iobase=0x402,chardev=debug'])
    if 'Booting from' in text and 'No bootable device' in text and status == 0:
        return 0
    print(f'status {status}; the debug console ended with\n' + text[-2000:])
    return 1


if __name__ == '__main__':
    sys.exit(main())
