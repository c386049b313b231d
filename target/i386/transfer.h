/* SPDX-License-Identifier: MIT
 *
 * Shared by far transfers: where a code segment may be entered.
 */
#ifndef TARGET_I386_TRANSFER_H
#define TARGET_I386_TRANSFER_H

#include "target/i386/segment.h"

/* #GP(0) unless `offset` can be fetched in the code segment of `d`; returns it cut to its width. */
uint64_t x86_check_target(CPUX86State *env, const X86Descriptor *d, uint64_t offset);
/* The code segment that far ret and iret return to: outward or to the same level. */
void x86_need_return_cs(CPUX86State *env, uint16_t selector, X86Descriptor *ret);
/* SS popped by a return to `cpl`; null is legal into 64-bit code. */
typedef struct ReturnStack {
    uint16_t selector;
    bool null;
    X86Descriptor desc;
} ReturnStack;
void x86_need_return_ss(CPUX86State *env, uint16_t selector, const X86Descriptor *cs,
                        unsigned cpl, ReturnStack *ret);
void x86_set_return_ss(CPUX86State *env, const ReturnStack *ss, unsigned cpl, uint64_t sp);

static inline uint64_t x86_opsize_mask(unsigned opsize)
{
    return opsize == 8 ? UINT64_MAX : opsize == 4 ? 0xffffffff : 0xffff;
}

#endif
