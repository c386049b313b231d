/* SPDX-License-Identifier: MIT
 *
 * System management mode: SDM vol. 3, ch. 31; the state save area of AMD's APM vol. 2, table
 * 10-1, which is what firmware for these machines expects.  SMIs come from the local APIC, the
 * I/O APIC and the PIIX4's port b2h.
 */
#include "lib/guest.h"
#include "smm.h"

#define APIC   0xfee00000ul
#define IOAPIC 0xfec00000ul
#define LOW    0x40000ul
#define HIGH   0x50000ul

extern uint8_t smm_handler[], smm_handler_end[];
void smm_rsm(void);

volatile uint32_t smm_block[SMM_SIZE / 4];

#define seen(name) smm_block[SMM_##name / 4]

static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(APIC + reg);
}

static void handler_at(unsigned long smbase)
{
    for (unsigned i = 0; smm_handler + i < smm_handler_end; i++) {
        ((volatile uint8_t *)(smbase + 0x8000))[i] = smm_handler[i];
    }
}

static void config_write(unsigned devfn, unsigned reg, uint8_t value)
{
    outl(0xcf8, 0x80000000u | devfn << 8 | (reg & ~3u));
    outb(0xcfc + (reg & 3), value);
}

/* Where SMBASE is after reset, and where SeaBIOS has moved it. */
static void install(void)
{
    config_write(0, 0x72, 0x4a); /* 82441FX: SMRAM open */
    handler_at(0x30000);
    handler_at(0xa0000);
    handler_at(LOW);
    handler_at(HIGH);
    config_write(0, 0x72, 0x0a);
}

/* Messages take their time. */
static void settle(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        asm volatile("pause" : : : "memory");
    }
}

static void smi(uint32_t command)
{
    seen(COMMAND) = command;
    *apic(0x300) = 0x40200; /* to itself */
    settle();
}

static const char *yes(bool b)
{
    return b ? "yes" : "no";
}

static void entry(void)
{
    smi(0);
    print("smi: taken %u times, revision %x\n", (Word)seen(COUNT), (Word)seen(REVISION));
    print("smi: cr0 pe/em/ts/pg %x, cr4 %x, efer %x, ds %x\n",
          (Word)seen(CR0) & 0x8000000d, (Word)seen(CR4), (Word)seen(EFER), (Word)seen(DS));
    print("smi: in long mode before: %s\n", yes((seen(SAVED_EFER) & 0x500) == 0x500));
    print("smi: from this program: %s\n", yes(seen(RIP) >= 0x100000 && seen(RIP) < 0x200000));
}

static void registers(void)
{
    Word rbx = 1, rax = 0x600df00d;

    seen(COMMAND) = 1;
    asm volatile("movl $0x40200, (%2); 1: cmp $1, %%rbx; je 1b"
                 : "+b"(rbx), "+a"(rax)
                 : "c"(apic(0x300))
                 : "memory", "cc");
    print("rsm: rax was saved as %x and is %x; rbx became %x\n", (Word)seen(RAX), rax, rbx);
}

static void relocation(void)
{
    smi(0);
    seen(NEW_BASE) = seen(CS) == LOW >> 4 ? HIGH : LOW;
    smi(4);
    smi(0);
    print("smbase: moved: %s\n", yes(seen(CS) == seen(NEW_BASE) >> 4));
}

static void nmi_handler(Frame *f)
{
    seen(NMIS)++;
}

static void blocked(void)
{
    irq_handler[2] = nmi_handler;
    seen(NMIS) = 0;
    smi(8);
    print("nmi: %u within smm, %u behind it\n", (Word)seen(NMIS_INSIDE), (Word)seen(NMIS));
    seen(COUNT) = 0;
    smi(16);
    print("smi: %u within smm, %u behind it\n", (Word)seen(COUNT_INSIDE), (Word)seen(COUNT));
}

static void ioapic_write(unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)IOAPIC = reg;
    *(volatile uint32_t *)(IOAPIC + 0x10) = v;
}

/* The 8254 ends a hlt with an SMI; the handler clears the bit that would lead back into it. */
static void halted(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    seen(COMMAND) = 2;
    seen(COUNT) = 0;
    outb(0x43, 0x30);
    ioapic_write(0x15, 0);
    ioapic_write(0x14, 0x200);
    outb(0x40, 0x00);
    outb(0x40, 0x40);
    asm volatile("cli; hlt" : : : "memory");
    ioapic_write(0x14, 0x10000);
    print("hlt: %u smi, halted %u, went on\n", (Word)seen(COUNT), (Word)seen(HALT));
}

static void apm_port(void)
{
    seen(COUNT) = 0;
    seen(COMMAND) = 0;
    config_write(1 << 3 | 3, 0x5b, 0x02); /* APMC_EN */
    outb(0xb2, 0x5a);
    settle();
    print("port b2: %u smi, command %x\n", (Word)seen(COUNT), (Word)seen(PORT));
}

void guest_main(void)
{
    install();
    wrmsr(0x1b, rdmsr(0x1b) | 0x800);
    *apic(0xf0) = 0x1ff;
    seen(COUNT) = 0;
    entry();
    registers();
    relocation();
    blocked();
    halted();
    apm_port();
    guard_kernel(smm_rsm);
    print("rsm outside: exception %u\n", trap.frame.vector);
}
