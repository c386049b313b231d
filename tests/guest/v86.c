/* SPDX-License-Identifier: MIT
 *
 * Virtual-8086 mode (SDM vol. 3, ch. 20.2): what runs, what faults at which
 * IOPL, and what a fault looks like from outside.
 */
#include "lib/guest.h"

typedef struct V86Case {
    const char *name;
    uint32_t offset, iopl;
} V86Case;

#define LOW 0x8000u

extern const uint8_t v86_image[], v86_image_end[];
extern const V86Case v86_cases[], v86_cases_end[];
extern void v86_enter(uint32_t offset, uint32_t flags);

static void image_copy(void)
{
    for (unsigned i = 0; v86_image + i < v86_image_end; i++) {
        ((volatile uint8_t *)LOW)[i] = v86_image[i];
    }
}

static void case_run(const V86Case *c)
{
    const Frame *f = &trap.frame;

    v86_enter(c->offset, 0x20002 | c->iopl << 12);
    print("%s: vector %u err=%x ip+%u cs=%x ax=%x bx=%x sp=%x flags=%x", c->name, f->vector,
          f->error, f->ip - c->offset, f->cs, f->ax, f->bx, f->sp, f->flags & 0x27cd5);
    print(" now ds=%x\n", f->ds);
    flush_text();
}

void guest_main(void)
{
    image_copy();
    tss[25] = 104 << 16;
    ((uint8_t *)(tss + 26))[0x80 / 8] = 0xfe; /* port 0x80 is open */
    for (const V86Case *c = v86_cases; c < v86_cases_end; c++) {
        case_run(c);
    }
}
