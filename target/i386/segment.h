/* SPDX-License-Identifier: MIT
 *
 * Segment descriptors, stacks and far transfers (tcg).  SDM vol. 3, chapters 3,
 * 5, 6 and 8.  Everything raises through x86_raise_exception().
 */
#ifndef TARGET_I386_SEGMENT_H
#define TARGET_I386_SEGMENT_H

#include "target/i386/exception.h"
#include "target/i386/mmu.h"

/* System descriptor types (SDM vol. 3, table 3-2) */
enum X86SystemType {
    SYS_TSS16_AVAILABLE = 1,
    SYS_LDT = 2,
    SYS_TSS16_BUSY = 3,
    SYS_CALL_GATE16 = 4,
    SYS_TASK_GATE = 5,
    SYS_INT_GATE16 = 6,
    SYS_TRAP_GATE16 = 7,
    SYS_TSS32_AVAILABLE = 9,
    SYS_TSS32_BUSY = 11,
    SYS_CALL_GATE32 = 12,
    SYS_INT_GATE32 = 14,
    SYS_TRAP_GATE32 = 15,
};

typedef struct X86Descriptor {
    uint32_t lo, hi;
    uint64_t addr; /* linear, of the low doubleword */
} X86Descriptor;

static inline bool x86_protected(const CPUX86State *env)
{
    return (env->hflags & (HF_PE | HF_VM)) == HF_PE;
}

static inline unsigned x86_iopl(const CPUX86State *env)
{
    return (env->rflags & IOPL_MASK) >> IOPL_SHIFT;
}

/* The part of a selector that an error code carries. */
static inline uint16_t selector_error(uint16_t selector)
{
    return selector & 0xfffc;
}
static inline bool selector_is_null(uint16_t selector)
{
    return !(selector & 0xfffc);
}
static inline unsigned selector_rpl(uint16_t selector)
{
    return selector & 3;
}

static inline uint32_t desc_base(const X86Descriptor *d)
{
    return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
}
static inline uint32_t desc_limit(const X86Descriptor *d)
{
    uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

    return d->hi & DESC_G_MASK ? limit << 12 | 0xfff : limit;
}
static inline unsigned desc_dpl(const X86Descriptor *d)
{
    return (d->hi >> DESC_DPL_SHIFT) & 3;
}
static inline unsigned desc_type(const X86Descriptor *d)
{
    return (d->hi >> DESC_TYPE_SHIFT) & 15;
}
static inline bool desc_present(const X86Descriptor *d)
{
    return d->hi & DESC_P_MASK;
}
static inline bool desc_is_system(const X86Descriptor *d)
{
    return !(d->hi & DESC_S_MASK);
}
static inline bool desc_is_code(const X86Descriptor *d)
{
    return (d->hi & (DESC_S_MASK | DESC_CS_MASK)) == (DESC_S_MASK | DESC_CS_MASK);
}
static inline bool desc_is_conforming(const X86Descriptor *d)
{
    return d->hi & DESC_EC_MASK;
}
static inline bool desc_is_writable_data(const X86Descriptor *d)
{
    return (d->hi & (DESC_S_MASK | DESC_CS_MASK | DESC_RW_MASK)) == (DESC_S_MASK | DESC_RW_MASK);
}
static inline bool desc_is_readable(const X86Descriptor *d)
{
    return (d->hi & DESC_S_MASK) && (!(d->hi & DESC_CS_MASK) || (d->hi & DESC_RW_MASK));
}

/* ---- descriptors --------------------------------------------------------------- */

/* False: the selector is beyond its table (or the LDT is unusable). */
bool x86_fetch_descriptor(CPUX86State *env, uint16_t selector, X86Descriptor *ret);
/* The same for `bytes` bytes (16: system descriptors of long mode). */
bool x86_fetch_descriptor_sized(CPUX86State *env, uint16_t selector, unsigned bytes,
                                X86Descriptor *ret);
/* #GP(selector + ext) when it is beyond its table. */
void x86_need_descriptor(CPUX86State *env, uint16_t selector, int vector, uint16_t ext,
                         X86Descriptor *ret);
/* Set the A bit in the table. */
void x86_set_accessed(CPUX86State *env, X86Descriptor *d);

/* Fill the cache; hflags are not updated. */
void x86_set_segment(CPUX86State *env, int seg, uint16_t selector, const X86Descriptor *d);
/* A selector in real or virtual-8086 mode. */
void x86_set_segment_real(CPUX86State *env, int seg, uint16_t selector);
void x86_set_segment_null(CPUX86State *env, int seg, uint16_t selector, unsigned dpl);
/* Code segment whose RPL becomes `cpl`; sets A. */
void x86_set_cs(CPUX86State *env, uint16_t selector, X86Descriptor *d, unsigned cpl);
/* Null or no longer accessible at this CPL: DS, ES, FS, GS after a return outward. */
void x86_drop_inner_segments(CPUX86State *env, unsigned cpl);

/* mov sreg, pop sreg, lds...: in every mode, with every check.  hflags updated. */
void x86_load_segment(CPUX86State *env, int seg, uint16_t selector);
/* SS checks of a stack switch or a return to `cpl`; faults are `vector`, or #SS when not present. */
void x86_check_stack_segment(CPUX86State *env, uint16_t selector, unsigned cpl, int vector,
                             uint16_t ext, X86Descriptor *ret);
/* The code segment of far transfers may be entered here in this mode (L and D exclusive). */
bool x86_code_descriptor_valid(const CPUX86State *env, const X86Descriptor *d);

void x86_load_ldt(CPUX86State *env, uint16_t selector);
void x86_load_tr(CPUX86State *env, uint16_t selector);
/* lar, lsl, verr, verw: false: not accessible. */
bool x86_lar(CPUX86State *env, uint16_t selector, uint32_t *ret);
bool x86_lsl(CPUX86State *env, uint16_t selector, uint32_t *ret);
bool x86_verify(CPUX86State *env, uint16_t selector, bool write);

/* Whether [offset, offset + len) lies within the segment's limit. */
bool x86_segment_limit_ok(const SegmentCache *s, uint32_t offset, size_t len);

/* ---- stacks ----------------------------------------------------------------------- */

/* A stack being pushed to or popped from; env's own is changed by x86_stack_commit(). */
typedef struct X86Stack {
    CPUX86State *env;
    const SegmentCache *ss; /* NULL: 64-bit, no segment */
    uint64_t sp;
    uint64_t mask;
    X86Priv priv;
    uint16_t error; /* code of #SS */
} X86Stack;

/* The current stack. */
X86Stack x86_stack_current(CPUX86State *env);
/* A new one, through a cache that is not loaded yet; for code at `cpl`. */
X86Stack x86_stack_new(CPUX86State *env, const SegmentCache *ss, uint64_t sp, unsigned cpl,
                       uint16_t error);
X86Stack x86_stack_new_64(CPUX86State *env, uint64_t sp, unsigned cpl, uint16_t error);
void x86_stack_push(X86Stack *s, uint64_t value, unsigned size);
uint64_t x86_stack_pop(X86Stack *s, unsigned size);
/* n quadwords, of 64-bit code, as that many pushes. */
void x86_stack_push_frame(X86Stack *s, const uint64_t *values, unsigned n);
/* What the next n pops of 8 would give; false: they have to be done to be known. */
bool x86_stack_peek_frame(const X86Stack *s, uint64_t *ret_values, unsigned n);
/* Raise what a write at the top would. */
void x86_stack_probe(const X86Stack *s, unsigned size);
void x86_stack_skip(X86Stack *s, int64_t bytes);
void x86_stack_commit(const X86Stack *s);
/* A cache as the descriptor would fill it. */
SegmentCache x86_segment_cache(uint16_t selector, const X86Descriptor *d);

/* ---- transfers ----------------------------------------------------------------------- */

/* opsize: 2, 4 or 8; next_rip: of the following instruction. */
void x86_far_jmp(CPUX86State *env, uint16_t selector, uint64_t offset, unsigned opsize,
                 uint64_t next_rip);
void x86_far_call(CPUX86State *env, uint16_t selector, uint64_t offset, unsigned opsize,
                  uint64_t next_rip);
void x86_far_ret(CPUX86State *env, unsigned opsize, unsigned release);
void x86_iret(CPUX86State *env, unsigned opsize, uint64_t next_rip);
void x86_syscall(CPUX86State *env, uint64_t next_rip);
void x86_sysret(CPUX86State *env, unsigned opsize);
void x86_sysenter(CPUX86State *env);
void x86_sysexit(CPUX86State *env, unsigned opsize);

/* Stack for entering `cpl` from the TSS (16- or 32-bit). */
void x86_tss_stack(CPUX86State *env, unsigned cpl, uint16_t ext, uint16_t *ret_ss,
                   uint32_t *ret_esp);
/* RSPn (index 0..2) or ISTn (index 4 and up: 3 + n) of a 64-bit TSS. */
uint64_t x86_tss_stack_64(CPUX86State *env, unsigned index, uint16_t ext);

typedef enum X86TaskSwitch { TASK_JMP, TASK_CALL, TASK_IRET, TASK_GATE_EVENT } X86TaskSwitch;
/* Switch to the task of a TSS descriptor that has been checked.  SDM vol. 3, 8.3. */
void x86_task_switch(CPUX86State *env, uint16_t selector, const X86Descriptor *d,
                     X86TaskSwitch how, uint64_t next_rip);
/* Through a task gate: the TSS selector in it, checked. */
void x86_task_gate(CPUX86State *env, const X86Descriptor *gate, X86TaskSwitch how, uint16_t ext,
                   uint64_t next_rip);
/* Raise #GP unless the I/O permission allows `size` bytes at `port`. */
void x86_check_io(CPUX86State *env, uint16_t port, unsigned size);
/* Software interrupt in virtual-8086 mode: whether the redirection bitmap sends it to the 8086 handler. */
bool x86_vm86_int_redirected(CPUX86State *env, int vector);
/* Deliver to the 8086-style table (real mode, or VME redirection). */
void x86_deliver_real(CPUX86State *env, int vector, uint64_t next_rip);

#endif
