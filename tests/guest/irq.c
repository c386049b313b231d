/* SPDX-License-Identifier: MIT
 *
 * The interrupt hardware of a PC: 8259 pair, 8254, MC146818, local APIC and
 * I/O APIC, and what the CPU does with interrupts (SDM vol. 3, 6.8 and ch. 10).
 */
#include "lib/guest.h"

#define APIC      0xfee00000ul
#define IOAPIC    0xfec00000ul
#define PIC_BASE  0x50

static volatile unsigned count[256];
static volatile Word last_ip;

static void pic_eoi(unsigned line)
{
    if (line >= 8) {
        outb(0xa0, 0x20);
    }
    outb(0x20, 0x20);
}

static void pic_handler(Frame *f)
{
    count[f->vector]++;
    last_ip = f->ip;
    if (f->vector == PIC_BASE + 8) {
        outb(0x70, 0x0c);
        inb(0x71);
    }
    pic_eoi(f->vector - PIC_BASE);
}

static void pic_init(void)
{
    outb(0x20, 0x11);
    outb(0x21, PIC_BASE);
    outb(0x21, 4);
    outb(0x21, 1);
    outb(0xa0, 0x11);
    outb(0xa1, PIC_BASE + 8);
    outb(0xa1, 2);
    outb(0xa1, 1);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    for (unsigned i = 0; i < 16; i++) {
        irq_handler[PIC_BASE + i] = pic_handler;
        count[PIC_BASE + i] = 0;
    }
}

static void pit_start(unsigned mode, unsigned divisor)
{
    outb(0x43, 0x30 | mode << 1);
    outb(0x40, divisor & 0xff);
    outb(0x40, divisor >> 8);
}

/*
 * Room for a pending interrupt, behind the shadow of sti.  A KVM that emulates
 * looks for one when it comes back from an access to a device.
 */
static void window(void)
{
    asm volatile("sti; nop; outb %%al, $0x80; nop; cli" : : : "memory");
}

static void wait_for(unsigned vector, unsigned n)
{
    while (count[vector] < n) {
        sti_hlt_cli();
    }
}

static uint8_t pic_read(unsigned port, unsigned ocw3)
{
    outb(port, ocw3);
    return inb(port);
}

/* A one-shot is seen in IRR while masked, taken once when unmasked. */
static void pit_one_shot(void)
{
    pic_init();
    pit_start(0, 100);
    while (!(pic_read(0x20, 0x0a) & 1)) {
    }
    print("pit: pending while masked, taken %u times\n", (Word)count[PIC_BASE]);
    outb(0x21, 0xfe);
    wait_for(PIC_BASE, 1);
    print("pit: irr=%x isr=%x after eoi\n", (Word)pic_read(0x20, 0x0a) & 1,
          (Word)pic_read(0x20, 0x0b));
    for (unsigned i = 0; i < 50; i++) {
        window();
    }
    print("pit: one shot came %u times\n", (Word)count[PIC_BASE]);
}

static void pit_periodic(void)
{
    pic_init();
    pit_start(2, 1193);
    outb(0x21, 0xfe);
    wait_for(PIC_BASE, 5);
    outb(0x21, 0xff);
    pit_start(0, 0xffff);
    print("pit: 5 periods\n");
}

static void pit_latch(void)
{
    unsigned a, b;

    pit_start(2, 0x1234);
    outb(0x43, 0xe2); /* read back: status and count of counter 0 */
    a = inb(0x40);
    outb(0x43, 0x00);
    b = inb(0x40);
    b |= inb(0x40) << 8;
    print("pit: status %x, count %s\n", (Word)a & 0x3f, b <= 0x1234 ? "within" : "beyond");
}

static void rtc_periodic(void)
{
    pic_init();
    outb(0x70, 0x0a);
    outb(0x71, 0x26);
    outb(0x70, 0x0b);
    outb(0x71, 0x42);
    outb(0x70, 0x0c);
    inb(0x71);
    outb(0x21, 0xfb);
    outb(0xa1, 0xfe);
    wait_for(PIC_BASE + 8, 3);
    outb(0x70, 0x0b);
    outb(0x71, 0x02);
    outb(0xa1, 0xff);
    print("rtc: 3 periodic interrupts through the cascade\n");
}

/* Right behind sti comes one more instruction, even with an interrupt pending. */
static void shadows(void)
{
    Word start;

    pic_init();
    pit_start(0, 50);
    while (!(pic_read(0x20, 0x0a) & 1)) {
    }
    outb(0x21, 0xfe);
    asm volatile("lea 1f(%%rip), %0; sti; 1: nop; 2: cmpl $0, %1; je 2b; cli"
                 : "=&r"(start)
                 : "m"(count[PIC_BASE])
                 : "memory");
    print("sti: taken %s\n", last_ip == start ? "in its shadow" : "behind its shadow");
}

static void coprocessor_handler(Frame *f)
{
    count[f->vector]++;
    outb(0xf0, 0);
    asm volatile("fnclex");
    pic_eoi(13);
}

/* Without CR0.NE an x87 error is FERR#, IRQ 13 and port f0h (SDM vol. 1, 8.7.2). */
static void coprocessor(void)
{
    static const uint16_t control = 0x37b; /* division by zero is not masked */
    Word cr0 = read_cr0();

    if (command_line_number("kvm", 0)) { /* which has no FERR# */
        print("ferr: -\n");
        return;
    }
    pic_init();
    irq_handler[PIC_BASE + 13] = coprocessor_handler;
    outb(0x21, 0xfb);
    outb(0xa1, 0xdf);
    write_cr0(cr0 & ~0x2cul);
    asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp; sti; fwait; nop; nop; cli; fninit"
                 :
                 : "m"(control)
                 : "memory");
    write_cr0(cr0);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    print("ferr: irq 13 came %u times\n", (Word)count[PIC_BASE + 13]);
}

static void apic_write(unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)(APIC + reg) = v;
}

static uint32_t apic_read(unsigned reg)
{
    return *(volatile uint32_t *)(APIC + reg);
}

static void apic_handler(Frame *f)
{
    count[f->vector]++;
    apic_write(0xb0, 0);
}

static void apic_start(void)
{
    pic_init();
    for (unsigned i = 0x80; i < 0x100; i++) {
        irq_handler[i] = apic_handler;
        count[i] = 0;
    }
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    apic_write(0xf0, 0x1ff);
    apic_write(0x80, 0);
    print("apic: id=%x version=%x max lvt at least 5: %s\n", (Word)apic_read(0x20) >> 24,
          (Word)apic_read(0x30) & 0xff, (apic_read(0x30) >> 16 & 0xff) >= 5 ? "yes" : "no");
}

static void apic_self_ipi(void)
{
    apic_write(0x310, 0);
    apic_write(0x300, 0x4008a);
    print("apic: irr of vector 8a: %x\n", (Word)apic_read(0x200 + 0x40) >> 10 & 1);
    window();
    print("apic: self ipi came %u times\n", (Word)count[0x8a]);
}

static void apic_priority(void)
{
    apic_write(0x80, 0x90);
    apic_write(0x300, 0x4008b);
    apic_write(0x300, 0x400a1);
    window();
    print("apic: tpr 90: %u of vector 8b, %u of vector a1\n", (Word)count[0x8b], (Word)count[0xa1]);
    apic_write(0x80, 0);
    window();
    print("apic: tpr 0: %u of vector 8b\n", (Word)count[0x8b]);
}

static void apic_timer(void)
{
    apic_write(0x3e0, 0xb); /* divide by 1 */
    apic_write(0x320, 0x90);
    apic_write(0x380, 100000);
    wait_for(0x90, 1);
    print("apic: one-shot, count now %x\n", (Word)apic_read(0x390));
    apic_write(0x320, 0x20091);
    apic_write(0x380, 100000);
    wait_for(0x91, 3);
    apic_write(0x320, 0x10091);
    apic_write(0x380, 0);
    print("apic: 3 periods\n");
}

static void ioapic_write(unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)IOAPIC = reg;
    *(volatile uint32_t *)(IOAPIC + 0x10) = v;
}

static uint32_t ioapic_read(unsigned reg)
{
    *(volatile uint32_t *)IOAPIC = reg;
    return *(volatile uint32_t *)(IOAPIC + 0x10);
}

static void ioapic(void)
{
    unsigned timer;

    print("ioapic: %u entries\n", (Word)(ioapic_read(1) >> 16 & 0xff) + 1);
    ioapic_write(0x10 + 2 * 2 + 1, 0);
    ioapic_write(0x10 + 2 * 2, 0xa4);
    ioapic_write(0x10 + 0 * 2 + 1, 0);
    ioapic_write(0x10 + 0 * 2, 0xa4);
    pit_start(2, 1193);
    wait_for(0xa4, 3);
    timer = count[0xa4];
    ioapic_write(0x10 + 2 * 2, 0x100a4);
    ioapic_write(0x10 + 0 * 2, 0x100a4);
    pit_start(0, 0xffff);
    print("ioapic: the timer came %s\n", timer >= 3 ? "3 times" : "too rarely");
}

static void x2apic(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & 1u << 21)) {
        print("x2apic: self ipi came 1 times\n");
        return;
    }
    wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
    count[0xb0] = 0;
    irq_handler[0xb0] = NULL;
    wrmsr(0x83f, 0xb1);
    window();
    print("x2apic: self ipi came %u times\n", (Word)count[0xb1]);
    wrmsr(0x80b, 0);
    wrmsr(0x1b, rdmsr(0x1b) & ~0xc00ull);
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    apic_write(0xf0, 0x1ff); /* that reset it: virtual wire again */
    apic_write(0x350, 0x700);
}

static void x2apic_handler(Frame *f)
{
    count[f->vector]++;
    wrmsr(0x80b, 0);
}

void guest_main(void)
{
    pit_one_shot();
    pit_periodic();
    pit_latch();
    rtc_periodic();
    shadows();
    coprocessor();
    flush_text();
    apic_start();
    apic_self_ipi();
    apic_priority();
    apic_timer();
    ioapic();
    irq_handler[0xb1] = x2apic_handler;
    x2apic();
}
