/* SPDX-License-Identifier: MIT
 *
 * Interpreted string instructions and port I/O.  SDM vol. 2, REP; vol. 1, ch. 19.
 *
 * The registers are updated after every iteration, so that a fault or an
 * interrupt finds the state between two of them.
 */
#include <string.h>
#include "target/i386/alu.h"
#include "target/i386/exception.h"
#include "target/i386/interp.h"

/* Iterations before the main loop gets a look at what else there is to do. */
#define MAX_ITERATIONS 4096

typedef struct StringOp {
    unsigned size;  /* of an element */
    int src_seg;
    bool backward;
} StringOp;

static uint64_t source(Interp *x, const StringOp *op)
{
    uint64_t offset = interp_reg(x, R_ESI, x->insn->addrsize);

    return x86_linear(x->env, op->src_seg, offset, op->size, X86_READ);
}

static uint64_t destination(Interp *x, const StringOp *op, X86Access access)
{
    uint64_t offset = interp_reg(x, R_EDI, x->insn->addrsize);

    return x86_linear(x->env, R_ES, offset, op->size, access);
}

static uint64_t load(Interp *x, uint64_t linear, unsigned size)
{
    return x86_ld(x->env, linear, size, X86_PRIV_CPL);
}

/* Bits of the address size only; 32 zero-extend. */
static void advance(Interp *x, unsigned reg, const StringOp *op, uint64_t count)
{
    uint64_t step = count * op->size;
    uint64_t value = interp_reg(x, reg, x->insn->addrsize);

    interp_set_reg(x, reg, x->insn->addrsize, op->backward ? value - step : value + step);
}

static void compare(Interp *x, uint64_t a, uint64_t b, unsigned size)
{
    uint64_t flags = interp_flags(x);

    alu_sub(a, b, size, &flags);
    interp_set_flags(x, flags);
}

static void one_iteration(Interp *x, const StringOp *op)
{
    uint64_t value;

    switch (x->insn->opcode & 0xfe) {
    case 0xa4:
        value = load(x, source(x, op), op->size);
        x86_st(x->env, destination(x, op, X86_WRITE), value, op->size, X86_PRIV_CPL);
        advance(x, R_ESI, op, 1);
        advance(x, R_EDI, op, 1);
        break;
    case 0xa6:
        value = load(x, source(x, op), op->size);
        compare(x, value, load(x, destination(x, op, X86_READ), op->size), op->size);
        advance(x, R_ESI, op, 1);
        advance(x, R_EDI, op, 1);
        break;
    case 0xaa:
        x86_st(x->env, destination(x, op, X86_WRITE), interp_reg(x, R_EAX, op->size), op->size,
               X86_PRIV_CPL);
        advance(x, R_EDI, op, 1);
        break;
    case 0xac:
        interp_set_reg(x, R_EAX, op->size, load(x, source(x, op), op->size));
        advance(x, R_ESI, op, 1);
        break;
    default:
        value = load(x, destination(x, op, X86_READ), op->size);
        compare(x, interp_reg(x, R_EAX, op->size), value, op->size);
        advance(x, R_EDI, op, 1);
        break;
    }
}

/* ---- many iterations in one page, in RAM, forward ------------------------------------------- */

/* Elements that fit between `linear` and the end of its page. */
static uint64_t in_page(uint64_t linear, unsigned size)
{
    return (0x1000 - (linear & 0xfff)) / size;
}

/* Elements that the address register may take before it wraps. */
static uint64_t before_wrap(Interp *x, unsigned reg, const StringOp *op)
{
    uint64_t left = interp_mask(x->insn->addrsize) - interp_reg(x, reg, x->insn->addrsize);

    return left == UINT64_MAX ? left : (left + 1) / op->size;
}

/* All in the limit, or none: then the slow way finds the fault. */
static bool run_in_limit(Interp *x, int seg, uint64_t offset, uint64_t bytes)
{
    return x->code64 || x86_segment_limit_ok(&x->env->segs[seg], offset, bytes);
}

static void fill(uint8_t *dst, uint64_t value, uint64_t count, unsigned size)
{
    for (uint64_t n = 0; n < count; n++) {
        for (unsigned b = 0; b < size; b++) {
            dst[n * size + b] = value >> (b * 8);
        }
    }
}

/* Forward byte by byte: overlapping moves repeat a pattern, as the instruction does. */
static void copy(uint8_t *dst, const uint8_t *src, uint64_t count, unsigned size)
{
    for (uint64_t n = 0; n < count * size; n += size) {
        uint64_t value = 0;

        __builtin_memcpy(&value, src + n, size);
        __builtin_memcpy(dst + n, &value, size);
    }
}

static uint64_t bulk_stos(Interp *x, const StringOp *op, uint64_t count)
{
    uint64_t to = destination(x, op, X86_WRITE);
    uint8_t *dst;

    count = MIN(MIN(count, in_page(to, op->size)), before_wrap(x, R_EDI, op));
    if (count < 2 || !run_in_limit(x, R_ES, interp_reg(x, R_EDI, x->insn->addrsize),
                                   count * op->size)) {
        return 0;
    }
    dst = x86_host_ptr(x->env, to, count * op->size, X86_WRITE, X86_PRIV_CPL);
    if (!dst) {
        return 0;
    }
    fill(dst, interp_reg(x, R_EAX, op->size), count, op->size);
    advance(x, R_EDI, op, count);
    return count;
}

static uint64_t bulk_movs(Interp *x, const StringOp *op, uint64_t count)
{
    uint64_t from = source(x, op), to = destination(x, op, X86_WRITE);
    const uint8_t *src;
    uint8_t *dst;

    count = MIN(MIN(count, in_page(to, op->size)), in_page(from, op->size));
    count = MIN(MIN(count, before_wrap(x, R_EDI, op)), before_wrap(x, R_ESI, op));
    if (count < 2 ||
        !run_in_limit(x, R_ES, interp_reg(x, R_EDI, x->insn->addrsize), count * op->size) ||
        !run_in_limit(x, op->src_seg, interp_reg(x, R_ESI, x->insn->addrsize),
                      count * op->size)) {
        return 0;
    }
    src = x86_host_ptr(x->env, from, count * op->size, X86_READ, X86_PRIV_CPL);
    dst = src ? x86_host_ptr(x->env, to, count * op->size, X86_WRITE, X86_PRIV_CPL) : NULL;
    if (!dst) {
        return 0;
    }
    copy(dst, src, count, op->size);
    advance(x, R_ESI, op, count);
    advance(x, R_EDI, op, count);
    return count;
}

static uint64_t bulk(Interp *x, const StringOp *op, uint64_t count)
{
    if (op->backward || (x->env->hflags & (HF_TF | HF_DRX))) {
        return 0;
    }
    switch (x->insn->opcode & 0xfe) {
    case 0xa4:
        return bulk_movs(x, op, count);
    case 0xaa:
        return bulk_stos(x, op, count);
    default:
        return 0;
    }
}

/* ---- repetition ------------------------------------------------------------------------------- */

typedef void (*IterationFunc)(Interp *x, const StringOp *op);

static bool must_stop(Interp *x)
{
    CPUState *cs = env_cpu(x->env);
    uint32_t request = atomic_load_explicit(&cs->interrupt_request, memory_order_relaxed);

    if (!x86_interruptible(x->env)) {
        request &= ~CPU_INTERRUPT_HARD; /* it may wait for long: one unit a turn would not end */
    }
    return request || (x->env->hflags & (HF_TF | HF_DRX)) ||
           atomic_load_explicit(&cs->exit_request, memory_order_relaxed);
}

/* repe and repne end on ZF for cmps and scas only. */
static bool condition_ends(const Interp *x)
{
    unsigned op = x->insn->opcode & 0xfe;
    bool zero = x->env->rflags & CC_Z;

    return (op == 0xa6 || op == 0xae) && zero != !x->insn->repne;
}

static void repeat(Interp *x, const StringOp *op, IterationFunc iterate)
{
    const X86Insn *i = x->insn;
    uint64_t count;

    if (!i->rep && !i->repne) {
        iterate(x, op);
        return;
    }
    for (unsigned n = 0; (count = interp_reg(x, R_ECX, i->addrsize)) != 0; n++) {
        uint64_t done;

        if (n && (n == MAX_ITERATIONS || must_stop(x))) {
            x->again = true;
            return;
        }
        done = bulk(x, op, count);
        if (!done) {
            iterate(x, op);
            done = 1;
        }
        interp_set_reg(x, R_ECX, i->addrsize, count - done);
        if (condition_ends(x)) {
            return;
        }
    }
}

static StringOp string_op(const Interp *x)
{
    const X86Insn *i = x->insn;

    return (StringOp){
        .size = interp_size(x),
        .src_seg = i->seg_override >= 0 ? i->seg_override : R_DS,
        .backward = x->env->rflags & DF_MASK,
    };
}

void interp_string(Interp *x)
{
    StringOp op = string_op(x);

    repeat(x, &op, one_iteration);
}

/* ---- ports ----------------------------------------------------------------------------------------- */

static uint32_t port_in(Interp *x, uint16_t port, unsigned size)
{
    uint64_t value = UINT32_MAX;

    address_space_load(env_cpu(x->env)->as_io, port, &value, size, MEMTXATTRS_NONE);
    x->debug |= x86_match_breakpoints(x->env, port, size, X86_BP_IO);
    return value;
}

static void port_out(Interp *x, uint16_t port, uint32_t value, unsigned size)
{
    address_space_store(env_cpu(x->env)->as_io, port, value, size, MEMTXATTRS_NONE);
    x->debug |= x86_match_breakpoints(x->env, port, size, X86_BP_IO);
}

void interp_in_out(Interp *x)
{
    const X86Insn *i = x->insn;
    unsigned size = i->opcode & 1 ? MIN(x->v, 4) : 1;
    uint16_t port = i->opcode & 8 ? x->env->regs[R_EDX] : i->imm & 0xff;

    x86_check_io(x->env, port, size);
    if (i->opcode & 2) {
        port_out(x, port, interp_reg(x, R_EAX, size), size);
    } else {
        interp_set_reg(x, R_EAX, size, port_in(x, port, size));
    }
    x->changed = true; /* a device may have raised an interrupt, stopped or reset the machine */
}

static void ins_outs_iteration(Interp *x, const StringOp *op)
{
    uint16_t port = x->env->regs[R_EDX];
    uint64_t linear;

    if (x->insn->opcode & 2) {
        port_out(x, port, load(x, source(x, op), op->size), op->size);
        advance(x, R_ESI, op, 1);
    } else {
        /* The store must not fault once the port has been read. */
        linear = destination(x, op, X86_WRITE);
        x86_probe(x->env, linear, op->size, X86_WRITE, X86_PRIV_CPL);
        x86_st(x->env, linear, port_in(x, port, op->size), op->size, X86_PRIV_CPL);
        advance(x, R_EDI, op, 1);
    }
}

void interp_ins_outs(Interp *x)
{
    StringOp op = string_op(x);

    op.size = MIN(op.size, 4);
    x86_check_io(x->env, x->env->regs[R_EDX], op.size);
    x->changed = true;
    repeat(x, &op, ins_outs_iteration);
}
