/* SPDX-License-Identifier: MIT
 *
 * Page-table entries in guest-physical memory.  An entry is read and changed
 * in one access: other CPUs walk the same tables (SDM vol. 3, 4.10.2 and 9.1.2).
 */
#include "target/i386/phys.h"

/* Host address of an aligned entry in RAM, or NULL; under memory_read_lock(). */
static void *phys_ram(CPUX86State *env, uint64_t addr, bool write, const FlatRange **ret_range)
{
    const FlatRange *range = flatview_lookup(address_space_view(env_cpu(env)->as), addr);

    if (!range || (write && (range->readonly || range->romd))) {
        return NULL;
    }
    *ret_range = range;
    return flat_range_host(range, addr);
}

static uint64_t phys_ld(CPUX86State *env, uint64_t addr, unsigned size)
{
    const FlatRange *range;
    uint64_t value = 0;
    void *host;

    addr &= env->a20_mask;
    memory_read_lock();
    host = phys_ram(env, addr, false, &range);
    if (host) {
        value = size == 8 ? __atomic_load_n((uint64_t *)host, __ATOMIC_ACQUIRE)
                          : __atomic_load_n((uint32_t *)host, __ATOMIC_ACQUIRE);
    }
    memory_read_unlock();
    if (!host) {
        address_space_load(env_cpu(env)->as, addr, &value, size, x86_memtxattrs(env));
    }
    return value;
}

uint32_t x86_phys_ldl(CPUX86State *env, uint64_t addr)
{
    return phys_ld(env, addr, 4);
}

uint64_t x86_phys_ldq(CPUX86State *env, uint64_t addr)
{
    return phys_ld(env, addr, 8);
}

static bool host_cas(void *host, uint64_t expected, uint64_t desired, unsigned size)
{
    uint32_t expected32 = expected;

    if (size == 8) {
        return __atomic_compare_exchange_n((uint64_t *)host, &expected, desired, false,
                                           __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
    return __atomic_compare_exchange_n((uint32_t *)host, &expected32, (uint32_t)desired, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool x86_phys_cas(CPUX86State *env, uint64_t addr, uint64_t expected, uint64_t desired,
                  unsigned size)
{
    const FlatRange *range;
    bool ok = true;
    void *host;

    addr &= env->a20_mask;
    memory_read_lock();
    host = phys_ram(env, addr, true, &range);
    if (host) {
        ok = host_cas(host, expected, desired, size);
    }
    if (host && ok && range->mr->ram_block) {
        RAMBlock *block = range->mr->ram_block;
        ram_block_written(block, (size_t)((uint8_t *)host - block->host), size);
    }
    memory_read_unlock();
    return ok;
}
