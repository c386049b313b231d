#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""OVMF that wants SMM: built for Secure Boot, with keys enrolled and variables that only SMM may
write.  It refuses its own unsigned shell and says so on the serial console."""

import os
import shutil
import sys
import tempfile

from until import run_until

FOLDER = '/usr/share/OVMF'
CODE, VARS = (os.path.join(FOLDER, f) for f in ('OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.ms.fd'))


def main():
    vmm = sys.argv[1]
    if not os.path.exists(CODE) or not os.path.exists(VARS):
        print(f'SKIP: {CODE} or {VARS} is not there')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        serial, variables = os.path.join(folder, 'serial'), os.path.join(folder, 'vars.fd')
        shutil.copy(VARS, variables)
        text, status = run_until('Boot Manager', serial, [
            vmm, '-machine', 'q35,smm=on', '-accel', 'tcg', '-m', '256',
            '-smp', '2', '-display', 'none', '-serial', f'file:{serial}',
            '-global', 'driver=cfi.pflash01,property=secure,value=on',
            '-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={CODE}',
            '-drive', f'if=pflash,unit=1,format=raw,file={variables}'])
    if 'Security Violation' in text and 'Boot Manager' in text and status == 0:
        return 0
    print(f'status {status}; the serial console ended with\n' + text[-2000:])
    return 1


if __name__ == '__main__':
    sys.exit(main())
