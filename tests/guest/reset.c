/* SPDX-License-Identifier: MIT
 *
 * Ways to reset a PC: keyboard controller, PIIX3's reset control register, triple fault
 * (SDM vol. 3, 6.15, interrupt 8).  A byte of CMOS RAM says how far we have got.
 */
#include "lib/guest.h"

#define CMOS_STAGE 0x5f

static uint8_t stage_read(void)
{
    outb(0x70, CMOS_STAGE);
    return inb(0x71);
}

static void stage_write(uint8_t v)
{
    outb(0x70, CMOS_STAGE);
    outb(0x71, v);
}

static void triple_fault(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        Word base;
    } none = {0, 0};

    asm volatile("lidt %0; ud2" : : "m"(none));
}

static void next_stage(unsigned stage, const char *what)
{
    print("reset by %s\n", what);
    flush_text();
    stage_write(stage);
}

static void wait_for_reset(void)
{
    for (;;) {
        asm volatile("pause");
    }
}

void guest_main(void)
{
    print("cr0=%x flags=%x\n", read_cr0() & 0x60000001, trap.frame.flags);
    switch (stage_read()) {
    case 0x51:
        next_stage(0x52, "the reset control register");
        outb(0xcf9, 2);
        outb(0xcf9, 6);
        wait_for_reset();
        break;
    case 0x52:
        next_stage(0x53, "a triple fault");
        triple_fault();
        break;
    case 0x53:
        stage_write(0);
        print("three resets\n");
        break;
    default:
        next_stage(0x51, "the keyboard controller");
        outb(0x64, 0xfe);
        wait_for_reset();
    }
}
