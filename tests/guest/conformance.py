#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write docs/cpu-conformance.md: each guest program on our translator, on KVM and on QEMU's TCG.

usage: conformance.py QUOIN IMAGES [--qemu QEMU] [--check] OUTPUT
  IMAGES  the folder with NAME.img (B/tests/guest)
  --check do not run anything: does OUTPUT have a row for each program?
"""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import run

HERE = os.path.dirname(os.path.abspath(__file__))

# program: chapter of the SDM (volume 3 unless said), options of run.py
PROGRAMS = {
    'paging32': ('4.3 32-bit paging', {'silicon': True}),
    'pae': ('4.4 PAE paging', {'silicon': True}),
    'paging64': ('4.5-4.8 4-level paging, NX, WP, SMEP, SMAP, A and D', {}),
    'access': ('4.6-4.8 every combination of rights, against a model', {'silicon': True}),
    'la57': ('4.5 5-level paging', {'silicon': True}),
    'keys': ('4.6.2 protection keys, SMAP, UMIP, FSGSBASE, 4.10 PCID, INVPCID', {'silicon': True}),
    'fault32': ('5 protection: limits, types, gates; 6 exceptions', {}),
    'fault64': ('5, 6 the same in 64-bit mode; canonical addresses', {}),
    'entry64': ('6.14 interrupts in 64-bit mode, IST, double faults', {}),
    'syscall': ('5.8.7, 5.8.8 SYSENTER, SYSCALL and back', {}),
    'task': ('8 task switch', {'silicon': True}),
    'debug': ('18 debug registers, single-step', {'silicon': True}),
    'v86': ('21 virtual-8086 mode', {'silicon': True}),
    'real': ('21 real mode', {}),
    'pm16': ('22 16-bit protected mode', {}),
    'msr': ('vol. 4 model-specific registers; CPUID', {}),
    'xsave': ('vol. 1, 13 XSAVE; 2.5 EM, MP, TS', {'silicon': True}),
    'float': ('vol. 1, 8 and 11 x87 and SSE exceptions', {}),
    'strings': ('vol. 1, 7.3.9 string instructions and faults midway', {}),
    'smc': ('9.1.3 self-modifying code', {}),
    'smp': ('9 locked operations, IPIs', {'smp': 4}),
    'irq': ('11 interrupts and time', {}),
    'apic': ('11 local APIC, x2APIC', {'smp': 2}),
    'smm': ('32 system management mode', {'silicon': True}),
    'a20': ('9.7 A20', {}),
    'hpet': ('IA-PC HPET specification, 2.3', {'rest': ['-global', 'hpet.msi=on']}),
    'pic': ('8259A datasheet', {'silicon': True, 'rest': ['-device', 'pc-testdev']}),
}

REASONS = '''
## What QEMU 7.2 does otherwise, and where the manual says so

| program | QEMU 7.2 tcg | SDM |
|---|---|---|
| fault32, syscall | no segment limit or type checks on data access outside its stack and far transfers; a null data segment reads at base 0; expand-down limits ignored | vol. 3, 5.3, 5.4.1 |
| fault32 | `lock mov` to memory runs | vol. 2, LOCK: #UD |
| fault32 | unknown MSRs read 0; reserved EFER bits are dropped | vol. 2, RDMSR, WRMSR: #GP |
| fault32 | CR0 with PG and without PE, NW without CD is taken | vol. 3, 2.5: #GP |
| fault32 | no #AC | vol. 3, 6.15, interrupt 17 |
| fault64 | rbp-based access in the hole is #GP | vol. 1, 3.3.7.1: #SS |
| fault64, syscall | near jump, ret, iretq, sysretq into the hole fault at the target (as AMD does) | vol. 2: #GP at the instruction |
| fault64 | bases and LSTAR in the hole are taken; a far jump to L=D=1 is taken; EFER.LME goes off under paging | vol. 2, WRMSR, JMP; vol. 3, 2.2.1 |
| paging32, paging64 | reserved bit gives an error code without P | vol. 3, 4.7 |
| pae | PDPTEs are read at each walk, their reserved bits ignored | vol. 3, 4.4.1: registers, loaded and checked with CR3 |
| debug | `int1` is #UD; DR7.GD is ignored | vol. 2, INT1; vol. 3, 17.2.4 |
| pm16, real | no limit checks (see fault32) | vol. 3, 5.3 |
| entry64 | an IST switch within ring 0 loads a null SS | vol. 3, 6.14.4: only a change of ring does |
| float | no #XM and no x87 stack faults; reserved MXCSR bits are taken | vol. 1, 8.5.1, 11.5; vol. 2, LDMXCSR |
| irq | an x87 error without CR0.NE ends QEMU itself (an assertion) | vol. 1, 8.7.2: FERR#, and on a PC IRQ 13 |
| smm | the halted bit of the save area is never set | vol. 3, 31.10: it is, when the SMI ends a `hlt` |
| apic | no x2APIC, no TSC deadline; reserved bits of IA32_APIC_BASE are taken; LVT entries keep their masks when the APIC is disabled; no error status | vol. 3, 10.4.4, 10.4.7.2, 10.5.3 |

KVM's own local APIC differs too: it keeps LINT0 open for a bootstrap processor, ignores what is reserved in the
x2APIC's EOI, TPR and SVR, and does not tell of illegal vectors sent. Programs leave such lines out with `kvm=1`.
| keys | SMAP does not hold for descriptor tables while AC is set; PCIDE with a CR3 that has a PCID is taken, INVPCID is #UD | vol. 3, 4.6, 4.10.1; vol. 2, INVPCID |
| msr | bases in the hole, reserved bits of EFER, PAT, MTRRs, APIC_BASE, TSC_AUX are taken; unknown MSRs read 0; TSC_ADJUST does not follow the TSC | vol. 2, WRMSR; vol. 3, 11.4.4, 12.11.2, 12.12.2, 18.17.3 |
| xsave | XSAVE with TS runs; reserved MXCSR bits are taken; no XSAVEC | vol. 1, 13.7, 13.8 |
| hpet | a one-shot timer that is enabled before its comparator is written interrupts at once, too; the upper half of a 32-bit comparator is kept, and compared | HPET, 2.3.8, 2.3.9.2 |
| pic | special mask mode is looked at with the next event only; a level that its slave withdraws stays requested | 8259A, special mask mode, edge and level triggered modes |
| la57 | as fault64; PS in a PML5 entry gives an error code without P | vol. 3, 4.5, 4.7 |
'''

HEADER = '''# Conformance of the CPU

Each row is a guest program of `tests/guest` whose every line was decided by Intel's Software Developer's
Manual (the section named, of volume 3 unless another is). The same image runs on our translator, on KVM
and on QEMU 7.2's TCG; a number is lines as expected. This page is made by `tests/guest/conformance.py`;
the suite `guest` holds our two accelerators to the same texts in every run.

KVM is that of the machine this page was made on. Where that has no VMX or SVM beneath it, programs that need
the silicon are not run (-), and lines that its instruction emulator does not know are not counted.
'''


def lines_of(path):
    return run.read_text(path).splitlines() if os.path.exists(path) else []


def run_one(vmm, accel, image, expected, options):
    emulated = accel == 'kvm' and run.kvm_emulates()
    if emulated and options.get('silicon'):
        return None
    args = SimpleNamespace(vmm=vmm, accel=accel, accel_options='', image=image, run='once', loops=1,
                           smp=options.get('smp', 1), append='', reset=False, rest=options.get('rest', []))
    with tempfile.TemporaryDirectory() as folder:
        serial = os.path.join(folder, 'serial')
        command = run.command_line(args, emulated, serial, os.path.join(folder, 'debugcon'))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        actual = lines_of(serial)
    if emulated:
        expected, actual = run.left_out(expected, actual)
    same = difflib.SequenceMatcher(None, expected, actual, autojunk=False)
    return SimpleNamespace(agree=sum(b.size for b in same.get_matching_blocks()), total=len(expected),
                           wrong=differences(expected, actual, same))


def differences(expected, actual, matcher):
    rows = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == 'equal':
            continue
        if not actual[j1:] and i2 == len(expected) and i2 - i1 > 1:
            rows.append((expected[i1], '(it ends here)'))
            continue
        for n in range(max(i2 - i1, j2 - j1)):
            want = expected[i1 + n] if i1 + n < i2 else ''
            rows.append((want, actual[j1 + n] if j1 + n < j2 else '(missing)'))
    return rows


def cell(result):
    return '-' if result is None else f'{result.agree}/{result.total}'


def make(args):
    rows, mistakes = [], []
    for name, (chapter, options) in PROGRAMS.items():
        image = os.path.join(args.images, name + '.img')
        expected = lines_of(os.path.join(HERE, 'expected', name + '.txt'))
        ours = run_one(args.quoin, 'tcg', image, expected, options)
        kvm = run_one(args.quoin, 'kvm', image, expected, options) if os.access('/dev/kvm', os.W_OK) else None
        theirs = run_one(args.qemu, 'tcg', image, expected, options) if args.qemu else None
        print(name, cell(ours), cell(kvm), cell(theirs), flush=True)
        rows.append(f'| {name} | {chapter} | {len(expected)} | {cell(ours)} | {cell(kvm)} | {cell(theirs)} |')
        if theirs and theirs.wrong:
            mistakes.append((name, theirs.wrong))
    with open(args.output, 'w', encoding='utf-8') as out:
        out.write(HEADER)
        out.write('\n| program | SDM | lines | ours, tcg | KVM | QEMU 7.2 tcg |\n|---|---|---|---|---|---|\n')
        out.write('\n'.join(rows) + '\n')
        out.write(REASONS)
        out.write('\n## Where QEMU 7.2 says something else\n\nThe left is what the manual says and we do. Some of '
                  'it is a feature that its `-cpu max` has not.\n')
        for name, wrong in mistakes:
            out.write(f'\n### {name}\n\n```\n')
            for want, got in wrong[:60]:
                out.write(f'{want}\n    QEMU: {got}\n')
            out.write('```\n')


def check(path):
    text = run.read_text(path)
    missing = [name for name in PROGRAMS if f'\n| {name} |' not in text]
    print('\n'.join(f'{path} has no row for {name}' for name in missing))
    return not missing


def main():
    p = argparse.ArgumentParser()
    p.add_argument('quoin')
    p.add_argument('images')
    p.add_argument('--qemu', default='')
    p.add_argument('--check', action='store_true')
    p.add_argument('output')
    args = p.parse_args()
    if args.check:
        sys.exit(not check(args.output))
    make(args)


main()
