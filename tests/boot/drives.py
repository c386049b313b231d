#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot sector.S through SeaBIOS from a disk, a CD or a floppy disk, on IDE, AHCI and isa-fdc.

usage: drives.py QUOIN ACCEL disk|cd|floppy|ahci-disk|ahci-cd SECTOR
"""
import os
import struct
import subprocess
import sys
import tempfile

SKIP = 77
BIOS = '/usr/share/seabios/bios-256k.bin'
END = 0x31


def sector(path, data_lba, writes):
    with open(path, 'rb') as f:
        code = bytearray(f.read())
    code[4:12] = struct.pack('<II', data_lba, writes)
    return bytes(code)


def disk_image(path):
    """The boot sector, the sector that it reads, and room for the one that it writes."""
    return sector(path, 1, 1) + b'\x31' * 512 + bytes(8 << 20)


def cd_image(path):
    """El Torito 1.0: a boot record at 17 names the catalogue, which names the image."""
    image = bytearray(2048 * 512)

    def put(lba, data):
        image[lba * 2048:lba * 2048 + len(data)] = data

    put(16, b'\x01CD001\x01')
    put(17, b'\x00CD001\x01EL TORITO SPECIFICATION'.ljust(0x47, b'\0') + struct.pack('<I', 19))
    put(18, b'\xffCD001\x01')
    check = bytearray(struct.pack('<BBH24sHBB', 1, 0, 0, b'quoin', 0, 0x55, 0xaa))
    check[28:30] = struct.pack('<H', -sum(struct.unpack('<16H', check)) & 0xffff)
    put(19, bytes(check) + struct.pack('<BBHBBHI', 0x88, 0, 0, 0, 0, 4, 20))
    put(20, sector(path, 21, 0))
    put(21, b'\x31' * 2048)
    return bytes(image)


def floppy_image(path):
    """As much as a 1.44 MB disk has."""
    return disk_image(path)[:1440 << 10]


MAKERS = {'disk': disk_image, 'cd': cd_image, 'floppy': floppy_image, 'ahci-disk': disk_image,
          'ahci-cd': cd_image}
AHCI = ['-device', 'ich9-ahci,id=ahci']
OPTIONS = {
    'disk': ['-drive', 'file=IMAGE,format=raw,if=ide'],
    'cd': ['-cdrom', 'IMAGE'],
    'floppy': ['-boot', 'a', '-drive', 'file=IMAGE,format=raw,if=floppy'],
    'ahci-disk': [*AHCI, '-drive', 'file=IMAGE,format=raw,if=none,id=d', '-device',
                  'ide-hd,drive=d,bus=ahci.0'],
    'ahci-cd': [*AHCI, '-drive', 'file=IMAGE,media=cdrom,if=none,id=d', '-device',
                'ide-cd,drive=d,bus=ahci.3,bootindex=0'],
}


def main():
    quoin, accel, kind, path = sys.argv[1:5]
    if not os.path.exists(BIOS) or (accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK)):
        return SKIP
    with tempfile.NamedTemporaryFile() as image:
        image.write(MAKERS[kind](path))
        image.flush()
        drive = [word.replace('IMAGE', image.name) for word in OPTIONS[kind]]
        run = subprocess.run([quoin, '-machine', 'pc', '-accel', accel, '-m', '64', '-display', 'none',
                              '-bios', BIOS, '-no-reboot', *drive, '-device',
                              'isa-debug-exit,iobase=0xf4,iosize=4'],
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=150)
        image.seek(1024)
        written = image.read(512)
    if run.returncode != END << 1 | 1:
        print(run.stderr.decode(errors='replace'))
        print(f'status {run.returncode} (value {run.returncode >> 1:#x}), expected {END:#x}')
        return 1
    if kind.endswith(('disk', 'floppy')) and written != b'\x77' * 512:
        print('what the guest wrote is not in the image')
        return 1
    return 0


sys.exit(main())
