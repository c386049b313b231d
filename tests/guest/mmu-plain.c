/* SPDX-License-Identifier: MIT
 *
 * Guest memory without a TLB: a page walk for every access.  Linked in place of
 * the translator's functions of these names.
 */
#include <string.h>
#include "target/i386/exception.h"
#include "target/i386/mmu.h"

static uint64_t plain_translate(CPUX86State *env, uint64_t linear, X86Access access, X86Priv priv)
{
    X86Translation t;
    X86PageFault fault;

    if (!x86_page_walk(env, linear, access, priv, &t, &fault)) {
        x86_raise_page_fault(env, linear, fault.error_code);
    }
    return t.phys;
}

static size_t page_rest(uint64_t linear, size_t len)
{
    return MIN(len, 0x1000 - (linear & 0xfff));
}

static uint64_t wrap(CPUX86State *env, uint64_t linear)
{
    return env->hflags & HF_LMA ? linear : (uint32_t)linear;
}

void x86_probe(CPUX86State *env, uint64_t linear, size_t len, X86Access access, X86Priv priv)
{
    while (len) {
        size_t n = page_rest(linear, len);

        plain_translate(env, linear, access, priv);
        linear = wrap(env, linear + n);
        len -= n;
    }
}

static void copy(CPUX86State *env, uint64_t linear, uint8_t *buf, size_t len, X86Access access,
                 X86Priv priv)
{
    AddressSpace *as = env_cpu(env)->as;

    x86_probe(env, linear, len, access, priv);
    while (len) {
        size_t n = page_rest(linear, len);
        uint64_t phys = plain_translate(env, linear, access, priv);

        if (access == X86_WRITE) {
            address_space_write(as, phys, MEMTXATTRS_NONE, buf, n);
        } else {
            address_space_read(as, phys, MEMTXATTRS_NONE, buf, n);
        }
        linear = wrap(env, linear + n);
        buf += n;
        len -= n;
    }
}

void x86_ld_bytes(CPUX86State *env, uint64_t linear, void *buf, size_t len, X86Priv priv)
{
    copy(env, linear, buf, len, X86_READ, priv);
}

void x86_st_bytes(CPUX86State *env, uint64_t linear, const void *buf, size_t len,
                       X86Priv priv)
{
    copy(env, linear, (uint8_t *)buf, len, X86_WRITE, priv);
}

uint64_t x86_ld(CPUX86State *env, uint64_t linear, unsigned size, X86Priv priv)
{
    uint64_t value = 0;

    if (page_rest(linear, size) < size) {
        x86_ld_bytes(env, linear, &value, size, priv);
    } else {
        address_space_load(env_cpu(env)->as, plain_translate(env, linear, X86_READ, priv), &value,
                           size, MEMTXATTRS_NONE);
    }
    return value;
}

void x86_st(CPUX86State *env, uint64_t linear, uint64_t value, unsigned size, X86Priv priv)
{
    if (page_rest(linear, size) < size) {
        x86_st_bytes(env, linear, &value, size, priv);
    } else {
        address_space_store(env_cpu(env)->as, plain_translate(env, linear, X86_WRITE, priv), value,
                            size, MEMTXATTRS_NONE);
    }
}

void *x86_host_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access,
                        X86Priv priv)
{
    x86_probe(env, linear, len, access, priv);
    return NULL;
}

void *x86_quick_ptr(CPUX86State *env, uint64_t linear, size_t len, X86Access access,
                    X86Priv priv)
{
    return NULL;
}

void x86_tlb_flush(CPUX86State *env, bool keep_global)
{
}

void x86_tlb_flush_page(CPUX86State *env, uint64_t linear)
{
}

void x86_exclusive_begin(CPUX86State *env)
{
}

void x86_exclusive_end(CPUX86State *env)
{
}
