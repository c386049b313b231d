#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the commands of a page of docs/: each line of its ```sh blocks, with files of the names it uses.

usage: check-commands.py QUOIN PAGE

The machines are made, with no CPU running, and ended through the monitor.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# Files that the commands may name; those in /usr/share come from packages.
FILES = {'disk.img': b'\0' * (1 << 20), 'my.rom': b'\x55\xaa\x01' + b'\0' * 509,
         'initrd.gz': b'\x1f\x8b', 'vmlinuz': None}


def bzimage():
    """Enough of a kernel to be loaded (Linux, boot.rst: the real-mode kernel header)."""
    image = bytearray(0x8000)
    image[0x1f1] = 1                              # setup sectors
    image[0x1fe:0x200] = b'\x55\xaa'
    image[0x200:0x202] = b'\xeb\x66'
    image[0x202:0x206] = b'HdrS'
    image[0x206:0x208] = b'\x0f\x02'              # protocol 2.15
    image[0x211] = 1                              # loaded high
    image[0x214:0x218] = b'\0\0\x10\0'
    image[0x22c:0x230] = b'\xff\xff\xff\x7f'      # where an initrd may end
    image[0x234] = 1                              # relocatable
    image[0x236:0x238] = b'\1\0'                  # 64-bit entry
    image[0x238:0x23c] = b'\xff\7\0\0'            # length of a command line
    image[0x260:0x264] = b'\0\0\1\0'              # memory that it takes
    return bytes(image)


def commands(page):
    with open(page, encoding='utf-8') as file:
        for block in re.findall(r'```sh\n(.*?)```', file.read(), re.S):
            yield from block.splitlines()


def run(quoin, words, folder):
    """None, 'skip', or why it failed."""
    for word in words:
        for path in re.findall(r'/usr/share/[\w./]+', word):
            if not os.path.exists(path):
                return 'skip'
    if words[0] == 'cp':
        shutil.copy(words[1], os.path.join(folder, words[2]))
        return None
    if words[0] != 'quoin':
        return f'cannot run {words[0]}'
    done = subprocess.run([quoin, *words[1:], '-accel', 'qtest', '-S', '-display', 'none', '-serial',
                           'none', '-monitor', 'stdio'], cwd=folder, input=b'quit\n',
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.stderr.decode() or f'status {done.returncode}' if done.returncode else None


def main():
    quoin, page = os.path.abspath(sys.argv[1]), sys.argv[2]
    lines = list(commands(page))
    print(f'1..{len(lines)}')
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, data in FILES.items():
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(data or bzimage())
        for n, line in enumerate(lines, 1):
            why = run(quoin, shlex.split(line), folder)
            failed += why not in (None, 'skip')
            print(f'{"ok" if why in (None, "skip") else "not ok"} {n} {line[:60]}' +
                  (' # SKIP a package is missing' if why == 'skip' else ''))
            if why not in (None, 'skip'):
                print('#', why.replace('\n', '\n# '))
    return 1 if failed else 0


sys.exit(main())
