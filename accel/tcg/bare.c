/* SPDX-License-Identifier: MIT */
#include "accel/tcg/bare.h"
#include "accel/tcg/tcg-internal.h"
#include "target/i386/xsave.h"

#define TABLES_SIZE (1u << 20)
#define PTE_FLAGS   7u /* present, writable, user */
#define PTE_LARGE   0x80u

struct TcgBare {
    TcgState state;
    MemoryRegion root, ram;
    AddressSpace as;
    uint8_t *host;
    size_t size;
    X86CPU *cpu;
};

TcgBare *tcg_bare_new(size_t ram_size)
{
    TcgBare *bare = g_new0(TcgBare, 1);

    vmm_thread_register();
    memory_region_init(&bare->root, NULL, "bare", UINT64_MAX);
    if (!memory_region_init_ram(&bare->ram, NULL, "bare.ram", ram_size, NULL)) {
        g_free(bare);
        return NULL;
    }
    memory_region_add_subregion(&bare->root, 0, &bare->ram);
    address_space_init(&bare->as, &bare->root, "bare");
    bare->host = memory_region_get_ram_ptr(&bare->ram);
    bare->size = ram_size;
    tcg_fp_init();
    tcg_cache_init(&bare->state, NULL);
    tcg_state_register(&bare->state);
    tcg_listen(&bare->state, &bare->as);

    bare->cpu = g_aligned_alloc0(1, sizeof(X86CPU), 64);
    bare->cpu->parent_obj.as = &bare->as;
    g_mutex_init(&bare->cpu->parent_obj.lock);
    g_cond_init(&bare->cpu->parent_obj.halt_cond);
    memset(bare->cpu->cpuid.features, 0xff, sizeof(bare->cpu->cpuid.features));
    bare->cpu->cpuid.phys_bits = 40;
    bare->cpu->cpuid.linear_bits = 48;
    tcg_cpu_attach(&bare->state, &bare->cpu->env);
    x86_cpu_reset_state(&bare->cpu->env, false);
    tcg_env(&bare->cpu->env)->bare = true;
    return bare;
}

void tcg_bare_free(TcgBare *bare)
{
    tcg_cpu_detach(&bare->cpu->env);
    memory_listener_unregister(&bare->state.listener);
    tcg_state_unregister(&bare->state);
    tcg_cache_finish(&bare->state);
    address_space_finish(&bare->as);
    memory_region_del_subregion(&bare->root, &bare->ram);
    memory_region_finish(&bare->ram);
    memory_region_finish(&bare->root);
    g_mutex_clear(&bare->cpu->parent_obj.lock);
    g_cond_clear(&bare->cpu->parent_obj.halt_cond);
    g_aligned_free(bare->cpu);
    g_free(bare);
    vmm_thread_unregister();
}

CPUX86State *tcg_bare_env(TcgBare *bare)
{
    return &bare->cpu->env;
}

uint8_t *tcg_bare_ram(TcgBare *bare)
{
    return bare->host;
}

MemoryRegion *tcg_bare_root(TcgBare *bare)
{
    return &bare->root;
}

MemoryRegion *tcg_bare_ram_region(TcgBare *bare)
{
    return &bare->ram;
}

static void set_entry(TcgBare *bare, uint64_t table, unsigned n, uint64_t value)
{
    memcpy(bare->host + table + n * 8, &value, 8);
}

static uint64_t tables_base(TcgBare *bare)
{
    return bare->size - TABLES_SIZE;
}

/* PML4 and PDPT in the first two pages, then one page directory, then page tables. */
static void build_tables(TcgBare *bare, size_t page_size)
{
    uint64_t base = tables_base(bare), pd = base + 0x2000;

    memset(bare->host + base, 0, TABLES_SIZE);
    set_entry(bare, base, 0, (base + 0x1000) | PTE_FLAGS);
    set_entry(bare, base + 0x1000, 0, pd | PTE_FLAGS);
    for (uint64_t at = 0, n = 0; at < bare->size; at += 2u << 20, n++) {
        uint64_t pt = pd + 0x1000 * (n + 1);

        if (page_size > 4096) {
            set_entry(bare, pd, (unsigned)n, at | PTE_FLAGS | PTE_LARGE);
            continue;
        }
        set_entry(bare, pd, (unsigned)n, pt | PTE_FLAGS);
        for (unsigned i = 0; i < 512; i++) {
            set_entry(bare, pt, i, (at + i * 4096u) | PTE_FLAGS);
        }
    }
}

static void flat_segment(SegmentCache *s, uint16_t selector, uint32_t flags)
{
    *s = (SegmentCache){.selector = selector, .limit = 0xffffffff, .flags = flags};
}

void tcg_bare_long_mode(TcgBare *bare, unsigned cpl, size_t page_size)
{
    CPUX86State *env = &bare->cpu->env;
    uint32_t common = DESC_P_MASK | DESC_S_MASK | DESC_G_MASK | DESC_RW_MASK | DESC_A_MASK |
                      cpl << DESC_DPL_SHIFT;

    build_tables(bare, page_size);
    env->cr3 = tables_base(bare);
    env->cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_ET;
    env->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
    env->efer = MSR_EFER_LME | MSR_EFER_LMA | MSR_EFER_SCE | MSR_EFER_NXE;
    env->xcr0 = x86_xsave_host_mask() & ~XSTATE_PKRU;
    flat_segment(&env->segs[R_CS], (uint16_t)(8 | cpl), common | DESC_CS_MASK | DESC_L_MASK);
    for (int seg = 0; seg < R_SEG_COUNT; seg++) {
        if (seg != R_CS) {
            flat_segment(&env->segs[seg], (uint16_t)(16 | cpl), common | DESC_B_MASK);
        }
    }
    env->rflags = 2;
    x86_update_hflags(env);
    x86_tlb_flush(env, false);
}

void tcg_bare_set_page(TcgBare *bare, uint64_t linear, unsigned bits)
{
    uint64_t pt = tables_base(bare) + 0x3000 + (linear >> 21) * 0x1000;

    set_entry(bare, pt, linear >> 12 & 511, (linear & ~0xfffull) | bits);
    x86_tlb_flush_page(&bare->cpu->env, linear);
}

void tcg_bare_written(TcgBare *bare, uint64_t phys, size_t len)
{
    tcg_code_written(bare->ram.ram_block, phys, len);
}

int tcg_bare_run(TcgBare *bare)
{
    CPUState *cs = &bare->cpu->parent_obj, *before = current_cpu;
    CPUX86State *env = &bare->cpu->env;
    int reason;

    current_cpu = cs;
    tcg_thread_init(env);
    env->exception_index = env->old_exception = -1;
    cs->halted = false;
    reason = tcg_cpu_exec(cs);
    tcg_thread_finish(env);
    current_cpu = before;
    return reason == TCG_EXIT_HALTED ? -1 : env->exception_index;
}
