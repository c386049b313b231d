/* SPDX-License-Identifier: MIT
 *
 * The x86 CPU without running it: features and models, CPUID, MSRs, the page
 * walk (SDM vol. 3, chapter 4), segment limits, reset.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/core/memory-map.h"
#include "system/log.h"
#include "target/i386/control.h"
#include "target/i386/cpu-models.h"
#include "target/i386/exception.h"
#include "target/i386/features.h"
#include "target/i386/mmu.h"
#include "target/i386/segment.h"
#include "target/i386/xsave.h"

#define RAM_SIZE (1u << 20)

typedef struct Fixture {
    MachineState *machine;
    MemoryRegion *ram;
    X86CPU *cpu;
    CPUX86State *env;
} Fixture;

static X86CPU *make_cpu(MachineState *m, const char *type, const char *options, GError **error)
{
    g_autofree char *option =
        g_strdup_printf("%s%s%s", type, options ? "," : "", options ? options : "");
    const char *name = cpu_parse_option(TYPE_X86_CPU, option, error);
    Object *cpu = name ? object_new_child(OBJECT(m), "cpu[*]", name, error) : NULL;

    if (!cpu || !qdev_realize(DEVICE(cpu), NULL, error)) {
        return NULL;
    }
    return X86_CPU(cpu);
}

static void set_up(Fixture *f, const void *type)
{
    GError *error = NULL;

    f->machine = machine_new(machine_find_class("none", NULL), NULL);
    cpu_exec_init_all(f->machine);
    f->ram = g_new0(MemoryRegion, 1);
    memory_region_init_ram(f->ram, OBJECT(f->machine), "ram", RAM_SIZE, &error);
    g_assert_no_error(error);
    memory_region_add_subregion(f->machine->system_memory, 0, f->ram);
    f->cpu = make_cpu(f->machine, type, NULL, &error);
    g_assert_no_error(error);
    f->env = &f->cpu->env;
}

static void tear_down(Fixture *f, const void *type)
{
    qdev_unrealize(DEVICE(f->cpu));
    memory_region_del_subregion(f->machine->system_memory, f->ram);
    memory_region_finish(f->ram);
    vmm_call_rcu(g_free, f->ram);
    machine_free(f->machine);
}

/* ---- features and models ------------------------------------------------------------------ */

static void test_names(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        g_assert_true(g_hash_table_add(seen, (void *)f->name));
        g_assert_true(!f->alias || g_hash_table_add(seen, (void *)f->alias));
        g_assert_true(x86_feature_find(f->name) == f);
        g_assert_nonnull(f->doc);
        for (size_t k = 0; k < i; k++) {
            g_assert_false(x86_features[k].word == f->word && x86_features[k].bit == f->bit);
        }
    }
    g_assert_true(x86_feature_find("lahf_lm") == x86_feature_find("lahf-lm"));
    g_assert_true(x86_feature_find("sse4_1") == x86_feature_find("sse4.1"));
    g_assert_null(x86_feature_find("sse5"));
}

static void cpuid(CPUX86State *env, uint32_t leaf, uint32_t sub, uint32_t ret[4])
{
    x86_cpuid(env, leaf, sub, &ret[0], &ret[1], &ret[2], &ret[3]);
}

static void test_models(Fixture *f, const void *unused)
{
    for (size_t i = 0; i < x86_nr_cpu_models; i++) {
        const X86CPUModel *m = &x86_cpu_models[i];
        GError *error = NULL;
        X86CPU *cpu = make_cpu(f->machine, m->name, "check=off", &error);
        uint32_t r[4];

        g_assert_no_error(error);
        cpuid(&cpu->env, 0, 0, r);
        g_assert_cmpuint(r[0], ==, m->level);
        if (m->vendor) {
            g_assert_cmpmem(&r[1], 4, m->vendor, 4);
            cpuid(&cpu->env, 1, 0, r);
            g_assert_cmpuint(r[0], ==, cpu->env.regs[R_EDX]);
            g_assert_cmpuint((r[0] >> 4 & 15) | (r[0] >> 12 & 0xf0), ==, m->model);
        }
    }
}

static void test_options(Fixture *f, const void *unused)
{
    GError *error = NULL;
    X86CPU *cpu =
        make_cpu(f->machine, "kvm64", "+ssse3,-pni,cx16=off,level=7,vendor=AuthenticAMD", &error);
    uint32_t r[4];

    g_assert_no_error(error);
    cpuid(&cpu->env, 1, 0, r);
    g_assert_cmpuint(r[2] & (1 | 1 << 9 | 1 << 13), ==, 1 << 9);
    cpuid(&cpu->env, 0, 0, r);
    g_assert_cmpuint(r[0], ==, 7);
    g_assert_cmpmem(&r[1], 4, "Auth", 4);
}

static void expect_error(Fixture *f, const char *model, const char *options, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(make_cpu(f->machine, model, options, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, part));
}

static void test_wrong_options(Fixture *f, const void *unused)
{
    expect_error(f, "80386", NULL, "80386");
    expect_error(f, "help", NULL, "Nehalem");
    expect_error(f, "486", "+sse5", "sse5");
    expect_error(f, "pentium3", "+vmx,enforce", "vmx");
    expect_error(f, "qemu32", "vendor=me", "vendor");
    expect_error(f, "Westmere", "phys-bits=20", "phys-bits");
    expect_error(f, "Haswell", "phys-bits=53", "phys-bits");
}

static void test_cpuid(Fixture *f, const void *unused)
{
    uint32_t r[4];

    cpuid(f->env, 1, 0, r);
    g_assert_false(r[2] & 1u << 27); /* OSXSAVE follows CR4 */
    f->env->cr4 |= CR4_OSXSAVE;
    cpuid(f->env, 1, 0, r);
    g_assert_true(r[2] & 1u << 27);
    cpuid(f->env, 0xd, 0, r);
    g_assert_cmpuint(r[0], ==, f->cpu->cpuid.xcr0_supported);
    g_assert_cmpuint(r[1], ==, XSAVE_HEADER_END);
    g_assert_cmpuint(r[2], ==, x86_xsave_size(f->cpu->cpuid.xcr0_supported));
    cpuid(f->env, 0x40000000, 0, r);
    g_assert_cmpuint(r[0], ==, 0x40000000);
    cpuid(f->env, 0x12345678, 0, r);
    g_assert_cmpuint(r[0] | r[1] | r[2] | r[3], ==, 0); /* AMD: zeros beyond the last */
}

/* ---- MSRs ------------------------------------------------------------------------------------ */

static void test_msrs(Fixture *f, const void *unused)
{
    static const struct {
        uint32_t index;
        uint64_t value;
        bool ok;
    } rows[] = {
        {0xc0000080, MSR_EFER_LME | MSR_EFER_NXE, true },
        {0xc0000080, MSR_EFER_SVME,               false},
        {0xc0000082, 0x7fffffffffffull,           true },
        {0xc0000082, 0x0200000000000000ull,       false},
        {0x277,      0x0007040600070406ull,       true },
        {0x277,      0x0207040600070406ull,       false},
        {0x2ff,      0xc06,                       true },
        {0x2ff,      0x1c06,                      false},
        {0x200,      0x80000006,                  true },
        {0x200,      0x80000106,                  false},
        {0x250,      0x0606060606060606ull,       true },
        {0x250,      0x0606060606060602ull,       false},
        {0x401,      0,                           true },
        {0x401,      1,                           false},
        {0xfe,       0,                           false},
        {0xdead,     0,                           false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 0;

        g_assert_cmpint(x86_wrmsr(f->env, rows[i].index, rows[i].value), ==, rows[i].ok);
        if (rows[i].ok) {
            g_assert_true(x86_rdmsr(f->env, rows[i].index, &value));
            g_assert_cmphex(value, ==, rows[i].value);
        }
    }
}

/* Without leaf 4 nobody is sent there: reading on until it ends would not end. */
static void test_old_caches(Fixture *f, const void *unused)
{
    GError *error = NULL;
    X86CPU *cpu = make_cpu(f->machine, "pentium2", "apic-id=1", &error);
    uint32_t r[4];

    g_assert_no_error(error);
    cpuid(&cpu->env, 0, 0, r);
    g_assert_cmpuint(r[0], ==, 2);
    cpuid(&cpu->env, 2, 0, r);
    g_assert_cmphex(r[0], ==, 1);
    g_assert_cmphex(r[1], ==, 0x862c30);
    qdev_unrealize(DEVICE(cpu));
}

/* IBPB comes with Intel's IBRS, and alone with AMD's bit of its own. */
static void test_prediction_barrier(Fixture *f, const void *unused)
{
    GError *error = NULL;
    X86CPU *amd = make_cpu(f->machine, "qemu64", "ibpb=on,apic-id=1", &error);
    uint64_t value;

    g_assert_no_error(error);
    g_assert_false(x86_wrmsr(f->env, 0x49, 1));
    g_assert_true(x86_wrmsr(&amd->env, 0x49, 1));
    g_assert_false(x86_rdmsr(&amd->env, 0x49, &value));
    g_assert_false(x86_wrmsr(&amd->env, 0x48, 1));
    qdev_unrealize(DEVICE(amd));
}

static void test_tsc(Fixture *f, const void *unused)
{
    uint64_t second = x86_cpu_tsc_frequency(f->env), value;

    /* The machine's time does not run: the TSC stands at 0. */
    g_assert_cmpuint(x86_cpu_guest_tsc(f->env), ==, 0);
    g_assert_true(x86_wrmsr(f->env, 0x3b, 1ull << 40));
    g_assert_cmpuint(x86_cpu_guest_tsc(f->env), ==, 1ull << 40);
    g_assert_true(x86_wrmsr(f->env, 0x10, 5));
    g_assert_cmpuint(x86_cpu_guest_tsc(f->env), ==, 5);
    g_assert_true(x86_rdmsr(f->env, 0x3b, &value));
    g_assert_cmpuint(value, ==, 5); /* it followed */
    g_assert_cmpuint(second, >, 100000000);
    g_assert_cmpint(x86_cpu_tsc_to_ns(f->env, 5 + second), ==, NANOSECONDS_PER_SECOND);
    vm_clock_set_manual(f->machine->clock);
    vm_clock_advance_to(f->machine->clock, f->machine->loop, NANOSECONDS_PER_SECOND);
    g_assert_cmpuint(x86_cpu_guest_tsc(f->env), ==, 5 + second);
    device_cold_reset(DEVICE(f->cpu));
    g_assert_cmpuint(x86_cpu_guest_tsc(f->env), ==, 0);
}

/* ---- the page walk -------------------------------------------------------------------------- */

#define P  1ull
#define W  2ull
#define U  4ull
#define A  0x20ull
#define D  0x40ull
#define PS 0x80ull
#define NX (1ull << 63)

static uint64_t *table64(Fixture *f, uint64_t addr)
{
    return (uint64_t *)((uint8_t *)memory_region_get_ram_ptr(f->ram) + addr);
}

static uint32_t *table32(Fixture *f, uint64_t addr)
{
    return (uint32_t *)((uint8_t *)memory_region_get_ram_ptr(f->ram) + addr);
}

static void set_cpl(CPUX86State *env, unsigned cpl)
{
    env->segs[R_SS].flags = (env->segs[R_SS].flags & ~DESC_DPL_MASK) | cpl << DESC_DPL_SHIFT;
    x86_update_hflags(env);
}

/* One 4 KiB page at 0x8080604000 (indices 1, 2, 3, 4) through tables at 0x1000..0x4000. */
#define LINEAR 0x8080604000ull
static void long_mode(Fixture *f, uint64_t leaf)
{
    *table64(f, 0x1000 + 1 * 8) = 0x2000 | P | W | U;
    *table64(f, 0x2000 + 2 * 8) = 0x3000 | P | W | U;
    *table64(f, 0x3000 + 3 * 8) = 0x4000 | P | W | U;
    *table64(f, 0x4000 + 4 * 8) = leaf;
    f->env->cr0 = CR0_PE | CR0_PG | CR0_WP;
    f->env->cr3 = 0x1000;
    f->env->cr4 = CR4_PAE;
    f->env->efer = MSR_EFER_LME | MSR_EFER_LMA | MSR_EFER_NXE;
    set_cpl(f->env, 3);
}

static void test_walk_rights(Fixture *f, const void *unused)
{
    static const struct {
        uint64_t leaf;
        X86Access access;
        unsigned cpl;
        uint64_t cr4;
        uint64_t rflags;
        int error; /* -1: allowed */
    } rows[] = {
        {0x5000 | P | W | U,              X86_WRITE, 3, 0,        0,       -1  },
        {0x5000 | P | U,                  X86_WRITE, 3, 0,        0,       7   },
        {0x5000 | P | U,                  X86_WRITE, 0, 0,        0,       3   },
        {0x5000 | P | W,                  X86_READ,  3, 0,        0,       5   },
        {0x5000 | P | W,                  X86_READ,  0, 0,        0,       -1  },
        {0x5000 | W | U,                  X86_READ,  3, 0,        0,       4   },
        {0x5000 | P | W | U | NX,         X86_FETCH, 3, 0,        0,       0x15},
        {0x5000 | P | W | U | NX,         X86_READ,  3, 0,        0,       -1  },
        {0x5000 | P | W | U | 1ull << 51, X86_READ,  3, 0,        0,       0xd },
        {0x5000 | P | U,                  X86_FETCH, 0, CR4_SMEP, 0,       0x11},
        {0x5000 | P | U,                  X86_FETCH, 0, 0,        0,       -1  },
        {0x5000 | P | U,                  X86_READ,  0, CR4_SMAP, 0,       1   },
        {0x5000 | P | U,                  X86_READ,  0, CR4_SMAP, AC_MASK, -1  },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        X86Translation t;
        X86PageFault fault = {0};
        bool ok;

        long_mode(f, rows[i].leaf);
        f->env->cr4 |= rows[i].cr4;
        f->env->rflags = 2 | rows[i].rflags;
        set_cpl(f->env, rows[i].cpl);
        ok = x86_page_walk(f->env, LINEAR + 0x123, rows[i].access, X86_PRIV_CPL, &t, &fault);
        g_assert_cmpint(ok, ==, rows[i].error < 0);
        if (ok) {
            g_assert_cmphex(t.phys, ==, 0x5123);
            g_assert_cmpuint(t.page_size, ==, 4096);
        } else {
            g_assert_cmphex(fault.error_code, ==, (uint32_t)rows[i].error);
        }
    }
}

static void test_walk_accessed(Fixture *f, const void *unused)
{
    X86Translation t;
    X86PageFault fault;

    long_mode(f, 0x5000 | P | W | U);
    g_assert_true(x86_page_walk(f->env, LINEAR, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_false(t.prot_write); /* not before D is set */
    g_assert_cmphex(*table64(f, 0x4020), ==, 0x5000 | P | W | U | A);
    g_assert_cmphex(*table64(f, 0x1008), ==, 0x2000 | P | W | U | A);
    g_assert_true(x86_page_walk(f->env, LINEAR, X86_WRITE, X86_PRIV_CPL, &t, &fault));
    g_assert_true(t.prot_write);
    g_assert_cmphex(*table64(f, 0x4020), ==, 0x5000 | P | W | U | A | D);
}

static void test_walk_large(Fixture *f, const void *unused)
{
    X86Translation t;
    X86PageFault fault;

    long_mode(f, 0);
    *table64(f, 0x3000 + 3 * 8) = 0x40000000 | P | W | U | PS;
    g_assert_true(x86_page_walk(f->env, LINEAR, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x40004000);
    g_assert_cmphex(t.page_size, ==, 2u << 20);
    *table64(f, 0x3000 + 3 * 8) |= 0x2000; /* reserved in a 2 MiB entry */
    g_assert_false(x86_page_walk(f->env, LINEAR, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(fault.error_code, ==, 0xd);
    *table64(f, 0x2000 + 2 * 8) = 0x80000000 | P | W | U | PS;
    g_assert_true(x86_page_walk(f->env, LINEAR, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x80604000);
    g_assert_cmphex(t.page_size, ==, 1u << 30);
}

static void test_walk_legacy(Fixture *f, const void *unused)
{
    X86Translation t;
    X86PageFault fault;

    f->env->cr0 = CR0_PE | CR0_PG;
    f->env->cr3 = 0x1000;
    f->env->cr4 = CR4_PSE;
    f->env->efer = 0;
    set_cpl(f->env, 0);
    *table32(f, 0x1000 + 1 * 4) = 0x2000 | P | W;
    *table32(f, 0x2000 + 2 * 4) = 0x6000 | P;
    g_assert_true(x86_page_walk(f->env, 0x402abc, X86_WRITE, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x6abc); /* CR0.WP is clear */
    g_assert_cmphex(*table32(f, 0x2008), ==, 0x6000 | P | A | D);
    *table32(f, 0x1000 + 2 * 4) = 0x00c00000 | P | PS | 0x2000; /* PSE-36: address bit 32 */
    g_assert_true(x86_page_walk(f->env, 0x923456, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x100d23456ull);
    g_assert_cmphex(t.page_size, ==, 4u << 20);
    g_assert_false(x86_page_walk(f->env, 0xc00000, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(fault.error_code, ==, 0);
}

static void test_walk_pae(Fixture *f, const void *unused)
{
    X86Translation t;
    X86PageFault fault;

    f->env->cr0 = CR0_PE;
    f->env->cr4 = CR4_PAE;
    f->env->efer = 0;
    f->env->cr3 = 0x1000;
    set_cpl(f->env, 0);
    *table64(f, 0x1000 + 3 * 8) = 0x2000 | P;
    *table64(f, 0x2000) = 0x3000 | P | W;
    *table64(f, 0x3000) = 0x7000 | P | W;
    x86_write_cr0(f->env, CR0_PE | CR0_PG | CR0_ET);
    g_assert_cmphex(f->env->pdptr[3], ==, 0x2000 | P);
    g_assert_true(x86_page_walk(f->env, 0xc0000010, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x7010);
    *table64(f, 0x1000 + 3 * 8) = 0; /* the register keeps it until CR3 is loaded */
    g_assert_true(x86_page_walk(f->env, 0xc0000010, X86_READ, X86_PRIV_CPL, &t, &fault));
    g_assert_true(x86_load_cr3(f->env, 0x1000));
    g_assert_false(x86_page_walk(f->env, 0xc0000010, X86_READ, X86_PRIV_CPL, &t, &fault));
    *table64(f, 0x1000) = 0x2000 | P | W; /* W is reserved in a PDPTE */
    g_assert_false(x86_load_cr3(f->env, 0x1000));
}

static void test_walk_unpaged(Fixture *f, const void *unused)
{
    X86Translation t;
    X86PageFault fault;

    f->env->a20_mask = ~(1ull << 20);
    g_assert_true(x86_page_walk(f->env, 0x100010, X86_WRITE, X86_PRIV_CPL, &t, &fault));
    g_assert_cmphex(t.phys, ==, 0x10);
    g_assert_cmphex(t.page_size, ==, 4096);
}

/* ---- segments, reset, breakpoints ----------------------------------------------------------- */

static void test_limits(void)
{
    SegmentCache up = {.limit = 0xfff}, down = {.limit = 0xfff, .flags = DESC_EC_MASK};

    g_assert_true(x86_segment_limit_ok(&up, 0xffc, 4));
    g_assert_false(x86_segment_limit_ok(&up, 0xffd, 4));
    g_assert_false(x86_segment_limit_ok(&down, 0xfff, 1));
    g_assert_true(x86_segment_limit_ok(&down, 0x1000, 4));
    g_assert_true(x86_segment_limit_ok(&down, 0xfffc, 4));
    g_assert_false(x86_segment_limit_ok(&down, 0xfffd, 4));
    down.flags |= DESC_B_MASK;
    g_assert_true(x86_segment_limit_ok(&down, 0xfffffffc, 4));
}

static void test_reset(Fixture *f, const void *unused)
{
    CPUX86State *env = f->env;

    env->cr4 = CR4_PAE;
    env->lstar = 5;
    x86_cpu_reset_state(env, true);
    g_assert_cmphex(env->lstar, ==, 5); /* INIT keeps MSRs */
    x86_cpu_reset_state(env, false);
    g_assert_cmphex(env->lstar, ==, 0);
    g_assert_cmphex(env->segs[R_CS].base + env->rip, ==, 0xfffffff0);
    g_assert_cmphex(env->cr0, ==, CR0_ET | CR0_CD | CR0_NW);
    g_assert_cmphex(env->cr4, ==, 0);
    g_assert_cmphex(env->hflags & (HF_PE | HF_CS64 | HF_CPL_MASK), ==, 0);
    g_assert_cmphex(env->dr[7], ==, 0x400);
}

static void test_breakpoints(Fixture *f, const void *unused)
{
    CPUX86State *env = f->env;

    env->dr[0] = 0x1000;
    env->dr[1] = 0x2004;
    env->dr[7] = 0x400 | 1 | 4 | 1u << 16 | 3u << 18 | 3u << 20 | 3u << 22;
    g_assert_cmphex(x86_match_breakpoints(env, 0x1003, 1, X86_BP_WRITE), ==, 1);
    g_assert_cmphex(x86_match_breakpoints(env, 0x1004, 1, X86_BP_WRITE), ==, 0);
    g_assert_cmphex(x86_match_breakpoints(env, 0xffe, 4, X86_BP_WRITE), ==, 1);
    g_assert_cmphex(x86_match_breakpoints(env, 0x1000, 4, X86_BP_RW), ==, 0);
    g_assert_cmphex(x86_match_breakpoints(env, 0x2007, 8, X86_BP_RW), ==, 2);
    env->dr[7] = 0x400;
    g_assert_cmphex(x86_match_breakpoints(env, 0x1000, 4, X86_BP_WRITE), ==, 0);
}

#define ADD(name, func) g_test_add("/x86-cpu/" name, Fixture, "max", set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vmm_thread_register();
    g_test_add_func("/x86-cpu/names", test_names);
    g_test_add_func("/x86-cpu/limits", test_limits);
    ADD("models", test_models);
    ADD("options", test_options);
    ADD("wrong-options", test_wrong_options);
    ADD("cpuid", test_cpuid);
    ADD("msrs", test_msrs);
    ADD("old-caches", test_old_caches);
    ADD("prediction-barrier", test_prediction_barrier);
    ADD("tsc", test_tsc);
    ADD("walk/rights", test_walk_rights);
    ADD("walk/accessed", test_walk_accessed);
    ADD("walk/large", test_walk_large);
    ADD("walk/legacy", test_walk_legacy);
    ADD("walk/pae", test_walk_pae);
    ADD("walk/unpaged", test_walk_unpaged);
    ADD("reset", test_reset);
    ADD("breakpoints", test_breakpoints);
    return g_test_run();
}
