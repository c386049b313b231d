/* SPDX-License-Identifier: MIT
 *
 * in and out (SDM vol. 1, ch. 19), without what other instructions in C need: where the
 * port leads is kept, and the block goes on unless the device asked for something.
 */
#include "accel/tcg/tcg-internal.h"
#include "target/i386/segment.h"
#include "target/i386/sysinsn.h"

static const IoEntry *find_port(CPUX86State *env, uint16_t port, unsigned size)
{
    AddressSpace *as = env_cpu(env)->as_io;
    IoEntry *e = &tcg_env(env)->io_ports[port & (IO_CACHE_SIZE - 1)];
    unsigned generation = __atomic_load_n(&as->generation, __ATOMIC_ACQUIRE);
    uint64_t key = (uint64_t)port << 8 | size;
    const FlatRange *range;

    if (e->key == key && e->as_generation == generation) {
        return e;
    }
    range = flatview_lookup(address_space_view(as), port);
    if (!range || !range->mr->ops || range->last < (hwaddr)port + size - 1) {
        return NULL;
    }
    *e = (IoEntry){
        .key = key,
        .mr = range->mr,
        .offset = range->offset_in_region + (port - range->start),
        .as_generation = generation,
    };
    return e;
}

static uint64_t port_read(CPUX86State *env, uint16_t port, unsigned size)
{
    const IoEntry *e;
    uint64_t value = UINT32_MAX;

    memory_read_lock();
    e = find_port(env, port, size);
    if (e) {
        memory_region_dispatch_read(e->mr, e->offset, &value, size, MEMTXATTRS_NONE);
    } else {
        address_space_load(env_cpu(env)->as_io, port, &value, size, MEMTXATTRS_NONE);
    }
    memory_read_unlock();
    return value;
}

static void port_write(CPUX86State *env, uint16_t port, uint64_t value, unsigned size)
{
    const IoEntry *e;

    memory_read_lock();
    e = find_port(env, port, size);
    if (e) {
        memory_region_dispatch_write(e->mr, e->offset, value, size, MEMTXATTRS_NONE);
    } else {
        address_space_store(env_cpu(env)->as_io, port, value, size, MEMTXATTRS_NONE);
    }
    memory_read_unlock();
}

static void set_rax(CPUX86State *env, uint64_t value, unsigned size)
{
    uint64_t mask = size == 4 ? UINT64_MAX : (1ull << 8 * size) - 1;

    value = size == 4 ? (uint32_t)value : value;
    env->regs[R_EAX] = (env->regs[R_EAX] & ~mask) | (value & mask);
}

bool tcg_exec_io(CPUX86State *env, const X86Insn *i)
{
    unsigned size = i->opcode & 1 ? (i->opsize == 2 ? 2 : 4) : 1;
    uint16_t port = i->opcode & 8 ? (uint16_t)env->regs[R_EDX] : (uint16_t)(i->imm & 0xff);

    if (env->hflags & (HF_TF | HF_DRX)) {
        return x86_exec_insn(env, i);
    }
    x86_check_io(env, port, size);
    if (i->opcode & 2) {
        port_write(env, port, env->regs[R_EAX] & (UINT32_MAX >> (32 - 8 * size)), size);
    } else {
        set_rax(env, port_read(env, port, size), size);
    }
    env->rip += i->length;
    if (!(env->hflags & HF_CS64)) {
        env->rip = (uint32_t)env->rip;
    }
    env->rflags &= ~(uint64_t)RF_MASK;
    env->shadow = 0;
    return atomic_load_explicit(&tcg_env(env)->poll, memory_order_relaxed);
}
