#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a guest program and hold what it prints against the expected text.

Exit status: 0 as expected, 77 cannot run here, 1 otherwise.  The same command
line serves quoin and qemu-system-x86_64, so that either can be checked.
"""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile

SKIP = 77
EXIT_OK = 1  # isa-debug-exit: (0 << 1) | 1


def kvm_emulates():
    """Without VMX and SVM, a /dev/kvm interprets guest kernels (and knows few instructions)."""
    with open('/proc/cpuinfo', encoding='ascii') as f:
        flags = next((l.split() for l in f if l.startswith('flags')), [])
    return 'vmx' not in flags and 'svm' not in flags


def parse_arguments():
    p = argparse.ArgumentParser()
    p.add_argument('--vmm', required=True)
    p.add_argument('--accel', choices=['tcg', 'kvm'], required=True)
    p.add_argument('--accel-options', default='', help='such as kernel-irqchip=off')
    p.add_argument('--image', required=True)
    p.add_argument('--expected', required=True)
    p.add_argument('--run', choices=['once', 'hot'], default='once')
    p.add_argument('--loops', type=int, default=300)
    p.add_argument('--smp', type=int, default=1)
    p.add_argument('--silicon', action='store_true')
    p.add_argument('--once', action='store_true', help='no hot run')
    p.add_argument('--reset', action='store_true', help='the guest resets the machine')
    p.add_argument('--timeout', type=float, default=60)
    p.add_argument('--append', default='')
    p.add_argument('rest', nargs='*', help='further arguments of the VMM')
    return p.parse_args()


def command_line(args, emulated, serial, debugcon):
    words = [f'loops={args.loops if args.run == "hot" else 1}', f'smp={args.smp}', args.append]
    if emulated:
        words.append('emulated=1')
    if args.accel == 'kvm':
        words.append('kvm=1')
    cpu = 'max'
    if args.accel == 'kvm' and 'qemu' in os.path.basename(args.vmm):
        cpu = 'host,-arch-capabilities'
    accel = ','.join(filter(None, [args.accel, args.accel_options]))
    return [args.vmm, '-machine', 'pc', '-accel', accel, '-cpu', cpu, '-m', '64',
            '-smp', str(args.smp), '-kernel', args.image, '-append', ' '.join(words).strip(),
            '-display', 'none', '-serial', f'file:{serial}',
            '-chardev', f'file,id=debug,path={debugcon}',
            '-device', 'isa-debugcon,iobase=0x402,chardev=debug',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'] + (
                [] if args.reset else ['-no-reboot']) + args.rest


def read_text(path):
    with open(path, encoding='latin-1') as f:
        return f.read().replace('\r', '')


def left_out(expected, actual):
    """The expected lines without those of cases that the guest left out (`name: -`), and what
    it printed without these marks.  Indented lines belong to the case above them."""
    marks = {l[:-3] for l in actual if l.endswith(': -')}
    kept, keep = [], True
    for line in expected:
        if not line.startswith('  '):
            keep = line.split(': ')[0] not in marks
        if keep:
            kept.append(line)
    return kept, [l for l in actual if not l.endswith(': -')]


def check(args, emulated, folder):
    serial, debugcon = os.path.join(folder, 'serial'), os.path.join(folder, 'debugcon')
    command = command_line(args, emulated, serial, debugcon)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=args.timeout, check=False)
        status, said = done.returncode, done.stdout.decode('latin-1')
    except subprocess.TimeoutExpired as e:
        status, said = 'none: timed out', (e.stdout or b'').decode('latin-1')
    actual = read_text(serial).splitlines() if os.path.exists(serial) else []
    expected = read_text(args.expected).splitlines()
    if args.accel == 'kvm':
        expected, actual = left_out(expected, actual)
    diff = list(difflib.unified_diff(expected, actual, 'expected', 'printed', lineterm='', n=1))
    same_console = read_text(debugcon).endswith(read_text(serial)) if actual else False
    if status == EXIT_OK and not diff and (same_console or args.debugcon_apart):
        return True
    print('\n'.join(diff[:60]))
    print(f'exit status {status}; debug console {"same" if same_console else "differs"}')
    print(' '.join(command))
    print(said[-3000:])
    return False


def has_machine(vmm):
    said = subprocess.run([vmm, '-machine', 'help'], stdin=subprocess.DEVNULL, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return any(l.split()[0] == b'pc' for l in said.stdout.splitlines() if l.strip())


def main():
    args = parse_arguments()
    args.debugcon_apart = 'strings' in args.image  # writes to port 0x402 itself
    emulated = args.accel == 'kvm' and kvm_emulates()
    if args.accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: /dev/kvm cannot be opened')
        return SKIP
    if args.silicon and emulated:
        print('SKIP: needs a KVM that runs guest kernels on the CPU')
        return SKIP
    if not has_machine(args.vmm):
        print('SKIP: this build has no machine to boot')
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        return 0 if check(args, emulated, folder) else 1


if __name__ == '__main__':
    sys.exit(main())
