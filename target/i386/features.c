/* SPDX-License-Identifier: MIT
 *
 * CPU features.  SDM vol. 2, CPUID, tables 3-10 and 3-11; AMD APM vol. 3, app. E.
 */
#include "target/i386/features.h"
#include <cpuid.h>
#include <string.h>

#define N TCG_NATIVE
#define E TCG_EMULATED
#define R TCG_ON_REQUEST
#define X TCG_NEVER

const X86FeatureInfo x86_features[] = {
    {"fpu", NULL, FEAT_1_EDX, 0, E, "x87 floating point"},
    {"vme", NULL, FEAT_1_EDX, 1, E, "virtual-8086 mode extensions"},
    {"de", NULL, FEAT_1_EDX, 2, E, "debugging extensions: I/O breakpoints"},
    {"pse", NULL, FEAT_1_EDX, 3, E, "4 MiB pages"},
    {"tsc", NULL, FEAT_1_EDX, 4, E, "time-stamp counter"},
    {"msr", NULL, FEAT_1_EDX, 5, E, "model-specific registers"},
    {"pae", NULL, FEAT_1_EDX, 6, E, "physical address extension"},
    {"mce", NULL, FEAT_1_EDX, 7, E, "machine-check exception"},
    {"cx8", NULL, FEAT_1_EDX, 8, E, "cmpxchg8b"},
    {"apic", NULL, FEAT_1_EDX, 9, E, "local APIC"},
    {"sep", NULL, FEAT_1_EDX, 11, E, "sysenter and sysexit"},
    {"mtrr", NULL, FEAT_1_EDX, 12, E, "memory-type range registers"},
    {"pge", NULL, FEAT_1_EDX, 13, E, "global pages"},
    {"mca", NULL, FEAT_1_EDX, 14, E, "machine-check architecture"},
    {"cmov", NULL, FEAT_1_EDX, 15, E, "conditional moves"},
    {"pat", NULL, FEAT_1_EDX, 16, E, "page-attribute table"},
    {"pse36", NULL, FEAT_1_EDX, 17, E, "40-bit addresses in 4 MiB pages"},
    {"pn", NULL, FEAT_1_EDX, 18, X, "processor serial number"},
    {"clflush", NULL, FEAT_1_EDX, 19, E, "clflush"},
    {"ds", NULL, FEAT_1_EDX, 21, X, "debug store"},
    {"acpi", NULL, FEAT_1_EDX, 22, X, "thermal monitor and clock control"},
    {"mmx", NULL, FEAT_1_EDX, 23, N, "MMX"},
    {"fxsr", NULL, FEAT_1_EDX, 24, N, "fxsave and fxrstor"},
    {"sse", NULL, FEAT_1_EDX, 25, N, "SSE"},
    {"sse2", NULL, FEAT_1_EDX, 26, N, "SSE2"},
    {"ss", NULL, FEAT_1_EDX, 27, E, "self-snoop"},
    {"ht", NULL, FEAT_1_EDX, 28, R, "several logical processors in a package"},
    {"tm", NULL, FEAT_1_EDX, 29, X, "thermal monitor"},
    {"ia64", NULL, FEAT_1_EDX, 30, X, "IA64 processor that emulates x86"},
    {"pbe", NULL, FEAT_1_EDX, 31, X, "pending break enable"},

    {"pni", "sse3", FEAT_1_ECX, 0, N, "SSE3"},
    {"pclmulqdq", "pclmuldq", FEAT_1_ECX, 1, N, "carry-less multiplication"},
    {"dtes64", NULL, FEAT_1_ECX, 2, X, "64-bit debug store"},
    {"monitor", NULL, FEAT_1_ECX, 3, E, "monitor and mwait"},
    {"ds-cpl", NULL, FEAT_1_ECX, 4, X, "CPL-qualified debug store"},
    {"vmx", NULL, FEAT_1_ECX, 5, X, "VMX"},
    {"smx", NULL, FEAT_1_ECX, 6, X, "safer mode extensions"},
    {"est", NULL, FEAT_1_ECX, 7, X, "enhanced SpeedStep"},
    {"tm2", NULL, FEAT_1_ECX, 8, X, "thermal monitor 2"},
    {"ssse3", NULL, FEAT_1_ECX, 9, N, "SSSE3"},
    {"cid", NULL, FEAT_1_ECX, 10, X, "L1 context ID"},
    {"fma", NULL, FEAT_1_ECX, 12, N, "fused multiply-add"},
    {"cx16", NULL, FEAT_1_ECX, 13, N, "cmpxchg16b"},
    {"xtpr", NULL, FEAT_1_ECX, 14, X, "task-priority messages can be disabled"},
    {"pdcm", NULL, FEAT_1_ECX, 15, X, "performance capabilities MSR"},
    {"pcid", NULL, FEAT_1_ECX, 17, E, "process-context identifiers"},
    {"dca", NULL, FEAT_1_ECX, 18, X, "direct cache access"},
    {"sse4.1", "sse4-1", FEAT_1_ECX, 19, N, "SSE4.1"},
    {"sse4.2", "sse4-2", FEAT_1_ECX, 20, N, "SSE4.2"},
    {"x2apic", NULL, FEAT_1_ECX, 21, E, "x2APIC"},
    {"movbe", NULL, FEAT_1_ECX, 22, N, "movbe"},
    {"popcnt", NULL, FEAT_1_ECX, 23, N, "popcnt"},
    {"tsc-deadline", NULL, FEAT_1_ECX, 24, E, "APIC timer by TSC deadline"},
    {"aes", NULL, FEAT_1_ECX, 25, N, "AES instructions"},
    {"xsave", NULL, FEAT_1_ECX, 26, N, "xsave and xrstor"},
    {"avx", NULL, FEAT_1_ECX, 28, N, "AVX"},
    {"f16c", NULL, FEAT_1_ECX, 29, N, "half-precision conversion"},
    {"rdrand", NULL, FEAT_1_ECX, 30, N, "rdrand"},
    {"hypervisor", NULL, FEAT_1_ECX, 31, E, "runs under a hypervisor"},

    {"fsgsbase", NULL, FEAT_7_0_EBX, 0, E, "rdfsbase and kin"},
    {"tsc-adjust", NULL, FEAT_7_0_EBX, 1, E, "IA32_TSC_ADJUST"},
    {"sgx", NULL, FEAT_7_0_EBX, 2, X, "SGX"},
    {"bmi1", NULL, FEAT_7_0_EBX, 3, N, "bit manipulation 1"},
    {"hle", NULL, FEAT_7_0_EBX, 4, X, "hardware lock elision"},
    {"avx2", NULL, FEAT_7_0_EBX, 5, N, "AVX2"},
    {"smep", NULL, FEAT_7_0_EBX, 7, E, "no supervisor execution of user pages"},
    {"bmi2", NULL, FEAT_7_0_EBX, 8, N, "bit manipulation 2"},
    {"erms", NULL, FEAT_7_0_EBX, 9, E, "fast rep movsb and stosb"},
    {"invpcid", NULL, FEAT_7_0_EBX, 10, E, "invpcid"},
    {"rtm", NULL, FEAT_7_0_EBX, 11, X, "restricted transactional memory"},
    {"mpx", NULL, FEAT_7_0_EBX, 14, X, "memory protection extensions"},
    {"avx512f", NULL, FEAT_7_0_EBX, 16, N, "AVX-512 foundation"},
    {"avx512dq", NULL, FEAT_7_0_EBX, 17, N, "AVX-512 doublewords and quadwords"},
    {"rdseed", NULL, FEAT_7_0_EBX, 18, N, "rdseed"},
    {"adx", NULL, FEAT_7_0_EBX, 19, N, "adcx and adox"},
    {"smap", NULL, FEAT_7_0_EBX, 20, E, "no supervisor access to user pages"},
    {"avx512ifma", NULL, FEAT_7_0_EBX, 21, N, "AVX-512 52-bit multiply-add"},
    {"pcommit", NULL, FEAT_7_0_EBX, 22, X, "pcommit"},
    {"clflushopt", NULL, FEAT_7_0_EBX, 23, N, "clflushopt"},
    {"clwb", NULL, FEAT_7_0_EBX, 24, N, "clwb"},
    {"intel-pt", NULL, FEAT_7_0_EBX, 25, X, "processor trace"},
    {"avx512pf", NULL, FEAT_7_0_EBX, 26, X, "AVX-512 prefetch"},
    {"avx512er", NULL, FEAT_7_0_EBX, 27, X, "AVX-512 exponential and reciprocal"},
    {"avx512cd", NULL, FEAT_7_0_EBX, 28, N, "AVX-512 conflict detection"},
    {"sha-ni", NULL, FEAT_7_0_EBX, 29, N, "SHA instructions"},
    {"avx512bw", NULL, FEAT_7_0_EBX, 30, N, "AVX-512 bytes and words"},
    {"avx512vl", NULL, FEAT_7_0_EBX, 31, N, "AVX-512 on 128 and 256 bits"},

    {"avx512vbmi", "avx512-vbmi", FEAT_7_0_ECX, 1, N, "AVX-512 byte manipulation"},
    {"umip", NULL, FEAT_7_0_ECX, 2, E, "user-mode instruction prevention"},
    {"pku", NULL, FEAT_7_0_ECX, 3, E, "protection keys for user pages"},
    {"waitpkg", NULL, FEAT_7_0_ECX, 5, X, "umonitor, umwait, tpause"},
    {"avx512vbmi2", "avx512-vbmi2", FEAT_7_0_ECX, 6, N, "AVX-512 byte manipulation 2"},
    {"gfni", NULL, FEAT_7_0_ECX, 8, N, "Galois-field instructions"},
    {"vaes", NULL, FEAT_7_0_ECX, 9, N, "vector AES"},
    {"vpclmulqdq", NULL, FEAT_7_0_ECX, 10, N, "vector carry-less multiplication"},
    {"avx512vnni", "avx512-vnni", FEAT_7_0_ECX, 11, N, "AVX-512 neural-network instructions"},
    {"avx512bitalg", "avx512-bitalg", FEAT_7_0_ECX, 12, N, "AVX-512 bit algorithms"},
    {"avx512-vpopcntdq", NULL, FEAT_7_0_ECX, 14, N, "AVX-512 population count"},
    {"la57", NULL, FEAT_7_0_ECX, 16, E, "5-level paging"},
    {"rdpid", NULL, FEAT_7_0_ECX, 22, E, "rdpid"},
    {"bus-lock-detect", NULL, FEAT_7_0_ECX, 24, X, "bus-lock debug exception"},
    {"cldemote", NULL, FEAT_7_0_ECX, 25, X, "cldemote"},
    {"movdiri", NULL, FEAT_7_0_ECX, 27, N, "direct store"},
    {"movdir64b", NULL, FEAT_7_0_ECX, 28, E, "64-byte direct store"},
    {"pks", NULL, FEAT_7_0_ECX, 31, E, "protection keys for supervisor pages"},

    {"avx512-4vnniw", NULL, FEAT_7_0_EDX, 2, X, "AVX-512 4VNNIW"},
    {"avx512-4fmaps", NULL, FEAT_7_0_EDX, 3, X, "AVX-512 4FMAPS"},
    {"fsrm", NULL, FEAT_7_0_EDX, 4, E, "fast short rep movsb"},
    {"avx512-vp2intersect", NULL, FEAT_7_0_EDX, 8, N, "AVX-512 pairwise intersection"},
    {"md-clear", NULL, FEAT_7_0_EDX, 10, X, "verw clears buffers"},
    {"serialize", NULL, FEAT_7_0_EDX, 14, E, "serialize"},
    {"tsx-ldtrk", NULL, FEAT_7_0_EDX, 16, X, "TSX suspend load tracking"},
    {"avx512-fp16", NULL, FEAT_7_0_EDX, 23, N, "AVX-512 half precision"},
    {"spec-ctrl", NULL, FEAT_7_0_EDX, 26, R, "IBRS and IBPB (SPEC_CTRL MSR)"},
    {"stibp", NULL, FEAT_7_0_EDX, 27, R, "single-thread branch prediction (SPEC_CTRL MSR)"},
    {"flush-l1d", NULL, FEAT_7_0_EDX, 28, X, "L1D flush command"},
    {"arch-capabilities", NULL, FEAT_7_0_EDX, 29, X, "ARCH_CAPABILITIES MSR"},
    {"core-capability", NULL, FEAT_7_0_EDX, 30, X, "CORE_CAPABILITIES MSR"},
    {"ssbd", NULL, FEAT_7_0_EDX, 31, R, "store bypass can be disabled (SPEC_CTRL MSR)"},

    {"avx-vnni", NULL, FEAT_7_1_EAX, 4, N, "AVX neural-network instructions"},
    {"avx512-bf16", NULL, FEAT_7_1_EAX, 5, N, "AVX-512 BFLOAT16"},
    {"fzrm", NULL, FEAT_7_1_EAX, 10, X, "fast zero-length rep movsb"},
    {"fsrs", NULL, FEAT_7_1_EAX, 11, X, "fast short rep stosb"},
    {"fsrc", NULL, FEAT_7_1_EAX, 12, X, "fast short rep cmpsb and scasb"},

    {"xsaveopt", NULL, FEAT_D_1_EAX, 0, N, "xsaveopt"},
    {"xsavec", NULL, FEAT_D_1_EAX, 1, N, "xsavec"},
    {"xgetbv1", NULL, FEAT_D_1_EAX, 2, N, "xgetbv with ECX = 1"},
    {"xsaves", NULL, FEAT_D_1_EAX, 3, E, "xsaves and xrstors"},

    {"syscall", NULL, FEAT_80000001_EDX, 11, E, "syscall and sysret"},
    {"nx", "xd", FEAT_80000001_EDX, 20, E, "no-execute pages"},
    {"mmxext", NULL, FEAT_80000001_EDX, 22, N, "AMD extensions to MMX"},
    {"fxsr-opt", "ffxsr", FEAT_80000001_EDX, 25, N, "fast fxsave and fxrstor"},
    {"pdpe1gb", NULL, FEAT_80000001_EDX, 26, E, "1 GiB pages"},
    {"rdtscp", NULL, FEAT_80000001_EDX, 27, E, "rdtscp"},
    {"lm", "i64", FEAT_80000001_EDX, 29, E, "long mode"},
    {"3dnowext", NULL, FEAT_80000001_EDX, 30, X, "3DNow! extensions"},
    {"3dnow", NULL, FEAT_80000001_EDX, 31, X, "3DNow!"},

    {"lahf-lm", NULL, FEAT_80000001_ECX, 0, E, "lahf and sahf in 64-bit mode"},
    {"cmp-legacy", NULL, FEAT_80000001_ECX, 1, R, "cores are reported as threads"},
    {"svm", NULL, FEAT_80000001_ECX, 2, X, "SVM"},
    {"extapic", NULL, FEAT_80000001_ECX, 3, X, "extended APIC space"},
    {"cr8legacy", NULL, FEAT_80000001_ECX, 4, E, "lock mov cr0 reaches CR8"},
    {"abm", "lzcnt", FEAT_80000001_ECX, 5, N, "lzcnt"},
    {"sse4a", NULL, FEAT_80000001_ECX, 6, N, "SSE4A"},
    {"misalignsse", NULL, FEAT_80000001_ECX, 7, N, "misaligned SSE operands"},
    {"3dnowprefetch", NULL, FEAT_80000001_ECX, 8, E, "prefetch and prefetchw"},
    {"osvw", NULL, FEAT_80000001_ECX, 9, X, "OS-visible workarounds"},
    {"ibs", NULL, FEAT_80000001_ECX, 10, X, "instruction-based sampling"},
    {"xop", NULL, FEAT_80000001_ECX, 11, X, "XOP"},
    {"skinit", NULL, FEAT_80000001_ECX, 12, X, "skinit"},
    {"wdt", NULL, FEAT_80000001_ECX, 13, X, "watchdog timer"},
    {"lwp", NULL, FEAT_80000001_ECX, 15, X, "light-weight profiling"},
    {"fma4", NULL, FEAT_80000001_ECX, 16, X, "FMA4"},
    {"tce", NULL, FEAT_80000001_ECX, 17, X, "translation cache extension"},
    {"nodeid-msr", NULL, FEAT_80000001_ECX, 19, X, "node ID MSR"},
    {"tbm", NULL, FEAT_80000001_ECX, 21, X, "trailing-bit manipulation"},
    {"topoext", NULL, FEAT_80000001_ECX, 22, E, "AMD topology leaves"},
    {"perfctr-core", NULL, FEAT_80000001_ECX, 23, X, "core performance counters"},
    {"perfctr-nb", NULL, FEAT_80000001_ECX, 24, X, "northbridge performance counters"},

    {"invtsc", NULL, FEAT_80000007_EDX, 8, N, "the TSC runs at a constant rate"},

    {"clzero", NULL, FEAT_80000008_EBX, 0, E, "clzero"},
    {"xsaveerptr", NULL, FEAT_80000008_EBX, 2, N, "FP error pointers are always saved"},
    {"rdpru", NULL, FEAT_80000008_EBX, 4, X, "rdpru"},
    {"wbnoinvd", NULL, FEAT_80000008_EBX, 9, E, "wbnoinvd"},
    {"ibpb", NULL, FEAT_80000008_EBX, 12, R, "indirect-branch prediction barrier"},
    {"ibrs", NULL, FEAT_80000008_EBX, 14, X, "indirect-branch restricted speculation"},
    {"amd-stibp", NULL, FEAT_80000008_EBX, 15, X, "single-thread branch prediction"},
    {"amd-ssbd", NULL, FEAT_80000008_EBX, 24, X, "store bypass can be disabled"},
    {"virt-ssbd", NULL, FEAT_80000008_EBX, 25, X, "VIRT_SPEC_CTRL MSR"},

    {"arat", NULL, FEAT_6_EAX, 2, E, "the APIC timer always runs"},

    {"rdctl-no", NULL, FEAT_ARCH_CAPABILITIES, 0, X, "not affected by L1TF (ARCH_CAPABILITIES)"},
    {"ibrs-all", NULL, FEAT_ARCH_CAPABILITIES, 1, X, "enhanced IBRS (ARCH_CAPABILITIES)"},
    {"skip-l1dfl-vmentry", NULL, FEAT_ARCH_CAPABILITIES, 3, X,
     "no L1D flush on VM entry needed (ARCH_CAPABILITIES)"},
    {"mds-no", NULL, FEAT_ARCH_CAPABILITIES, 5, X, "not affected by MDS (ARCH_CAPABILITIES)"},
    {"pschange-mc-no", NULL, FEAT_ARCH_CAPABILITIES, 6, X,
     "page sizes may change freely (ARCH_CAPABILITIES)"},
    {"taa-no", NULL, FEAT_ARCH_CAPABILITIES, 8, X, "not affected by TAA (ARCH_CAPABILITIES)"},

    {"npt", NULL, FEAT_8000000A_EDX, 0, X, "nested paging (SVM)"},
    {"lbrv", NULL, FEAT_8000000A_EDX, 1, X, "last-branch records in a guest (SVM)"},
    {"svm-lock", NULL, FEAT_8000000A_EDX, 2, X, "SVM can be locked (SVM)"},
    {"nrip-save", NULL, FEAT_8000000A_EDX, 3, X, "next RIP is saved (SVM)"},
    {"tsc-scale", NULL, FEAT_8000000A_EDX, 4, X, "TSC rate of a guest (SVM)"},
    {"vmcb-clean", NULL, FEAT_8000000A_EDX, 5, X, "VMCB clean bits (SVM)"},
    {"flushbyasid", NULL, FEAT_8000000A_EDX, 6, X, "flush by ASID (SVM)"},
    {"decodeassists", NULL, FEAT_8000000A_EDX, 7, X, "decode assists (SVM)"},
    {"pause-filter", NULL, FEAT_8000000A_EDX, 10, X, "pause intercept filter (SVM)"},
    {"pfthreshold", NULL, FEAT_8000000A_EDX, 12, X, "pause filter threshold (SVM)"},
    {"avic", NULL, FEAT_8000000A_EDX, 13, X, "virtual interrupt controller (SVM)"},
    {"v-vmsave-vmload", NULL, FEAT_8000000A_EDX, 15, X, "virtual vmsave and vmload (SVM)"},
    {"vgif", NULL, FEAT_8000000A_EDX, 16, X, "virtual GIF (SVM)"},
    {"svme-addr-chk", NULL, FEAT_8000000A_EDX, 28, X, "guest address check (SVM)"},

    {"xstore", NULL, FEAT_C0000001_EDX, 2, X, "VIA random numbers"},
    {"xstore-en", NULL, FEAT_C0000001_EDX, 3, X, "VIA random numbers enabled"},
    {"xcrypt", NULL, FEAT_C0000001_EDX, 6, X, "VIA encryption"},
    {"xcrypt-en", NULL, FEAT_C0000001_EDX, 7, X, "VIA encryption enabled"},
    {"ace2", NULL, FEAT_C0000001_EDX, 8, X, "VIA encryption 2"},
    {"ace2-en", NULL, FEAT_C0000001_EDX, 9, X, "VIA encryption 2 enabled"},
    {"phe", NULL, FEAT_C0000001_EDX, 10, X, "VIA hashes"},
    {"phe-en", NULL, FEAT_C0000001_EDX, 11, X, "VIA hashes enabled"},
    {"pmm", NULL, FEAT_C0000001_EDX, 12, X, "VIA Montgomery multiplier"},
    {"pmm-en", NULL, FEAT_C0000001_EDX, 13, X, "VIA Montgomery multiplier enabled"},

    {"kvmclock", NULL, FEAT_KVM, 0, X, "KVM's clock, old MSRs"},
    {"kvm-nopiodelay", NULL, FEAT_KVM, 1, X, "no delays around port I/O"},
    {"kvm-mmu", NULL, FEAT_KVM, 2, X, "KVM's paravirtual MMU"},
    {"kvmclock2", NULL, FEAT_KVM, 3, X, "KVM's clock"},
    {"kvm-asyncpf", NULL, FEAT_KVM, 4, X, "asynchronous page faults"},
    {"kvm-steal-time", NULL, FEAT_KVM, 5, X, "steal time"},
    {"kvm-pv-eoi", NULL, FEAT_KVM, 6, X, "paravirtual EOI"},
    {"kvm-pv-unhalt", NULL, FEAT_KVM, 7, X, "paravirtual spinlocks"},
    {"kvm-pv-tlb-flush", NULL, FEAT_KVM, 9, X, "paravirtual TLB flush"},
    {"kvm-pv-ipi", NULL, FEAT_KVM, 11, X, "paravirtual IPIs"},
    {"kvmclock-stable-bit", NULL, FEAT_KVM, 24, X, "KVM's clock is synchronised"},
};
const size_t x86_nr_features = G_N_ELEMENTS(x86_features);

/* What other programs ask for by name, and nothing here has. */
static const char absent_features[] =
    "amd-no-ssb amx-bf16 amx-int8 amx-tile arch-lbr full-width-write hv-apicv hv-avic hv- "
    "crash hv-emsr-bitmap hv-evmcs hv-frequencies hv-ipi hv-passthrough hv- "
    "reenlightenment hv-relaxed hv-reset hv-runtime hv-stimer hv-stimer-direct hv-syndbg "
    "hv-synic hv-time hv-tlbflush hv-tlbflush-direct hv-tlbflush-ext hv-vapic hv-vpindex "
    "hv-xmm-input intel-pt-lip kvm-asyncpf-int kvm-hint-dedicated kvm-msi-ext-dest-id "
    "kvm-poll-control kvm-pv-sched-yield lmce pmu rsba sgx-debug sgx-exinfo sgx-kss sgx- "
    "mode64 sgx-provisionkey sgx-tokenkey sgx1 sgx2 sgxlc split-lock-detect ssb-no tsx- "
    "ctrl vmx-activity-hlt vmx-activity-shutdown vmx-activity-wait-sipi vmx-apicv- "
    "register vmx-apicv-vid vmx-apicv-x2apic vmx-apicv-xapic vmx-cr3-load-noexit vmx- "
    "cr3-store-noexit vmx-cr8-load-exit vmx-cr8-store-exit vmx-desc-exit vmx-encls-exit "
    "vmx-entry-ia32e-mode vmx-entry-load-bndcfgs vmx-entry-load-efer vmx-entry-load-pat "
    "vmx-entry-load-perf-global-ctrl vmx-entry-load-pkrs vmx-entry-load-rtit-ctl vmx- "
    "entry-noload-debugctl vmx-ept vmx-ept-1gb vmx-ept-2mb vmx-ept-advanced-exitinfo vmx- "
    "ept-execonly vmx-eptad vmx-eptp-switching vmx-exit-ack-intr vmx-exit-clear-bndcfgs "
    "vmx-exit-clear-rtit-ctl vmx-exit-load-efer vmx-exit-load-pat vmx-exit-load-perf- "
    "global-ctrl vmx-exit-load-pkrs vmx-exit-nosave-debugctl vmx-exit-save-efer vmx-exit- "
    "save-pat vmx-exit-save-preemption-timer vmx-flexpriority vmx-hlt-exit vmx-ins-outs "
    "vmx-intr-exit vmx-invept vmx-invept-all-context vmx-invept-single-context vmx- "
    "invept-single-context-noglobals vmx-invlpg-exit vmx-invpcid-exit vmx-invvpid vmx- "
    "invvpid-all-context vmx-invvpid-single-addr vmx-io-bitmap vmx-io-exit vmx-monitor- "
    "exit vmx-movdr-exit vmx-msr-bitmap vmx-mtf vmx-mwait-exit vmx-nmi-exit vmx-page- "
    "walk-4 vmx-page-walk-5 vmx-pause-exit vmx-ple vmx-pml vmx-posted-intr vmx- "
    "preemption-timer vmx-rdpmc-exit vmx-rdrand-exit vmx-rdseed-exit vmx-rdtsc-exit vmx- "
    "rdtscp-exit vmx-secondary-ctls vmx-shadow-vmcs vmx-store-lma vmx-true-ctls vmx-tsc- "
    "offset vmx-tsc-scaling vmx-unrestricted-guest vmx-vintr-pending vmx-vmfunc vmx- "
    "vmwrite-vmexit-fields vmx-vnmi vmx-vnmi-pending vmx-vpid vmx-wbinvd-exit vmx-xsaves "
    "vmx-zero-len-inject xfd";

char **x86_absent_features(void)
{
    return g_strsplit(absent_features, " ", -1);
}

static const struct {
    const char *name;
    uint32_t leaf, subleaf;
    uint8_t reg; /* 0..3: EAX, EBX, ECX, EDX */
} words[FEAT_WORD_COUNT] = {
    [FEAT_1_EDX] = {"CPUID.01H:EDX", 1, 0, 3},
    [FEAT_1_ECX] = {"CPUID.01H:ECX", 1, 0, 2},
    [FEAT_7_0_EBX] = {"CPUID.07H:EBX", 7, 0, 1},
    [FEAT_7_0_ECX] = {"CPUID.07H:ECX", 7, 0, 2},
    [FEAT_7_0_EDX] = {"CPUID.07H:EDX", 7, 0, 3},
    [FEAT_7_1_EAX] = {"CPUID.07H.1:EAX", 7, 1, 0},
    [FEAT_D_1_EAX] = {"CPUID.0DH.1:EAX", 0xd, 1, 0},
    [FEAT_80000001_EDX] = {"CPUID.80000001H:EDX", 0x80000001, 0, 3},
    [FEAT_80000001_ECX] = {"CPUID.80000001H:ECX", 0x80000001, 0, 2},
    [FEAT_80000007_EDX] = {"CPUID.80000007H:EDX", 0x80000007, 0, 3},
    [FEAT_80000008_EBX] = {"CPUID.80000008H:EBX", 0x80000008, 0, 1},
    [FEAT_6_EAX] = {"CPUID.06H:EAX", 6, 0, 0},
    [FEAT_KVM] = {"CPUID.40000001H:EAX", 0x40000001, 0, 0},
    [FEAT_ARCH_CAPABILITIES] = {"MSR(10AH)", X86_LEAF_NONE, 0, 0},
    [FEAT_8000000A_EDX] = {"CPUID.8000000AH:EDX", 0x8000000a, 0, 3},
    [FEAT_C0000001_EDX] = {"CPUID.C0000001H:EDX", 0xc0000001, 0, 3},
};

const char *x86_feature_word_name(X86FeatureWord word)
{
    return words[word].name;
}

bool x86_feature_word_place(X86FeatureWord word, uint32_t *ret_leaf, uint32_t *ret_subleaf,
                            unsigned *ret_reg)
{
    *ret_leaf = words[word].leaf;
    *ret_subleaf = words[word].subleaf;
    *ret_reg = words[word].reg;
    return *ret_leaf != X86_LEAF_NONE;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (*a != *b && !(*a == '_' && *b == '-')) {
            return false;
        }
    }
    return *a == *b;
}

const X86FeatureInfo *x86_feature_find(const char *name)
{
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        if (same_name(name, f->name) || (f->alias && same_name(name, f->alias))) {
            return f;
        }
    }
    return NULL;
}

void x86_features_add_list(uint32_t features[FEAT_WORD_COUNT], const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, " ", -1);

    for (char **name = list; *name; name++) {
        const X86FeatureInfo *f;

        bool remove = **name == '-';

        if (!**name) {
            continue;
        }
        f = x86_feature_find(*name + remove);
        if (!f) {
            g_error("unknown CPU feature '%s' in a model", *name);
        }
        features[f->word] &= ~(1u << f->bit);
        features[f->word] |= remove ? 0 : 1u << f->bit;
    }
}

void x86_host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *eax, uint32_t *ebx, uint32_t *ecx,
                    uint32_t *edx)
{
    if (!__get_cpuid_count(leaf, subleaf, eax, ebx, ecx, edx)) {
        *eax = *ebx = *ecx = *edx = 0;
    }
}

void x86_features_host(uint32_t ret[FEAT_WORD_COUNT])
{
    for (int i = 0; i < FEAT_WORD_COUNT; i++) {
        uint32_t r[4] = {0};

        /* The paravirtual leaves of the host's own hypervisor are not its silicon's. */
        if (i != FEAT_KVM && words[i].leaf != X86_LEAF_NONE) {
            x86_host_cpuid(words[i].leaf, words[i].subleaf, &r[0], &r[1], &r[2], &r[3]);
        }
        ret[i] = r[words[i].reg];
    }
}

static void tcg_features(uint32_t ret[FEAT_WORD_COUNT], bool on_request)
{
    uint32_t host[FEAT_WORD_COUNT];

    x86_features_host(host);
    memset(ret, 0, sizeof(host));
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];
        bool have = f->tcg == TCG_EMULATED || (f->tcg == TCG_ON_REQUEST && on_request) ||
                    (f->tcg == TCG_NATIVE && (host[f->word] >> f->bit & 1));

        if (have) {
            ret[f->word] |= 1u << f->bit;
        }
    }
}

void x86_features_tcg(uint32_t ret[FEAT_WORD_COUNT])
{
    tcg_features(ret, true);
}

void x86_features_tcg_max(uint32_t ret[FEAT_WORD_COUNT])
{
    tcg_features(ret, false);
}
