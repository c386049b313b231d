/* SPDX-License-Identifier: MIT
 *
 * The passages between C and generated code, built once at start.  Generated code has the
 * guest's registers in the host's, so a passage saves or loads all of them
 * and changes stacks.
 */
#include "accel/tcg/emit.h"
#include "accel/tcg/tcg-internal.h"

void emit_flags_save(Emit *e)
{
    emit_mov(e, H_R10, H_RAX);
    e8(e, 0x9f); /* lahf */
    e8(e, 0x0f); /* seto al */
    e8(e, 0x90);
    e8(e, 0xc0);
    emit_gs(e, 2, OP_STORE, H_RAX, TCG_OFF(flags_image));
    emit_mov(e, H_RAX, H_R10);
}

static void emit_flags_load_from(Emit *e, int32_t disp)
{
    emit_mov(e, H_R10, H_RAX);
    emit_gs(e, 4, 0x0fb7, H_RAX, disp); /* movzx eax, word */
    e8(e, 0x04);                        /* add al, 127: OF */
    e8(e, 127);
    e8(e, 0x9e); /* sahf */
    emit_mov(e, H_RAX, H_R10);
}

void emit_flags_load(Emit *e)
{
    emit_flags_load_from(e, TCG_OFF(flags_image));
}

static void emit_save_all(Emit *e)
{
    for (unsigned i = 0; i < 16; i++) {
        if (i != H_R10 && i != H_R11) {
            emit_store(e, i, REG_OFF(i));
        }
    }
}

static void emit_load_all(Emit *e)
{
    for (unsigned i = 0; i < 16; i++) {
        if (i != H_R10 && i != H_R11) {
            emit_load(e, i, REG_OFF(i));
        }
    }
}

/* Call fn(env, r10, r11) on the host's stack. */
static void emit_call_c(Emit *e, const void *fn)
{
    emit_save_all(e);
    emit_load(e, H_RSP, TCG_OFF(host_rsp));
    emit_load(e, H_RDI, TCG_OFF(self));
    emit_mov(e, H_RSI, H_R10);
    emit_mov(e, H_RDX, H_R11);
    emit_mov_imm(e, H_RAX, (uintptr_t)fn);
    e8(e, 0xff); /* call rax */
    e8(e, 0xd0);
}

static void emit_resume(Emit *e)
{
    emit_gs(e, 4, 0xff, 4, TCG_OFF(resume)); /* jmp qword gs:[resume] */
}

static void build_plain(Emit *e, const void *fn)
{
    emit_call_c(e, fn);
    emit_load_all(e);
    emit_resume(e);
}

static void build_pair(Emit *e, const void *fn)
{
    emit_call_c(e, fn);
    emit_mov(e, H_R10, H_RAX);
    emit_mov(e, H_R11, H_RDX);
    emit_load_all(e);
    emit_resume(e);
}

/* Everything survives, EFLAGS too; flags_image may hold the truth, so it is left alone. */
static void build_flush(Emit *e, const void *fn)
{
    emit_mov(e, H_R10, H_RAX);
    e8(e, 0x9f);
    e8(e, 0x0f);
    e8(e, 0x90);
    e8(e, 0xc0);
    emit_gs(e, 2, OP_STORE, H_RAX, TCG_OFF(save[3]));
    emit_mov(e, H_RAX, H_R10);
    emit_call_c(e, fn);
    emit_load_all(e);
    emit_flags_load_from(e, TCG_OFF(save[3]));
    emit_resume(e);
}

static void build_link_host(Emit *e, const void *fn)
{
    emit_flags_save(e);
    emit_call_c(e, fn);
    emit_load_all(e);
    emit_flags_load(e);
    emit_resume(e);
}

static const uint8_t saved_regs[] = {H_RBX, H_RBP, H_R12, H_R13, H_R14, H_R15};

static void build_enter(Emit *e)
{
    for (unsigned i = 0; i < sizeof(saved_regs); i++) {
        if (saved_regs[i] & 8) {
            e8(e, 0x41);
        }
        e8(e, 0x50 | (saved_regs[i] & 7));
    }
    emit_lea(e, 8, H_RSP, H_RSP, -8);
    emit_store(e, H_RSP, TCG_OFF(host_rsp));
    emit_mov(e, H_R10, H_RSI);
    emit_load_all(e);
    e8(e, 0x41); /* jmp r10 */
    e8(e, 0xff);
    e8(e, 0xe2);
}

static void build_exit(Emit *e)
{
    emit_save_all(e);
    emit_load(e, H_RSP, TCG_OFF(host_rsp));
    emit_lea(e, 8, H_RSP, H_RSP, 8);
    for (int i = sizeof(saved_regs) - 1; i >= 0; i--) {
        if (saved_regs[i] & 8) {
            e8(e, 0x41);
        }
        e8(e, 0x58 | (saved_regs[i] & 7));
    }
    e8(e, 0xc3);
}

/* The signal handler has filled env and sends us here on whatever stack. */
static void build_fault(Emit *e, const void *fn)
{
    emit_load(e, H_RSP, TCG_OFF(host_rsp));
    emit_load(e, H_RDI, TCG_OFF(self));
    emit_mov_imm(e, H_RAX, (uintptr_t)fn);
    e8(e, 0xff);
    e8(e, 0xd0);
    e8(e, 0x0f); /* not reached */
    e8(e, 0x0b);
}

static const struct {
    enum TcgThunk thunk;
    void (*build)(Emit *e, const void *fn);
    const void *fn;
} thunk_table[] = {
    {THUNK_READ,      build_pair,      (const void *)tcg_entry_access },
    {THUNK_WRITE,     build_pair,      (const void *)tcg_entry_access },
    {THUNK_FLUSH,     build_flush,     (const void *)tcg_entry_flush  },
    {THUNK_LINK,      build_plain,     (const void *)tcg_entry_link   },
    {THUNK_LINK_HOST, build_link_host, (const void *)tcg_entry_link   },
    {THUNK_LOOKUP,    build_plain,     (const void *)tcg_entry_lookup },
    {THUNK_INSN,      build_plain,     (const void *)tcg_entry_insn   },
    {THUNK_FP,        build_plain,     (const void *)tcg_entry_fp     },
    {THUNK_POLL,      build_plain,     (const void *)tcg_entry_poll   },
    {THUNK_SPIN,      build_plain,     (const void *)tcg_entry_spin   },
    {THUNK_RAISE,     build_plain,     (const void *)tcg_entry_raise  },
    {THUNK_SEGMENT,   build_pair,      (const void *)tcg_entry_segment},
    {THUNK_FAULT,     build_fault,     (const void *)tcg_entry_fault  },
};

void tcg_thunks_build(TcgState *s)
{
    Emit e = {s->hot};

    s->enter = (void (*)(CPUX86State *, const uint8_t *))(void *)e.p;
    build_enter(&e);
    s->thunk[THUNK_EXIT] = e.p;
    build_exit(&e);
    for (unsigned i = 0; i < G_N_ELEMENTS(thunk_table); i++) {
        s->thunk[thunk_table[i].thunk] = e.p;
        thunk_table[i].build(&e, thunk_table[i].fn);
    }
    s->hot = s->hot_start = (uint8_t *)(((uintptr_t)e.p + 63) & ~(uintptr_t)63);
}
