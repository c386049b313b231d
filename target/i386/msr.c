/* SPDX-License-Identifier: MIT
 *
 * Model-specific registers.  SDM vol. 4, ch. 2 (architectural MSRs); vol. 3, 12.11 (MTRRs),
 * 16.3 (machine check), 18.17 (TSC); AMD APM vol. 2, app. A and 3.2.
 *
 * The first row that covers an index decides; those that Linux writes at
 * every context switch and timer tick come first.
 */
#include <string.h>
#include "target/i386/apic.h"
#include "target/i386/control.h"
#include "target/i386/mmu.h"
#include "system/log.h"

#define FEAT_TSC        X86_FEATURE(FEAT_1_EDX, 4)
#define FEAT_MCE        X86_FEATURE(FEAT_1_EDX, 7)
#define FEAT_APIC       X86_FEATURE(FEAT_1_EDX, 9)
#define FEAT_SEP        X86_FEATURE(FEAT_1_EDX, 11)
#define FEAT_MTRR       X86_FEATURE(FEAT_1_EDX, 12)
#define FEAT_MCA        X86_FEATURE(FEAT_1_EDX, 14)
#define FEAT_PAT        X86_FEATURE(FEAT_1_EDX, 16)
#define FEAT_X2APIC     X86_FEATURE(FEAT_1_ECX, 21)
#define FEAT_DEADLINE   X86_FEATURE(FEAT_1_ECX, 24)
#define FEAT_TSC_ADJUST X86_FEATURE(FEAT_7_0_EBX, 1)
#define FEAT_SPEC_CTRL  X86_FEATURE(FEAT_7_0_EDX, 26)
#define FEAT_STIBP      X86_FEATURE(FEAT_7_0_EDX, 27)
#define FEAT_SSBD       X86_FEATURE(FEAT_7_0_EDX, 31)
#define FEAT_IBPB       X86_FEATURE(FEAT_80000008_EBX, 12)
#define FEAT_PKS        X86_FEATURE(FEAT_7_0_ECX, 31)
#define FEAT_SYSCALL    X86_FEATURE(FEAT_80000001_EDX, 11)
#define FEAT_NX         X86_FEATURE(FEAT_80000001_EDX, 20)
#define FEAT_FXSR_OPT   X86_FEATURE(FEAT_80000001_EDX, 25)
#define FEAT_RDTSCP     X86_FEATURE(FEAT_80000001_EDX, 27)
#define FEAT_LM         X86_FEATURE(FEAT_80000001_EDX, 29)
#define FEAT_XSAVES     X86_FEATURE(FEAT_D_1_EAX, 3)

#define MCE_BANKS     10
#define MTRR_VARIABLE 8
#define PAT_DEFAULT   0x0007040600070406ull
#define HWCR_TSC_P0   (1ull << 24) /* the TSC counts at the P0 frequency */

typedef struct MSRRow MSRRow;
/* False: #GP. */
typedef bool (*MSRRead)(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret);
typedef bool (*MSRWrite)(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value);

enum MSRVendor { ANY_VENDOR, AMD_ONLY, INTEL_ONLY };

struct MSRRow {
    uint32_t first, last;
    MSRRead read;   /* NULL: write-only */
    MSRWrite write; /* NULL: read-only */
    uint32_t offset; /* in CPUX86State, for plain ones */
    uint64_t mask;   /* writable bits of plain ones: others are reserved */
    uint32_t feature;
    uint8_t vendor;
};

static const X86CPUIDConfig *config(CPUX86State *env)
{
    return &env_archcpu(env)->cpuid;
}

static bool has(CPUX86State *env, uint32_t feature)
{
    return x86_cpuid_has(config(env), feature);
}

/* ---- plain ones ------------------------------------------------------------------------ */

static uint64_t *plain(CPUX86State *env, const MSRRow *row, uint32_t index)
{
    return (uint64_t *)((char *)env + row->offset) + (index - row->first);
}

static bool read_plain(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = *plain(env, row, index);
    return true;
}

static bool write_plain(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (value & ~row->mask) {
        return false;
    }
    *plain(env, row, index) = value;
    return true;
}

static bool write_canonical(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (!x86_is_cpu_canonical(env, value)) {
        return false;
    }
    *plain(env, row, index) = value;
    return true;
}

static bool read_zero(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = 0;
    return true;
}

static bool write_ignored(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    return true;
}

/* ---- segment bases ------------------------------------------------------------------------ */

static bool read_fs_gs_base(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = env->segs[index == row->first ? R_FS : R_GS].base;
    return true;
}

static bool write_fs_gs_base(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (!x86_is_cpu_canonical(env, value)) {
        return false;
    }
    env->segs[index == row->first ? R_FS : R_GS].base = value;
    return true;
}

/* ---- EFER ------------------------------------------------------------------------------------ */

static bool write_efer(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    uint64_t allowed = MSR_EFER_LMA, old = env->efer;

    allowed |= has(env, FEAT_SYSCALL) ? MSR_EFER_SCE : 0;
    allowed |= has(env, FEAT_LM) ? MSR_EFER_LME : 0;
    allowed |= has(env, FEAT_NX) ? MSR_EFER_NXE : 0;
    allowed |= has(env, FEAT_FXSR_OPT) ? MSR_EFER_FFXSR : 0;
    if ((value & ~allowed) || (((old ^ value) & MSR_EFER_LME) && (env->cr0 & CR0_PG))) {
        return false;
    }
    env->efer = (value & ~MSR_EFER_LMA) | (old & MSR_EFER_LMA);
    if ((old ^ value) & MSR_EFER_NXE) {
        x86_tlb_flush(env, false);
    }
    x86_update_hflags(env);
    return true;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static bool read_tsc(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = x86_cpu_guest_tsc(env);
    return true;
}

/* TSC_ADJUST follows what is written to the TSC, and the other way round (SDM vol. 3, 18.17.3). */
static bool write_tsc(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    uint64_t delta = value - x86_cpu_guest_tsc(env);

    env->tsc_offset += delta;
    env->tsc_adjust += delta;
    return true;
}

static bool write_tsc_adjust(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    env->tsc_offset += value - env->tsc_adjust;
    env->tsc_adjust = value;
    return true;
}

/* ---- local APIC ------------------------------------------------------------------------------------- */

static X86APIC *apic_of(CPUX86State *env)
{
    return (X86APIC *)env_archcpu(env)->apic;
}

static X86APICClass *apic_class(CPUX86State *env)
{
    return X86_APIC_GET_CLASS(env_archcpu(env)->apic);
}

static bool read_apic_base(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = apic_of(env) ? apic_class(env)->get_base(apic_of(env)) : 0;
    return true;
}

static bool write_apic_base(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (((value & APIC_BASE_EXTD) && !has(env, FEAT_X2APIC)) ||
        value >> config(env)->phys_bits) {
        return false;
    }
    return apic_of(env) && apic_class(env)->set_base(apic_of(env), value);
}

static bool read_deadline(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    if (!apic_of(env)) {
        return false;
    }
    *ret = apic_class(env)->get_tsc_deadline(apic_of(env));
    return true;
}

static bool write_deadline(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (!apic_of(env)) {
        return false;
    }
    apic_class(env)->set_tsc_deadline(apic_of(env), value);
    return true;
}

static bool read_x2apic(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    return apic_of(env) && apic_class(env)->msr_read(apic_of(env), index - row->first, ret);
}

static bool write_x2apic(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    return apic_of(env) && apic_class(env)->msr_write(apic_of(env), index - row->first, value);
}

/* ---- memory types: kept for the guest, without effect on RAM that is the host's --------------------- */

static bool memory_type_valid(uint8_t type)
{
    return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

static bool write_pat(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        uint8_t type = value >> (i * 8);

        if (!memory_type_valid(type) && type != 7) {
            return false;
        }
    }
    env->pat = value;
    return true;
}

static bool read_mtrr_cap(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = MTRR_VARIABLE | 1u << 8 | 1u << 10; /* fixed ranges, write-combining */
    return true;
}

static bool write_mtrr_deftype(CPUX86State *env, const MSRRow *row, uint32_t index,
                               uint64_t value)
{
    if ((value & ~0xcffull) || !memory_type_valid(value & 0xff)) {
        return false;
    }
    env->mtrr_deftype = value;
    return true;
}

static uint64_t *mtrr_variable(CPUX86State *env, const MSRRow *row, uint32_t index)
{
    X86MTRR *m = &env->mtrr_var[(index - row->first) / 2];

    return (index - row->first) & 1 ? &m->mask : &m->base;
}

static bool read_mtrr_variable(CPUX86State *env, const MSRRow *row, uint32_t index,
                               uint64_t *ret)
{
    *ret = *mtrr_variable(env, row, index);
    return true;
}

static bool write_mtrr_variable(CPUX86State *env, const MSRRow *row, uint32_t index,
                                uint64_t value)
{
    bool is_mask = (index - row->first) & 1;
    uint64_t reserved = ~((1ull << config(env)->phys_bits) - 1) | (is_mask ? 0x7ff : 0xf00);

    if ((value & reserved) || (!is_mask && !memory_type_valid(value & 0xff))) {
        return false;
    }
    *mtrr_variable(env, row, index) = value;
    return true;
}

static bool write_mtrr_fixed(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        if (!memory_type_valid(value >> (i * 8))) {
            return false;
        }
    }
    *plain(env, row, index) = value;
    return true;
}

/* ---- machine check ------------------------------------------------------------------------------------ */

static bool write_mcg_ctl(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (value != 0 && value != UINT64_MAX) {
        return false;
    }
    env->mcg_ctl = value;
    return true;
}

static bool write_mce_bank(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    unsigned reg = (index - row->first) & 3;

    /* 15.3.2: CTL takes all ones (AMD's Linux leaves out bits 0 and 10) or none, STATUS is cleared. */
    if (reg == 0 ? value && (value | 1u << 10 | 1) != UINT64_MAX : reg == 1 && value) {
        return false;
    }
    *plain(env, row, index) = value;
    return true;
}

/* ---- AMD -------------------------------------------------------------------------------------------------- */

static bool read_hwcr(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = HWCR_TSC_P0;
    return true;
}

static bool read_de_cfg(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = 1u << 1; /* lfence is serializing */
    return true;
}

static bool read_pkrs(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    *ret = env->pkrs;
    return true;
}

static bool write_pkrs(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (value >> 32) {
        return false;
    }
    env->pkrs = (uint32_t)value;
    x86_tlb_flush(env, false);
    return true;
}

static bool write_xss(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t value)
{
    if (value) {
        return false; /* no supervisor state */
    }
    return true;
}

static bool read_microcode(CPUX86State *env, const MSRRow *row, uint32_t index, uint64_t *ret)
{
    if (env_archcpu(env)->ucode_rev) {
        *ret = env_archcpu(env)->ucode_rev;
        return true;
    }
    *ret = strcmp(config(env)->vendor, "GenuineIntel") == 0 ? 0x100000000ull : 0x01000065;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

#define FIELD(f) .offset = offsetof(CPUX86State, f)
#define PLAIN(f, m)                                                                                \
    .read = read_plain, .write = write_plain, .offset = offsetof(CPUX86State, f), .mask = (m)
#define ALL UINT64_MAX

/* One that several features bring has a row for each. */
static const MSRRow msr_rows[] = {
    {0xc0000100, 0xc0000101, read_fs_gs_base, write_fs_gs_base, .feature = FEAT_LM},
    {0xc0000102, 0xc0000102, read_plain, write_canonical, FIELD(kernelgsbase), .feature = FEAT_LM},
    {0x6e0, 0x6e0, read_deadline, write_deadline, .feature = FEAT_DEADLINE},
    {0x800, 0x8ff, read_x2apic, write_x2apic, .feature = FEAT_X2APIC},
    {0x48, 0x48, PLAIN(spec_ctrl, 0x7), .feature = FEAT_SPEC_CTRL},
    {0x48, 0x48, PLAIN(spec_ctrl, 0x7), .feature = FEAT_STIBP},
    {0x48, 0x48, PLAIN(spec_ctrl, 0x7), .feature = FEAT_SSBD},
    {0x49, 0x49, NULL, write_ignored, .feature = FEAT_SPEC_CTRL},
    {0x49, 0x49, NULL, write_ignored, .feature = FEAT_IBPB},
    {0x10, 0x10, read_tsc, write_tsc, .feature = FEAT_TSC},
    {0x1b, 0x1b, read_apic_base, write_apic_base, .feature = FEAT_APIC},
    {0x3b, 0x3b, read_plain, write_tsc_adjust, FIELD(tsc_adjust), .feature = FEAT_TSC_ADJUST},
    {0x79, 0x79, NULL, write_ignored},
    {0x8b, 0x8b, read_microcode, write_ignored},
    {0xfe, 0xfe, read_mtrr_cap, NULL, .feature = FEAT_MTRR},
    {0x174, 0x174, PLAIN(sysenter_cs, 0xffffffff), .feature = FEAT_SEP},
    {0x175, 0x175, read_plain, write_canonical, FIELD(sysenter_esp), .feature = FEAT_SEP},
    {0x176, 0x176, read_plain, write_canonical, FIELD(sysenter_eip), .feature = FEAT_SEP},
    {0x179, 0x179, read_plain, NULL, FIELD(mcg_cap), .feature = FEAT_MCA},
    {0x17a, 0x17a, PLAIN(mcg_status, 0x7), .feature = FEAT_MCA},
    {0x17b, 0x17b, read_plain, write_mcg_ctl, FIELD(mcg_ctl), .feature = FEAT_MCA},
    /* Intel's; guests touch it on any vendor's virtual CPU. */
    {0x1a0, 0x1a0, PLAIN(misc_enable, ALL)},
    {0x17, 0x17, read_zero, NULL, .vendor = INTEL_ONLY},
    {0x34, 0x34, read_plain, NULL, FIELD(smi_count), .vendor = INTEL_ONLY},
    {0x1d9, 0x1d9, PLAIN(debugctl, 0x3)},
    {0x1db, 0x1de, read_zero, NULL},
    {0x200, 0x20f, read_mtrr_variable, write_mtrr_variable, .feature = FEAT_MTRR},
    {0x250, 0x250, read_plain, write_mtrr_fixed, FIELD(mtrr_fixed[0]), .feature = FEAT_MTRR},
    {0x258, 0x259, read_plain, write_mtrr_fixed, FIELD(mtrr_fixed[1]), .feature = FEAT_MTRR},
    {0x268, 0x26f, read_plain, write_mtrr_fixed, FIELD(mtrr_fixed[3]), .feature = FEAT_MTRR},
    {0x277, 0x277, read_plain, write_pat, FIELD(pat), .feature = FEAT_PAT},
    {0x2ff, 0x2ff, read_plain, write_mtrr_deftype, FIELD(mtrr_deftype), .feature = FEAT_MTRR},
    {0x400, 0x400 + MCE_BANKS * 4 - 1, read_plain, write_mce_bank, FIELD(mce_banks),
     .feature = FEAT_MCA},
    {0x6e1, 0x6e1, read_pkrs, write_pkrs, .feature = FEAT_PKS},
    {0xda0, 0xda0, read_zero, write_xss, .feature = FEAT_XSAVES},
    {0xc0000080, 0xc0000080, read_plain, write_efer, FIELD(efer)},
    {0xc0000081, 0xc0000081, PLAIN(star, ALL), .feature = FEAT_SYSCALL},
    {0xc0000082, 0xc0000082, read_plain, write_canonical, FIELD(lstar), .feature = FEAT_SYSCALL},
    {0xc0000083, 0xc0000083, read_plain, write_canonical, FIELD(cstar), .feature = FEAT_SYSCALL},
    {0xc0000084, 0xc0000084, PLAIN(fmask, 0xffffffff), .feature = FEAT_SYSCALL},
    {0xc0000103, 0xc0000103, PLAIN(tsc_aux, 0xffffffff), .feature = FEAT_RDTSCP},
    /* What Linux touches on AMD without the safe accessors: SYSCFG, HWCR, TOP_MEM... */
    /* Counters that every AMD processor has since the K7; ours count nothing. */
    {0xc0010000, 0xc0010007, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0010010, 0xc0010010, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0010015, 0xc0010015, read_hwcr, write_ignored, .vendor = AMD_ONLY},
    {0xc001001a, 0xc001001a, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc001001d, 0xc001001f, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0010055, 0xc0010055, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0010112, 0xc0010113, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0011020, 0xc0011023, read_zero, write_ignored, .vendor = AMD_ONLY},
    {0xc0011029, 0xc0011029, read_de_cfg, write_ignored, .vendor = AMD_ONLY},
    {0xc001102a, 0xc001102a, read_zero, write_ignored, .vendor = AMD_ONLY},
};

static bool vendor_matches(CPUX86State *env, uint8_t vendor)
{
    bool intel = strcmp(config(env)->vendor, "GenuineIntel") == 0;

    return vendor == ANY_VENDOR || (vendor == INTEL_ONLY) == intel;
}

static const MSRRow *find_row(CPUX86State *env, uint32_t index)
{
    for (size_t i = 0; i < G_N_ELEMENTS(msr_rows); i++) {
        const MSRRow *row = &msr_rows[i];

        if (index >= row->first && index <= row->last && has(env, row->feature) &&
            vendor_matches(env, row->vendor)) {
            return row;
        }
    }
    return NULL;
}

bool x86_rdmsr(CPUX86State *env, uint32_t index, uint64_t *ret_value)
{
    const MSRRow *row = find_row(env, index);

    if (row && row->read && row->read(env, row, index, ret_value)) {
        return true;
    }
    log_guest_error("x86: rdmsr 0x%x: no such register\n", index);
    return false;
}

bool x86_wrmsr(CPUX86State *env, uint32_t index, uint64_t value)
{
    const MSRRow *row = find_row(env, index);

    if (row && row->write && row->write(env, row, index, value)) {
        return true;
    }
    log_guest_error("x86: wrmsr 0x%x: no such register, or 0x%llx is reserved in it\n", index,
                    (unsigned long long)value);
    return false;
}

/* ---- reset ------------------------------------------------------------------------------------------------------- */

void x86_msr_reset(CPUX86State *env)
{
    env->pat = PAT_DEFAULT;
    env->mtrr_deftype = 0;
    memset(env->mtrr_fixed, 0, sizeof(env->mtrr_fixed));
    memset(env->mtrr_var, 0, sizeof(env->mtrr_var));
    env->mcg_cap = MCE_BANKS | 1u << 8; /* MCG_CTL exists */
    env->mcg_status = 0;
    env->mcg_ctl = UINT64_MAX;
    memset(env->mce_banks, 0, sizeof(env->mce_banks));
    for (int i = 0; i < MCE_BANKS; i++) {
        env->mce_banks[i * 4] = UINT64_MAX;
    }
    env->tsc_adjust = 0;
}
