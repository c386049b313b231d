/* SPDX-License-Identifier: MIT
 *
 * The x86 CPU: architectural state (CPUX86State), the object around it
 * (X86CPU) and its class.  Intel SDM volumes 1 and 3; AMD APM volume 2.
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "target/i386/cpuid.h"

enum X86Reg {
    R_EAX, R_ECX, R_EDX, R_EBX, R_ESP, R_EBP, R_ESI, R_EDI,
    R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15,
};

enum X86SegReg { R_ES, R_CS, R_SS, R_DS, R_FS, R_GS, R_SEG_COUNT };

/* RFLAGS (SDM vol. 1, 3.4.3) */
#define CC_C     0x0001u
#define CC_P     0x0004u
#define CC_A     0x0010u
#define CC_Z     0x0040u
#define CC_S     0x0080u
#define TF_MASK  0x0100u
#define IF_MASK  0x0200u
#define DF_MASK  0x0400u
#define CC_O     0x0800u
#define CC_MASK  (CC_C | CC_P | CC_A | CC_Z | CC_S | CC_O)
#define IOPL_SHIFT 12
#define IOPL_MASK 0x3000u
#define NT_MASK  0x4000u
#define RF_MASK  0x00010000u
#define VM_MASK  0x00020000u
#define AC_MASK  0x00040000u
#define VIF_MASK 0x00080000u
#define VIP_MASK 0x00100000u
#define ID_MASK  0x00200000u

/* CR0, CR4, EFER (SDM vol. 3, 2.5 and 2.2.1) */
#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)

#define CR4_VME        (1u << 0)
#define CR4_PVI        (1u << 1)
#define CR4_TSD        (1u << 2)
#define CR4_DE         (1u << 3)
#define CR4_PSE        (1u << 4)
#define CR4_PAE        (1u << 5)
#define CR4_MCE        (1u << 6)
#define CR4_PGE        (1u << 7)
#define CR4_PCE        (1u << 8)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP       (1u << 11)
#define CR4_LA57       (1u << 12)
#define CR4_VMXE       (1u << 13)
#define CR4_SMXE       (1u << 14)
#define CR4_FSGSBASE   (1u << 16)
#define CR4_PCIDE      (1u << 17)
#define CR4_OSXSAVE    (1u << 18)
#define CR4_SMEP       (1u << 20)
#define CR4_SMAP       (1u << 21)
#define CR4_PKE        (1u << 22)
#define CR4_CET        (1u << 23)
#define CR4_PKS        (1u << 24)

#define MSR_EFER_SCE   (1ull << 0)
#define MSR_EFER_LME   (1ull << 8)
#define MSR_EFER_LMA   (1ull << 10)
#define MSR_EFER_NXE   (1ull << 11)
#define MSR_EFER_SVME  (1ull << 12)
#define MSR_EFER_FFXSR (1ull << 14)

/* Exception vectors (SDM vol. 3, table 6-1) */
enum X86Exception {
    EXCP_DE = 0, EXCP_DB = 1, EXCP_NMI = 2, EXCP_BP = 3, EXCP_OF = 4, EXCP_BR = 5,
    EXCP_UD = 6, EXCP_NM = 7, EXCP_DF = 8, EXCP_TS = 10, EXCP_NP = 11, EXCP_SS = 12,
    EXCP_GP = 13, EXCP_PF = 14, EXCP_MF = 16, EXCP_AC = 17, EXCP_MC = 18, EXCP_XM = 19,
};

/* CPUX86State.exception_is_int */
#define X86_EVENT_SOFT 1 /* int n, int3, into */
#define X86_EVENT_INT1 2 /* int1: no DPL check */

/* Page-fault error code (SDM vol. 3, 4.7) */
#define PG_ERROR_P  0x01u
#define PG_ERROR_W  0x02u
#define PG_ERROR_U  0x04u
#define PG_ERROR_RSVD 0x08u
#define PG_ERROR_I  0x10u
#define PG_ERROR_PK 0x20u

/*
 * Segment attributes are held as the high doubleword of the descriptor has
 * them (SDM vol. 3, 3.4.5): type in bits 8-11, S 12, DPL 13-14, P 15, AVL 20,
 * L 21, D/B 22, G 23.
 */
#define DESC_TYPE_SHIFT 8
#define DESC_A_MASK   (1u << 8)
#define DESC_RW_MASK  (1u << 9)   /* data: writable; code: readable */
#define DESC_EC_MASK  (1u << 10)  /* data: expand-down; code: conforming */
#define DESC_CS_MASK  (1u << 11)  /* code segment */
#define DESC_S_MASK   (1u << 12)
#define DESC_DPL_SHIFT 13
#define DESC_DPL_MASK (3u << 13)
#define DESC_P_MASK   (1u << 15)
#define DESC_AVL_MASK (1u << 20)
#define DESC_L_MASK   (1u << 21)
#define DESC_B_MASK   (1u << 22)
#define DESC_G_MASK   (1u << 23)
/* Set by us in a cached segment whose selector was null: unusable. */
#define DESC_UNUSABLE (1u << 31)

typedef struct SegmentCache {
    uint16_t selector;
    uint32_t flags; /* DESC_* */
    uint32_t limit; /* in bytes, already scaled by G */
    uint64_t base;
} SegmentCache;

typedef struct DescriptorTable {
    uint64_t base;
    uint32_t limit;
} DescriptorTable;

/* Interrupt shadow and blocking (SDM vol. 3, 6.8.3 and 6.7.1). */
#define X86_SHADOW_STI   1u /* one instruction after sti */
#define X86_SHADOW_MOVSS 2u /* one instruction after mov ss / pop ss */

/*
 * hflags: what the meaning of a block of guest code depends on.  Always
 * derived by x86_update_hflags() from the registers below; the translator
 * keys its blocks on it.
 */
#define HF_CPL_MASK  0x0003u
#define HF_CS32      0x0004u   /* CS.D */
#define HF_CS64      0x0008u   /* 64-bit code: EFER.LMA && CS.L */
#define HF_SS32      0x0010u   /* SS.B, or 64-bit code */
#define HF_PE        0x0020u
#define HF_VM        0x0040u   /* virtual-8086 */
#define HF_LMA       0x0080u
#define HF_ADDSEG    0x0100u   /* some of DS, ES, SS has a base or a limit that matters */
#define HF_CSBASE    0x0200u   /* CS base is not 0, or its limit is not flat */
#define HF_TF        0x0400u   /* single-step */
#define HF_MP        0x0800u   /* CR0.MP, EM, TS: x87 and SSE availability */
#define HF_EM        0x1000u
#define HF_TS        0x2000u
#define HF_OSFXSR    0x4000u
#define HF_OSXSAVE   0x8000u
#define HF_AVX       0x10000u  /* XCR0 enables SSE and AVX state */
#define HF_AVX512    0x20000u  /* XCR0 enables opmask and ZMM state too */
#define HF_IOPL_SHIFT 18       /* IOPL, two bits (cli, sti, pushf, popf, in, out) */
#define HF_IOPL_MASK (3u << HF_IOPL_SHIFT)
#define HF_FLAT_DS   0x100000u /* DS, ES, SS: base 0, limit 4 GiB, usable, and writable */
#define HF_SMM       0x200000u
#define HF_DRX       0x400000u /* a breakpoint of any kind is armed in DR7 */
#define HF_NE        0x800000u /* CR0.NE */
#define HF_TSD       0x2000000u /* rdtsc faults: CR4.TSD, not CPL 0 */
#define HF_AC        0x1000000u /* alignment is checked: CR0.AM, RFLAGS.AC, CPL 3 */

/* FPU/SSE/AVX state in the standard (non-compacted) XSAVE format. */
#define X86_XSAVE_MAX 4096

typedef struct X86MTRR {
    uint64_t base, mask;
} X86MTRR;

/*
 * Room for what an accelerator's generated code must reach at a fixed
 * distance from the registers (tcg: its TLB and jump cache).  Not touched, and
 * so not resident, under any other accelerator.
 */
#define X86_ACCEL_AREA_SIZE (768 * 1024)

struct CPUX86State {
    /* Hot: generated code addresses these relative to the GS base. */
    uint64_t regs[16];
    uint64_t rip;
    uint64_t rflags; /* complete image; bit 1 always set */
    uint32_t hflags; /* HF_* */
    uint32_t shadow; /* X86_SHADOW_* in force for the next instruction */
    SegmentCache segs[R_SEG_COUNT];

    SegmentCache ldt;
    SegmentCache tr;
    DescriptorTable gdt;
    DescriptorTable idt;
    uint64_t cr0, cr2, cr3, cr4, cr8; /* cr8 is cached; the APIC owns TPR */
    uint64_t xcr0;
    uint64_t dr[8];
    uint64_t efer;
    uint64_t pdptr[4]; /* PAE: loaded with CR3 (SDM vol. 3, 4.4.1) */
    uint32_t pkru, pkrs;

    /* The event in delivery. */
    int exception_index; /* -1: none */
    int exception_is_int; /* X86_EVENT_*: from int n, int3, into, int1: pushes the next RIP */
    uint32_t error_code;
    uint64_t exception_next_rip;
    int old_exception; /* contributory chain for #DF; -1: none */
    uint32_t debug_hits; /* data breakpoints met by the instruction under way: DR6 bits */
    uint32_t debug_held; /* those of a mov ss, until the instruction after it is done */
    bool nmi_blocked;
    bool monitor_armed; /* by monitor, until mwait or an event */
    bool smm, smm_nmi_blocked; /* the latter: as RSM leaves nmi_blocked */
    bool a20_closed;
    bool wait_for_sipi; /* after INIT, on an application processor: only SIPI wakes it */
    uint64_t smbase; /* 32 bits of it */
    uint64_t a20_mask; /* physical addresses are ANDed with it; of a20_closed and smm */
    uint64_t smi_count; /* IA32_SMI_COUNT */

    /* MSRs (SDM vol. 4) */
    uint64_t star, lstar, cstar, fmask, kernelgsbase;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_offset; /* guest TSC = x86_cpu_tsc_ticks() + this */
    uint64_t tsc_adjust, tsc_aux, tsc_deadline;
    uint64_t pat, apic_base, feature_control, misc_enable, spec_ctrl, virt_ssbd, xss, debugctl;
    uint64_t mtrr_deftype, mtrr_fixed[11];
    X86MTRR mtrr_var[8];
    uint64_t mcg_cap, mcg_status, mcg_ctl, mce_banks[4 * 10];
    uint64_t hv_or_kvm_msrs[8]; /* paravirtual clock and kin; 0 when off */

    uint64_t x87_ip; /* of the last x87 instruction that is no control instruction (tcg) */
    uint8_t xsave[X86_XSAVE_MAX] __attribute__((aligned(64)));

    uint8_t accel_area[X86_ACCEL_AREA_SIZE] __attribute__((aligned(64)));
};

typedef struct X86CPU {
    CPUState parent_obj;
    CPUX86State env;
    /* What CPUID reports; filled at realize from the model and the properties. */
    X86CPUIDConfig cpuid;
    uint32_t apic_id;   /* X86_APIC_ID_UNSET: by the place */
    CPUPlace place;     /* as asked for; as it is, once realized */
    IRQ ferr; /* output X86_CPU_FERR */
    Object *apic; /* link<x86-apic>: the local APIC, or NULL */
    const Object *apic_ops_of;
    struct X86APICClass *apic_ops; /* of x86_cpu_apic_ops() */

    /* Features named on the command line, by word. */
    uint32_t user_on[FEAT_WORD_COUNT], user_off[FEAT_WORD_COUNT];
    uint32_t unavailable[FEAT_WORD_COUNT]; /* asked for and not to be had */
    bool check, enforce;  /* warn about, or refuse, features that are not to be had */
    bool host_phys_bits;
    uint8_t host_phys_bits_limit;
    uint32_t min_level, min_xlevel, min_xlevel2;
    bool level_given, xlevel_given, xlevel2_given; /* by the user: they stay */
    bool auto_level;
    bool migratable, legacy_cache; /* accepted only */
    uint64_t ucode_rev;
    bool expose_kvm;      /* property "kvm": KVM's paravirtual leaves, under KVM */
    bool features_settled; /* x86_cpu_settle_features() has been here */
    uint64_t tsc_frequency; /* Hz; 0: the host's */
    uint64_t tsc_base;    /* of the first CPU: tsc_offset of all as the machine was reset */
} X86CPU;

/* Named output: an x87 exception is pending and CR0.NE is clear.  The board's latch clears it. */
#define X86_CPU_FERR "ferr"

#define X86_APIC_ID_UNSET UINT32_MAX

#define TYPE_X86_CPU "x86_64-cpu"
#define X86_CPU(obj) OBJECT_CHECK(X86CPU, (obj), TYPE_X86_CPU)
#define X86_CPU_TYPE_NAME(model) model "-" TYPE_X86_CPU

typedef struct X86CPUModel X86CPUModel;
typedef struct X86CPUClass {
    CPUClass parent_class;
    const X86CPUModel *model;
} X86CPUClass;

/*
 * Bring the features down to what the accelerator can give: `supported` by word; `max`, of
 * those, is what the models "max" and "host" have unasked.  Warns about what is missed,
 * or fails with "enforce".  Called by the accelerator's cpu_realizefn; without
 * one x86_cpu_realizefn does it with what the translator can do.
 */
bool x86_cpu_settle_features(X86CPU *cpu, const char *accelerator,
                             const uint32_t supported[FEAT_WORD_COUNT],
                             const uint32_t max[FEAT_WORD_COUNT], GError **error);

/*
 * The features that this CPU, not realized and never to be, would have in that machine.  Does
 * not warn; "unavailable-features" tells.  Main thread.
 */
bool x86_cpu_expand(X86CPU *cpu, MachineState *machine, GError **error);

static inline CPUX86State *cpu_env(CPUState *cs)
{
    return &((X86CPU *)cs)->env;
}

static inline X86CPU *env_archcpu(CPUX86State *env)
{
    return (X86CPU *)((char *)env - offsetof(X86CPU, env));
}

static inline CPUState *env_cpu(CPUX86State *env)
{
    return &env_archcpu(env)->parent_obj;
}

/* Of the accesses that instructions make. */
static inline MemTxAttrs x86_memtxattrs(const CPUX86State *env)
{
    return (MemTxAttrs){.secure = env->smm};
}

static inline unsigned x86_cpl(const CPUX86State *env)
{
    return env->hflags & HF_CPL_MASK;
}

/* SDM vol. 1, 3.3.7.1: 48 bits, or 57 with CR4.LA57, sign-extended. */
static inline bool x86_is_canonical(const CPUX86State *env, uint64_t linear)
{
    unsigned shift = env->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

/*
 * The same for what is loaded into registers as an address of later use (bases in MSRs and
 * descriptor tables, INVPCID): by the width that the CPU has, whatever CR4.LA57 says now.
 */
static inline bool x86_is_cpu_canonical(const CPUX86State *env, uint64_t linear)
{
    const X86CPUIDConfig *c = &env_archcpu((CPUX86State *)env)->cpuid;
    unsigned shift = x86_cpuid_has(c, X86_FEATURE(FEAT_7_0_ECX, 16)) ? 7 : 16;

    return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

/*
 * Recompute env->hflags.  To be called after any change to CR0, CR4, EFER,
 * XCR0, RFLAGS.{TF,IOPL,VM,AC}, a segment register or DR7.
 */
void x86_update_hflags(CPUX86State *env);

/* Architectural power-on or INIT state (SDM vol. 3, table 9-1). */
void x86_cpu_reset_state(CPUX86State *env, bool init_only);
/* The part of it that is in the MSRs: APIC base, PAT, MTRRs, machine check. */
void x86_msr_reset(CPUX86State *env);

/*
 * CPU_INTERRUPT_INIT and CPU_INTERRUPT_SIPI, taken by the vCPU's thread: reset and wait
 * (an application processor halts; the bootstrap processor starts at the reset
 * vector); start at the vector's page.
 */
void x86_cpu_do_init(X86CPU *cpu);
void x86_cpu_do_sipi(X86CPU *cpu);

/* What the CPU's local APIC, which is there, does.  Its own thread. */
struct X86APICClass *x86_cpu_apic_ops(X86CPU *cpu);

/* Guest TSC now, and without its offset; the virtual ns at which it reaches `guest_tsc`. */
uint64_t x86_cpu_guest_tsc(CPUX86State *env);
uint64_t x86_cpu_tsc_ticks(CPUX86State *env);
/* Whether the latter are those of the VM's clock, unscaled. */
bool x86_cpu_tsc_is_host(CPUX86State *env, VMClockTicks *ret);
int64_t x86_cpu_tsc_to_ns(CPUX86State *env, uint64_t guest_tsc);
/* The guest's TSC frequency in Hz. */
uint64_t x86_cpu_tsc_frequency(CPUX86State *env);

/* Print the registers, for -d cpu, internal errors and the monitor. */
void x86_cpu_dump_state(CPUState *cs, GString *out);

#endif
