/* SPDX-License-Identifier: MIT
 *
 * Real mode (SDM vol. 3, ch. 20): 16-bit code copied below 1 MiB, run case by
 * case, each leaving registers and, after an interrupt, the vector.
 */
#include "lib/guest.h"

#define LOW 0x8000u

/* At the start of the 16-bit image; real_cases.S has the same layout. */
typedef struct RealResult {
    uint32_t ax, bx, cx, dx, si, di, bp, flags;
    uint16_t vector, ip, cs, pushed_flags;
} RealResult;

typedef struct RealCase {
    const char *name;
    uint32_t offset; /* from the start of the image */
    uint32_t silicon; /* KVM's instruction emulator does not know it */
} RealCase;

extern const uint8_t real_image[], real_image_end[];
extern const RealCase real_cases[], real_cases_end[];
extern void real_call(uint32_t offset);

static void image_copy(void)
{
    for (unsigned i = 0; real_image + i < real_image_end; i++) {
        ((volatile uint8_t *)LOW)[i] = real_image[i];
    }
}

static void case_show(const RealCase *c, const RealResult *r)
{
    print("%s: ", c->name);
    if (r->vector != 0xffff) {
        print("int %x ip+%u flags=%x\n", (Word)r->vector, (Word)(uint16_t)(r->ip - c->offset),
              (Word)r->pushed_flags & 0x3000);
    } else {
        print("ax=%x bx=%x cx=%x dx=%x si=%x di=%x flags=%x\n", (Word)r->ax, (Word)r->bx,
              (Word)r->cx, (Word)r->dx, (Word)r->si, (Word)r->di, (Word)r->flags & 0x8d5);
    }
    flush_text();
}

void guest_main(void)
{
    image_copy();
    for (const RealCase *c = real_cases; c < real_cases_end; c++) {
        if (c->silicon && emulated) {
            print("%s: -\n", c->name);
            flush_text();
            continue;
        }
        real_call(c->offset);
        case_show(c, (const RealResult *)LOW);
    }
}
