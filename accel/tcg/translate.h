/* SPDX-License-Identifier: MIT
 *
 * The translator's context and the pieces that its files share.
 */
#ifndef ACCEL_TCG_TRANSLATE_H
#define ACCEL_TCG_TRANSLATE_H

#include "accel/tcg/emit.h"
#include "accel/tcg/tcg-internal.h"

/* Where the guest's arithmetic flags are; both bits may be set. */
#define FLAGS_HOST  1u /* in EFLAGS */
#define FLAGS_IMAGE 2u /* in flags_image */

typedef struct Trans {
    TcgState *s;
    const TranslateSource *src;
    Block *b;
    Emit hot, cold;
    X86Insn insn[BLOCK_INSNS_MAX];
    uint64_t pc[BLOCK_INSNS_MAX + 1]; /* of each, and of the end */
    unsigned count, at;
    InsnMap map[BLOCK_INSNS_MAX];
    enum TcgSet set;
    bool code64, code16, ss32, flat; /* flat: DS, ES, SS need no work */
    bool fp_ready;  /* the vector state has been seen to be loaded */
    bool ended;     /* control does not go on to the next instruction */
    bool poll_due;  /* a poll is still wanted */
    unsigned no_poll_at; /* not before this instruction (sti) */
    uint8_t flags;  /* FLAGS_* */
} Trans;

/* One instruction as host bytes, position-independent. */
typedef struct OpBuf {
    uint8_t bytes[96];
    Emit e;
} OpBuf;

static inline void op_init(OpBuf *op)
{
    op->e.p = op->bytes;
}

static inline size_t op_len(const OpBuf *op)
{
    return (size_t)(op->e.p - op->bytes);
}

static inline const X86Insn *trans_insn(const Trans *t)
{
    return &t->insn[t->at];
}

/* translate.c */
void trans_flags_save(Trans *t);  /* afterwards EFLAGS may be lost */
void trans_flags_host(Trans *t);  /* afterwards they are in EFLAGS */
void trans_cold_call(Trans *t, enum TcgThunk thunk, ColdDesc desc); /* to C and back */
void trans_raise(Trans *t, int vector);
void trans_c_insn(Trans *t);
/* The same out of line, where `site` jumps to, or at the end of what is there; then back to here. */
void trans_c_insn_at(Trans *t, uint8_t *site);
void trans_c_insn_here(Trans *t);
/* r10 = linear address of the memory operand, moved by `adjust`. */
void trans_ea(Trans *t, const X86Insn *insn, unsigned kind, unsigned size, int adjust);
/* r10 = linear address of the stack pointer + disp */
void trans_stack_ea(Trans *t, int disp, unsigned kind, unsigned size);
void trans_move_sp(Trans *t, int delta);
/* r10 = offset in seg -> linear */
void trans_segment(Trans *t, int seg, unsigned kind, unsigned size);
/* r10 = linear; run op with r10 = host address.  kind: ACC_*. */
void trans_access(Trans *t, unsigned kind, unsigned size, const OpBuf *op);
/* End: to a known target, exit number n; to r10. */
void trans_goto(Trans *t, unsigned n, uint64_t target);
void trans_goto_r10(Trans *t, int sp_moved); /* what a fault at the target has to undo */
/* Take exit n where condition cc holds (0-15). */
void trans_goto_if(Trans *t, unsigned n, unsigned cc, uint64_t target);
uint64_t trans_next_pc(const Trans *t);
/* What the instruction does to the flags when it has run. */
bool trans_wants_flags(const X86Insn *insn);
void trans_flags_written(Trans *t, const X86Insn *insn);

/* translate-int.c */
void trans_int(Trans *t);
/* Any instruction with a ModRM operand that runs as itself. */
void trans_plain(Trans *t);

/* translate-branch.c, -stack.c, -string.c, -fp.c, -sys.c: false if not theirs */
bool trans_branch(Trans *t);
bool trans_string(Trans *t);
bool trans_stack(Trans *t);
bool trans_fp(Trans *t);
bool trans_sys(Trans *t);
/* r11 = what the stack pointer, which stays, points to */
void trans_pop_to_r11(Trans *t, unsigned size);

#endif
