#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot Debian's kernel through firmware and GRUB from a disk or a CD, as installed systems do.

usage: grub.py QUOIN KERNEL INITRD CASE
"""
import os
import subprocess
import sys
import tempfile

SKIP = 77
TIMEOUT = 240
CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd'
VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd'
OVMF = ['-drive', f'if=pflash,format=raw,readonly=on,file={CODE}',
        '-drive', f'if=pflash,format=raw,snapshot=on,file={VARIABLES}']
AHCI = ['-drive', 'if=none,id=d,format=raw,file=IMAGE']

# name: kind of image, options
CASES = {
    'pc-ide': ('bios', ['-machine', 'pc', '-hda', 'IMAGE']),
    'q35-ahci': ('bios', ['-machine', 'q35', '-hda', 'IMAGE']),
    # Behind another disk, and before it by its bootindex.
    'pc-ahci': ('bios', ['-machine', 'pc', '-device', 'ich9-ahci,id=ahci', *AHCI, '-device',
                         'ide-hd,drive=d,bus=ahci.2,bootindex=1']),
    'q35-efi': ('efi', ['-machine', 'q35', *OVMF, '-hda', 'IMAGE']),
    'pc-cd': ('iso', ['-machine', 'pc', '-boot', 'd', '-cdrom', 'IMAGE']),
    'q35-cd': ('iso', ['-machine', 'q35', '-cdrom', 'IMAGE']),
    'q35-efi-cd': ('iso', ['-machine', 'q35', *OVMF, '-cdrom', 'IMAGE']),
}


def main():
    quoin, kernel, initrd, name = sys.argv[1:5]
    kind, options = CASES[name]
    if not (os.path.exists(kernel) and os.path.exists(initrd)):
        print('no kernel: run scripts/dev setup')
        return SKIP
    if options[2:4] == OVMF[:2] and not os.path.exists(CODE):
        print('no OVMF')
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, 'image')
        made = subprocess.run([os.path.join(os.path.dirname(__file__), 'grub-image'), kind, image,
                               kernel, initrd, 'console=ttyS0 quoin.test=hello,pci'],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if made.returncode:
            print(made.stdout.decode(errors='replace'))
            return made.returncode
        run = subprocess.run([quoin, '-accel', 'tcg', '-m', '512', '-display', 'none', '-serial',
                              'stdio', '-no-reboot',
                              *[word.replace('IMAGE', image) for word in options]],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=TIMEOUT)
    if b'QUOIN: hello from 6' not in run.stdout or run.returncode:
        sys.stdout.write(run.stdout.decode(errors='replace')[-4000:])
        print(f'\nstatus {run.returncode}, or the kernel did not come up')
        return 1
    return 0


sys.exit(main())
