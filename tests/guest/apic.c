/* SPDX-License-Identifier: MIT
 *
 * Local APICs of two processors: SDM vol. 3, ch. 10: modes and what each lets be accessed,
 * destinations, priorities, errors, the timer's modes.
 */
#include "lib/guest.h"

#define APIC_BASE  0x1bu
#define ENABLE     0x800ull
#define EXTD       0x400ull
#define TRAMPOLINE 0x9000u
#define MAX_CPUS   2

extern uint8_t ap_start[], ap_start_end[];
uint8_t ap_stacks[MAX_CPUS][8192] __attribute__((aligned(16)));
volatile uint32_t ap_count;

static bool kvm; /* the APICs may be the kernel's */
static volatile unsigned count[MAX_CPUS][256];
static volatile bool x2[MAX_CPUS];
static volatile uint32_t ap_command, ap_done; /* one at a time; 0: none */
static volatile uint32_t ap_reg, ap_value;

static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(0xfee00000ul + reg);
}

static void settle(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        asm volatile("pause" : : : "memory");
    }
}

/* A window for what is pending. */
static void window(void)
{
    for (unsigned i = 0; i < 20; i++) {
        asm volatile("sti; nop; outb %%al, $0x80; nop; cli" : : : "memory");
    }
}

static unsigned whose_stack(void)
{
    uint8_t here;

    return &here >= ap_stacks[1] && &here < ap_stacks[1] + sizeof(ap_stacks[1]);
}

static void handler(Frame *f)
{
    unsigned cpu = whose_stack();

    count[cpu][f->vector]++;
    if (f->vector == 2) {
        return;
    }
    if (x2[cpu]) {
        wrmsr(0x80b, 0);
    } else {
        *apic(0xb0) = 0;
    }
}

/* ---- the other processor -------------------------------------------------------------- */

enum { AP_WRITE = 1, AP_X2APIC, AP_WINDOW };

static struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
} idt_pointer;

void ap_main(unsigned cpu)
{
    asm volatile("lidt %0" : : "m"(idt_pointer));
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | ENABLE);
    *apic(0xf0) = 0x1ff;
    for (;;) {
        while (!ap_command) {
            asm volatile("pause");
        }
        if (ap_command == AP_WRITE) {
            *apic(ap_reg) = ap_value;
        } else if (ap_command == AP_X2APIC) {
            wrmsr(APIC_BASE, rdmsr(APIC_BASE) | ENABLE | EXTD);
            x2[cpu] = true;
        } else {
            window();
        }
        ap_command = 0;
    }
}

static void on_ap(uint32_t command, uint32_t reg, uint32_t value)
{
    ap_reg = reg;
    ap_value = value;
    asm volatile("" : : : "memory");
    ap_command = command;
    while (ap_command) {
        asm volatile("pause");
    }
}

static void wake(void)
{
    for (unsigned i = 0; ap_start + i < ap_start_end; i++) {
        ((volatile uint8_t *)(Word)TRAMPOLINE)[i] = ap_start[i];
    }
    asm volatile("sidt %0" : "=m"(idt_pointer));
    *apic(0x310) = 0;
    *apic(0x300) = 0xc4500;
    settle();
    *apic(0x300) = 0xc4600 | TRAMPOLINE >> 12;
    settle();
    *apic(0x300) = 0xc4600 | TRAMPOLINE >> 12;
    while (!ap_count) {
        asm volatile("pause");
    }
}

/* ---- guarded accesses -------------------------------------------------------------------- */

static uint32_t msr;
static uint64_t msr_value;

static void do_write(void)
{
    wrmsr(msr, msr_value);
}

static void do_read(void)
{
    msr_value = rdmsr(msr);
}

static const char *outcome(void (*code)(void))
{
    guard_kernel(code);
    return trap.frame.vector == VECTOR_OK ? "ok" : trap.frame.vector == 13 ? "#GP" : "wrong";
}

static const char *try_write(uint32_t index, uint64_t value)
{
    msr = index;
    msr_value = value;
    return outcome(do_write);
}

static const char *try_read(uint32_t index)
{
    msr = index;
    return outcome(do_read);
}

/* ---- xAPIC --------------------------------------------------------------------------------- */

/* KVM's APIC keeps its registers, or LINT0's. */
static void show_reset(void)
{
    if (kvm) {
        print("enabled again: -\nsoftware-disabled: -\n");
        return;
    }
    print("enabled again: svr %x, lvt %x %x %x %x, dfr %x, ldr %x\n", (Word)*apic(0xf0),
          (Word)*apic(0x320), (Word)*apic(0x350), (Word)*apic(0x360), (Word)*apic(0x370),
          (Word)*apic(0xe0), (Word)*apic(0xd0));
    *apic(0x320) = 0x90;
    print("software-disabled: lvt timer %x\n", (Word)*apic(0x320));
}

static void after_reset(void)
{
    uint64_t base = rdmsr(APIC_BASE);
    uint32_t r[4];

    wrmsr(APIC_BASE, base & ~ENABLE);
    cpuid(1, 0, r);
    print("disabled: cpuid has an apic: %u\n", (Word)(r[3] >> 9 & 1));
    wrmsr(APIC_BASE, base);
    show_reset();
    *apic(0xf0) = 0x1ff;
    *apic(0x350) = 0x700;
    *apic(0x320) = 0x90;
    print("software-enabled: lvt timer %x\n", (Word)*apic(0x320));
    *apic(0x320) = 0x10090;
    cpuid(0x80000008, 0, r);
    print("base: reserved bit 9 %s, beyond the address width %s\n",
          try_write(APIC_BASE, base | 0x200), try_write(APIC_BASE, base | 1ull << (r[0] & 0xff)));
    print("base: x2apic but not enabled %s\n", try_write(APIC_BASE, (base & ~ENABLE) | EXTD));
    print("xapic: read 802 %s, write 80b %s\n", try_read(0x802), try_write(0x80b, 0));
}

static void errors(void)
{
    if (kvm) { /* it does not tell of this one */
        print("esr: -\n");
        return;
    }
    *apic(0x280) = 0;
    *apic(0x280) = 0;
    *apic(0x310) = 0;
    *apic(0x300) = 0x40005; /* an illegal vector, to itself */
    *apic(0x280) = 0;
    print("esr: %x", (Word)*apic(0x280) & 0x20);
    *apic(0x280) = 0;
    print(", and then %x\n", (Word)*apic(0x280));
}

static void show(const char *what, unsigned vector)
{
    settle();
    window();
    on_ap(AP_WINDOW, 0, 0);
    print("%s: %u and %u\n", what, (Word)count[0][vector], (Word)count[1][vector]);
}

static void send(uint32_t dest, uint32_t icr)
{
    *apic(0x310) = dest << 24;
    *apic(0x300) = icr;
}

static void destinations(void)
{
    send(1, 0x41);
    show("physical 1", 0x41);
    send(0xff, 0x42);
    show("physical, all", 0x42);
    *apic(0xd0) = 1u << 24;
    on_ap(AP_WRITE, 0xd0, 2u << 24);
    send(3, 0x843);
    show("flat 3", 0x43);
    send(2, 0x844);
    show("flat 2", 0x44);
    *apic(0xe0) = 0x0fffffff;
    on_ap(AP_WRITE, 0xe0, 0x0fffffff);
    *apic(0xd0) = 0x11u << 24;
    on_ap(AP_WRITE, 0xd0, 0x21u << 24);
    send(0x21, 0x845);
    show("cluster 2, member 1", 0x45);
    send(0x13, 0x846);
    show("cluster 1, members 1 and 2", 0x46);
    *apic(0xe0) = 0xffffffff;
    on_ap(AP_WRITE, 0xe0, 0xffffffff);
    *apic(0xd0) = 1u << 24;
    on_ap(AP_WRITE, 0xd0, 2u << 24);
    send(0, 0xc0047);
    show("all but itself", 0x47);
    send(0, 0x80048);
    show("all", 0x48);
    send(1, 0x400);
    show("nmi to 1", 2);
}

static void priorities(void)
{
    *apic(0x80) = 0x50;
    send(0, 0x40058);
    send(0, 0x40068);
    window();
    print("tpr 50: ppr %x, %u of 58, %u of 68\n", (Word)*apic(0xa0), (Word)count[0][0x58],
          (Word)count[0][0x68]);
    asm volatile("mov %0, %%cr8" : : "r"(4ul));
    print("cr8 4: tpr %x\n", (Word)*apic(0x80));
    window();
    print("cr8 4: %u of 58\n", (Word)count[0][0x58]);
    *apic(0x80) = 0;
}

static void wait_for(unsigned vector, unsigned n)
{
    while (count[0][vector] < n) {
        sti_hlt_cli();
    }
}

static void timer(void)
{
    uint32_t r[4];

    *apic(0x3e0) = 0xb;
    *apic(0x320) = 0x10071;
    *apic(0x380) = 0xffffffff;
    settle();
    print("timer: counts while masked: %s\n", *apic(0x390) < 0xffffffff ? "yes" : "no");
    *apic(0x380) = 0;
    print("timer: stopped at %u\n", (Word)*apic(0x390));
    cpuid(1, 0, r);
    if (!(r[2] & 1u << 24)) {
        print("tsc deadline: -\ndeadline that is past: -\n");
        return;
    }
    *apic(0x320) = 0x40072;
    wrmsr(0x6e0, 1); /* long ago */
    wait_for(0x72, 1);
    print("tsc deadline: now %u, armed %x\n", (Word)count[0][0x72], rdmsr(0x6e0));
    wrmsr(0x6e0, rdmsr(0x10) + 3000000);
    wait_for(0x72, 2);
    sti();
    wrmsr(0x6e0, rdmsr(0x10));
    asm volatile("nop");
    r[0] = count[0][0x72];
    cli();
    if (kvm) { /* its host timer takes a moment */
        print("deadline that is past: -\n");
    } else {
        print("deadline that is past: before the next instruction but one: %u\n", (Word)r[0] - 2);
    }
    *apic(0x380) = 1000;
    print("tsc deadline: came, initial count %u\n", (Word)*apic(0x380));
    *apic(0x320) = 0x10072;
}

/* ---- x2APIC -------------------------------------------------------------------------------- */

static void x2apic_registers(void)
{
    uint64_t base = rdmsr(APIC_BASE);

    print("x2apic: to xapic %s, id %x, ldr %x, mmio %x\n", try_write(APIC_BASE, base & ~EXTD),
          rdmsr(0x802), rdmsr(0x80d), (Word)*apic(0x30));
    print("x2apic: write id %s, ldr %s, dfr %s, icr2 %s, isr %s\n", try_write(0x802, 0),
          try_write(0x80d, 0), try_write(0x80e, 0), try_write(0x831, 0), try_write(0x810, 0));
    print("x2apic: read eoi %s, self ipi %s, icr2 %s, apr %s, 8ff %s\n", try_read(0x80b),
          try_read(0x83f), try_read(0x831), try_read(0x809), try_read(0x8ff));
    print("x2apic: icr reserved bit %s, initial count beyond 32 bits %s, lvt beyond 32 bits %s\n",
          try_write(0x830, 1u << 13), try_write(0x838, 1ull << 32), try_write(0x832, 1ull << 32));
    if (kvm) { /* which ignores what is reserved there */
        print("x2apic reserved: -\n");
        return;
    }
    print("x2apic reserved: eoi 1 %s, tpr 100 %s, svr 10000 %s, esr 1 %s\n", try_write(0x80b, 1),
          try_write(0x808, 0x100), try_write(0x80f, 0x101ff), try_write(0x828, 1));
}

static void x2apic_messages(void)
{
    wrmsr(0x830, 1ull << 32 | 0x81);
    show("x2apic physical 1", 0x81);
    wrmsr(0x830, 3ull << 32 | 0x882);
    show("x2apic logical, cluster 0, both", 0x82);
    wrmsr(0x830, 0x10001ull << 32 | 0x883);
    show("x2apic logical, cluster 1", 0x83);
    wrmsr(0x830, 0xffffffffull << 32 | 0x84);
    show("x2apic, all", 0x84);
    wrmsr(0x83f, 0x85);
    show("x2apic self ipi", 0x85);
}

static void x2apic(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & 1u << 21)) {
        print("x2apic: -\nx2apic reserved: -\nx2apic physical 1: -\nx2apic, all: -\n"
              "x2apic logical, cluster 0, both: -\nx2apic logical, cluster 1: -\n"
              "x2apic self ipi: -\n");
        return;
    }
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | EXTD);
    x2[0] = true;
    on_ap(AP_X2APIC, 0, 0);
    x2apic_registers();
    x2apic_messages();
}

void guest_main(void)
{
    kvm = command_line_number("kvm", 0);
    for (unsigned i = 0x40; i < 0x100; i++) {
        irq_handler[i] = i == VECTOR_OK ? NULL : handler;
    }
    irq_handler[2] = handler;
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    after_reset();
    wake();
    errors();
    destinations();
    priorities();
    timer();
    x2apic();
}
