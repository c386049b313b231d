#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot Debian's kernel on one machine, under one accelerator, by one way of starting it.

usage: matrix.py QUOIN KERNEL INITRD pc|q35 tcg|kvm direct|seabios|ovmf|secure
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
TIMEOUT = 240
OVMF = '/usr/share/OVMF/OVMF_'
IMAGES = {'ovmf': ('CODE_4M.fd', 'VARS_4M.fd'), 'secure': ('CODE_4M.secboot.fd', 'VARS_4M.ms.fd')}

# What the guest must say, by the way it was started.
FIRMWARE = {'direct': 'bios', 'seabios': 'bios', 'ovmf': 'efi', 'secure': 'efi'}
PRODUCTS = {'pc': 'i440FX', 'q35': 'Q35'}


def kvm_is_fast(quoin):
    """Whether the program would choose KVM itself: elsewhere a kernel takes many minutes."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False
    run = subprocess.run([quoin, '-machine', 'pc', '-d', 'accel', '-display', 'none', '-serial', 'none', '-monitor',
                          'stdio'], input=b'quit\n', stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, timeout=60)
    return b'accel: using kvm' in run.stderr


def boot(quoin, kernel, initrd, machine, accel, options, words):
    run = subprocess.run([quoin, '-machine', machine, '-accel', accel, '-m', '512', '-display',
                          'none', '-serial', 'stdio', '-no-reboot', '-kernel', kernel, '-initrd',
                          initrd, '-append', f'console=ttyS0 quoin.test={words}', *options],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=TIMEOUT)
    return run.returncode, run.stdout.decode(errors='replace')


def main():
    quoin, kernel, initrd, machine, accel, way = sys.argv[1:7]
    if not (os.path.exists(kernel) and os.path.exists(initrd)):
        print('no kernel: run scripts/dev setup')
        return SKIP
    if way in IMAGES and not os.path.exists(OVMF + IMAGES[way][0]):
        print('no OVMF')
        return SKIP
    if accel == 'kvm' and not kvm_is_fast(quoin):
        print('KVM is not there, or interprets kernels')
        return SKIP
    patterns = ['hello from 6', 'firmware ' + FIRMWARE[way], 'dmi product_name .*' + PRODUCTS[machine],
                r'0000:00:00.0 0x8086']
    starts = [(patterns, 'hello,firmware,pci')]
    with tempfile.TemporaryDirectory() as folder:
        options = ['-bios', 'bios-256k.bin'] if way == 'seabios' else []
        if way in IMAGES:
            variables = shutil.copy(OVMF + IMAGES[way][1], folder)
            options = ['-drive', f'if=pflash,format=raw,readonly=on,file={OVMF}{IMAGES[way][0]}',
                       '-drive', f'if=pflash,format=raw,file={variables}']
        if way == 'secure':
            # Only SMM may write the variables; the kernel's signature is checked.
            options += ['-machine', 'smm=on', '-global',
                        'driver=cfi.pflash01,property=secure,value=on']
            starts = [(patterns, 'hello,firmware,pci')]
        elif way == 'ovmf':
            # What the guest writes is there after a restart.
            starts = [([*patterns, 'variable written'], 'hello,firmware,pci,efivar'),
                      (['variable says remembered'], 'efivar')]
        for wanted, words in starts:
            status, text = boot(quoin, kernel, initrd, machine, accel, options, words)
            missing = [p for p in wanted if not re.search('QUOIN: .*' + p, text)]
            if way == 'secure' and 'Secure boot enabled' not in text:
                missing.append('secure boot')
            if status or missing:
                print(text[-4000:], f'\nstatus {status}, missing {missing}')
                return 1
    return 0


sys.exit(main())
