/* SPDX-License-Identifier: MIT
 *
 * What the thunks call.  Compiled for general registers only: the vector
 * registers may still be the guest's, until tcg_fp_save().
 */
#include <sched.h>
#include "accel/tcg/tcg-internal.h"
#include "target/i386/exception.h"
#include "target/i386/sysinsn.h"

static const uint8_t *desc_at(const ColdDesc *desc, int32_t offset)
{
    return (const uint8_t *)desc + offset;
}

static void fp_away(CPUX86State *env)
{
    if (tcg_env(env)->fp_live) {
        tcg_fp_save(env);
    }
}

/* Back into the middle of a block: it may count on the vector state. */
static void fp_back(CPUX86State *env, uint32_t was_live)
{
    if (was_live && !tcg_env(env)->fp_live) {
        tcg_fp_load(env);
    }
}

/* However generated code is left: the C code of the loop must not find the guest's registers. */
void tcg_enter(CPUX86State *env, const uint8_t *host)
{
    tcg_env(env)->tcg->enter(env, host);
    fp_away(env);
}

/*
 * A store to a page with code, but not to the code: nothing else need be done, as long
 * as no other vCPU can translate more of the page before the store has happened.
 */
static bool quick_store(CPUX86State *env, uint64_t linear, const ColdDesc *desc, HelperPair *ret)
{
    TcgEnv *t = tcg_env(env);
    const TlbEntry *e = &t->tlb[desc->set][linear >> 12 & (TLB_SIZE - 1)];
    uint64_t offset = linear + e->neg_read, number = e->fill >> TLB_FILL_PAGE_SHIFT;

    if (!(desc->kind & ACC_WRITE) || offset > 0x1000u - desc->size || t->tcg->cpus->len != 1 ||
        desc->fp_wait || (desc->align && (offset & (desc->align - 1u))) || !(e->fill & TLB_FILL_STORE) ||
        (t->tcg->page_flags[number] & (PAGE_CODE | PAGE_CLEAN)) != PAGE_CODE ||
        !t->tcg->granules[number] ||
        (t->tcg->granules[number] & tcg_granules_of(offset, desc->size))) {
        return false;
    }
    t->fake.host = e->host;
    t->resume = (const uint8_t *)desc + desc->resume;
    *ret = (HelperPair){offset, (uint64_t)(int64_t)(TCG_OFF(fake) - TLB_OFF(desc->set, neg_read))};
    return true;
}

static void store_done(CPUX86State *env, const ColdDesc *desc, uint32_t live)
{
    TcgEnv *t = tcg_env(env);

    if (t->view_changed || !t->tcg->blocks[desc->block]->valid) {
        env->rip += STORE_ARG_LENGTH(desc->arg);
        t->resume = t->tcg->thunk[THUNK_EXIT];
        return;
    }
    fp_back(env, live);
    t->resume = desc_at(desc, STORE_ARG_AFTER(desc->arg));
}

HelperPair tcg_entry_access(CPUX86State *env, uint64_t linear, const ColdDesc *desc)
{
    uint32_t live = tcg_env(env)->fp_live;
    HelperPair pair;

    if (quick_store(env, linear, desc, &pair)) {
        return pair;
    }
    fp_away(env);
    if (desc->exit && tcg_helper_store(env, linear, desc)) {
        store_done(env, desc, live);
        return (HelperPair){0, 0};
    }
    pair = tcg_helper_access(env, linear, desc);
    fp_back(env, live);
    return pair;
}

void tcg_entry_flush(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    uint32_t live = t->fp_live;
    bool leave;

    fp_away(env);
    leave = tcg_helper_flush(env, desc) || t->view_changed;
    if (leave && !(desc->kind & ACC_NO_EXIT)) {
        if (desc->kind & ACC_HOST_FLAGS) {
            t->flags_image = (uint16_t)t->save[3];
        }
        tcg_sync_rip(env, desc);
        t->resume = t->tcg->thunk[THUNK_EXIT];
        return;
    }
    fp_back(env, live);
    t->resume = desc_at(desc, desc->resume);
}

void tcg_entry_link(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    const uint8_t *host;

    fp_away(env);
    tcg_flags_to_env(env);
    host = tcg_block_chain(env, t->tcg->blocks[desc->block], desc->exit);
    t->resume = host ? host : t->tcg->thunk[THUNK_EXIT];
}

void tcg_entry_lookup(CPUX86State *env, uint64_t target, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    Block *b;

    env->rip = target;
    t->resume = t->tcg->thunk[THUNK_EXIT];
    if ((env->hflags & HF_CS64) && !tcg_is_canonical(env, target)) {
        /* The branch itself faults, and has not been done (SDM vol. 2, CALL, JMP, RET). */
        fp_away(env);
        tcg_flags_to_env(env);
        tcg_sync_rip(env, desc);
        env->regs[R_ESP] -= desc->arg;
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    fp_away(env); /* the way out leads to C, too */
    if (atomic_load_explicit(&t->poll, memory_order_relaxed)) {
        return;
    }
    tcg_flags_to_env(env);
    t->stat_lookup++;
    b = tcg_block_lookup(env, tcg_block_flags(env) | TBF_FLAGS_IMAGE);
    if (b) {
        tcg_jc_insert(env, b);
        t->resume = b->hot;
    }
}

static bool is_in_out(const X86Insn *i)
{
    return i->map == X86_MAP_1B && (i->opcode & 0xf4) == 0xe4;
}

static bool is_rdtsc(const X86Insn *i)
{
    return i->map == X86_MAP_0F && (i->opcode == 0x31 || (i->opcode == 0x01 && i->modrm == 0xf9));
}

void tcg_entry_insn(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    uint32_t live = t->fp_live;
    const X86Insn *insn = (const X86Insn *)(uintptr_t)desc->arg;
    uint64_t next;
    bool leave = false;

    fp_away(env);
    tcg_flags_to_env(env);
    tcg_sync_rip(env, desc);
    t->stat_c_insn++;
    next = env->rip + insn->length;
    if (is_in_out(insn)) {
        leave = tcg_exec_io(env, insn);
    } else if (insn->class_ == X86_CLASS_STRING) {
        leave = tcg_exec_string(env, insn);
    } else if (tcg_fp_insn(insn)) {
        tcg_exec_fp_insn(env, insn);
    } else {
        leave = x86_exec_insn(env, insn);
        if (is_rdtsc(insn)) {
            tcg_tsc_renew(env);
        }
    }
    tcg_flags_from_env(env);
    tcg_io_changed(env);
    /* It may have stored into this very block, or have changed what memory it is in. */
    if (leave || t->view_changed || env->rip != next || !t->tcg->blocks[desc->block]->valid) {
        const uint8_t *host = tcg_go_on(env);

        t->resume = host ? host : t->tcg->thunk[THUNK_EXIT];
        return;
    }
    fp_back(env, live);
    t->resume = desc_at(desc, desc->resume);
}

void tcg_entry_fp(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);

    if (!t->fp_live) {
        tcg_fp_load(env);
    }
    t->resume = desc_at(desc, desc->resume);
}

void tcg_entry_poll(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);

    fp_away(env);
    tcg_sync_rip(env, desc);
    t->resume = t->tcg->thunk[THUNK_EXIT];
}

#define SPIN_COUNT 64 /* some us on hosts of today */

/* Who spins waits for another vCPU, which may wait for this host CPU. */
void tcg_entry_spin(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);

    t->spin = SPIN_COUNT;
    sched_yield();
    t->resume = desc_at(desc, desc->resume);
}

void tcg_entry_raise(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    fp_away(env);
    tcg_flags_to_env(env);
    tcg_sync_rip(env, desc);
    if (desc->arg == EXCP_GP) {
        x86_raise_exception_err(env, EXCP_GP, 0);
    }
    x86_raise_exception(env, (int)desc->arg);
}

HelperPair tcg_entry_segment(CPUX86State *env, uint64_t offset, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);
    uint32_t live = t->fp_live;
    HelperPair pair = {0, 0};

    fp_away(env);
    tcg_flags_to_env(env);
    tcg_sync_rip(env, desc);
    tcg_wait_for_fp(env, desc);
    pair.r10 = x86_linear(env, desc->seg, offset, desc->size,
                          desc->kind & ACC_WRITE ? X86_WRITE : X86_READ);
    fp_back(env, live);
    t->resume = desc_at(desc, desc->resume);
    return pair;
}

/* A host exception in generated code, which is the guest's; the handler has filled env. */
void tcg_entry_fault(CPUX86State *env, uint64_t unused, const ColdDesc *desc)
{
    TcgEnv *t = tcg_env(env);

    fp_away(env);
    tcg_flags_to_env(env);
    if (t->fault_vector == EXCP_PF) {
        x86_raise_exception_err(env, EXCP_PF, (uint32_t)t->fault_error);
    }
    if (t->fault_vector == EXCP_GP || t->fault_vector == EXCP_AC) {
        x86_raise_exception_err(env, (int)t->fault_vector, 0);
    }
    if (t->fault_vector == EXCP_MF) {
        x86_raise_x87(env);
    }
    x86_raise_exception(env, (int)t->fault_vector);
}
