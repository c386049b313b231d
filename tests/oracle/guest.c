/* SPDX-License-Identifier: MIT
 *
 * Runs a case under the translator: one bare vCPU at CPL 3 with the same pages
 * at the same addresses, and no device.
 */
#include <string.h>
#include "accel/tcg/bare.h"
#include "target/i386/cpu.h"
#include "tests/oracle/case.h"

#define RAM_SIZE (32u << 20)
#define PAGE     4096u

static TcgBare *bare;
static bool interpret;

static void map_range(uint64_t base, uint64_t size, unsigned bits)
{
    for (uint64_t a = base; a < base + size; a += PAGE) {
        tcg_bare_set_page(bare, a, bits);
    }
}

bool guest_init(void)
{
    bare = tcg_bare_new(RAM_SIZE);
    if (!bare) {
        return false;
    }
    tcg_bare_long_mode(bare, 3, PAGE);
    map_range(0, RAM_SIZE, 0);
    map_range(CODE_BASE, CODE_SIZE, 7);
    map_range(DATA_BASE, DATA_SIZE, 7);
    map_range(STACK_BASE, STACK_SIZE, 7);
    map_range(RO_BASE, RO_SIZE, 5);
    case_fill_ro(tcg_bare_ram(bare) + RO_BASE);
    return true;
}

void guest_interpret(void)
{
    interpret = true;
}

static void set_segment(SegmentCache *s, uint16_t selector, uint32_t base, uint32_t limit)
{
    s->selector = selector;
    s->base = base;
    s->limit = limit;
}

/* Selectors as Linux has them, since mov and push show them. */
static void set_segments(CPUX86State *env, const Case *c)
{
    SegmentCache *cs = &env->segs[R_CS];
    uint32_t base = c->segmented ? DATA_BASE : 0;
    uint32_t limit = c->segmented ? DATA_SIZE - 1 : UINT32_MAX;
    uint16_t data = c->segmented ? SEL_DATA : 0x2b;

    cs->flags &= ~(DESC_L_MASK | DESC_B_MASK);
    cs->flags |= c->code16 ? 0 : c->code32 ? DESC_B_MASK : DESC_L_MASK;
    set_segment(cs,
                c->code16   ? SEL_CODE16
                : c->code32 ? 0x23
                            : 0x33,
                c->code16 ? CODE_BASE : 0, c->code16 ? CODE_SIZE - 1 : UINT32_MAX);
    set_segment(&env->segs[R_DS], data, base, limit);
    set_segment(&env->segs[R_ES], data, base, limit);
    env->segs[R_SS].selector = 0x2b;
    env->segs[R_FS].selector = env->segs[R_GS].selector = 0;
    env->segs[R_GS].base = GS_BASE;
    env->segs[R_FS].base = FS_BASE;
}

static void load_state(CPUX86State *env, const Case *c)
{
    memcpy(env->regs, c->init.gpr, sizeof(env->regs));
    memcpy(env->xsave, c->init.xsave, XSAVE_SIZE);
    env->rip = c->init.rip;
    env->rflags = c->init.rflags;
    env->tr = (SegmentCache){.selector = 0x40, .limit = 0x20, .flags = DESC_P_MASK | 11u << 8};
    env->exception_index = -1;
    env->old_exception = -1;
    env->shadow = 0;
    set_segments(env, c);
    /* An armed breakpoint where nothing is makes the translator step in C. */
    env->dr[0] = GS_BASE - PAGE;
    env->dr[7] = interpret ? 0x401 : 0x400;
    x86_update_hflags(env);
}

static void store_state(CPUX86State *env, int vector, RegState *ret)
{
    memcpy(ret->gpr, env->regs, sizeof(ret->gpr));
    memcpy(ret->xsave, env->xsave, XSAVE_SIZE);
    ret->rip = env->exception_is_int ? env->exception_next_rip : env->rip;
    ret->rflags = env->rflags;
    ret->vector = (uint64_t)vector;
    ret->error = vector == 14 || vector == 13 || vector == 12 ? env->error_code : 0;
    ret->cr2 = vector == 14 ? env->cr2 : 0;
    regs_normalize(ret);
}

static void load_code(const Case *c)
{
    uint8_t *code = tcg_bare_ram(bare) + CODE_BASE + c->entry;
    unsigned room = code_room(c);

    memset(code, 0xcc, room);
    memcpy(code, c->code, c->length + 1);
    tcg_bare_written(bare, CODE_BASE + c->entry, room);
}

void guest_run(const Case *c, Result *ret)
{
    CPUX86State *env = tcg_bare_env(bare);
    uint8_t *ram = tcg_bare_ram(bare);
    int vector;

    load_code(c);
    case_fill_memory(c, ram + DATA_BASE, ram + STACK_BASE);
    load_state(env, c);
    vector = tcg_bare_run(bare);
    store_state(env, vector, &ret->regs);
    memcpy(ret->data, ram + DATA_BASE, DATA_SIZE);
    memcpy(ret->stack, ram + STACK_BASE, STACK_SIZE);
}
