/* SPDX-License-Identifier: MIT
 *
 * Model-specific registers: what can be written reads back, reserved bits and unknown indices
 * are #GP (SDM vol. 2, RDMSR, WRMSR; vol. 4, ch. 2; vol. 3, 12.11, 16.3, 18.17); CPUID leaves that
 * follow the state.  Values that a virtual machine cannot be held to are not printed.
 */
#include "lib/guest.h"

#define ECX_XSAVE   (1u << 26)
#define ECX_OSXSAVE (1u << 27)
#define ECX_PKU     (1u << 3)
#define ECX_OSPKE   (1u << 4)
#define CR4_OSXSAVE 0x40000ul
#define CR4_PKE     0x400000ul

static uint32_t msr_index;
static uint64_t msr_value;

static void do_read(void)
{
    msr_value = rdmsr(msr_index);
}

static void do_write(void)
{
    wrmsr(msr_index, msr_value);
}

static bool guarded(void (*code)(void))
{
    guard_kernel(code);
    return trap.frame.vector == VECTOR_OK;
}

static bool can_read(uint32_t index, uint64_t *ret)
{
    msr_index = index;
    if (!guarded(do_read)) {
        return false;
    }
    *ret = msr_value;
    return true;
}

static bool can_write(uint32_t index, uint64_t value)
{
    msr_index = index;
    msr_value = value;
    return guarded(do_write);
}

static const char *verdict(bool ok)
{
    return ok ? "ok" : trap.frame.vector == 13 && !trap.frame.error ? "#GP" : "other";
}

/* What the KVM of a host without VMX and SVM answers for the real one. */
static bool left_out(const char *name, bool apart)
{
    if (apart && emulated) {
        print("%s: -\n", name);
    }
    return apart && emulated;
}

/* Write, read back, and put the old value back. */
static void round_trip(const char *name, uint32_t index, uint64_t value)
{
    uint64_t old = 0, now = 0;

    if (left_out(name, index == 0x175 || index == 0x176 || index == 0xc0000103)) {
        return;
    }
    if (!can_read(index, &old)) {
        print("%s: read %s\n", name, verdict(false));
        return;
    }
    if (!can_write(index, value)) {
        print("%s: write %x %s\n", name, (Word)value, verdict(false));
        return;
    }
    can_read(index, &now);
    can_write(index, old);
    print("%s: write %x reads %s\n", name, (Word)value, now == value ? "back" : "otherwise");
}

static void refused(const char *name, uint32_t index, uint64_t value)
{
    uint64_t old = 0;
    bool ok;

    if (left_out(name, index == 0x175 || index == 0x176 || index == 0xc0000103 || index == 0x277)) {
        return;
    }
    if (!can_read(index, &old)) {
        print("%s: read %s\n", name, verdict(false));
        return;
    }
    ok = can_write(index, value);
    print("%s: write %x %s\n", name, (Word)value, verdict(ok));
    if (ok) {
        can_write(index, old);
    }
}

static void absent(uint32_t index)
{
    uint64_t value;

    if ((index == 0xc1 || index == 0x186) && emulated) {
        print("%x: -\n", (Word)index);
        return;
    }
    print("%x: read %s", (Word)index, verdict(can_read(index, &value)));
    print(", write %s\n", verdict(can_write(index, 0)));
}

static void read_only(const char *name, uint32_t index)
{
    uint64_t value = 0;
    bool ok = can_read(index, &value);

    print("%s: read %s", name, verdict(ok));
    print(", write %s\n", verdict(can_write(index, value)));
}

static void system_call_msrs(void)
{
    const uint64_t canonical = 0x12345678ul, upper = 0xffff800000001000, hole = 0x0200000000000000;

    round_trip("SYSENTER_CS", 0x174, 0x1234);
    round_trip("SYSENTER_ESP", 0x175, upper);
    refused("SYSENTER_ESP", 0x175, hole);
    round_trip("SYSENTER_EIP", 0x176, canonical);
    refused("SYSENTER_EIP", 0x176, hole);
    round_trip("STAR", 0xc0000081, 0x0123456789abcdef);
    round_trip("LSTAR", 0xc0000082, upper);
    refused("LSTAR", 0xc0000082, hole);
    round_trip("CSTAR", 0xc0000083, canonical);
    refused("CSTAR", 0xc0000083, hole);
    round_trip("FMASK", 0xc0000084, 0xffffffff);
    round_trip("FS_BASE", 0xc0000100, upper);
    refused("FS_BASE", 0xc0000100, hole);
    round_trip("GS_BASE", 0xc0000101, canonical);
    refused("GS_BASE", 0xc0000101, hole);
    round_trip("KERNEL_GS_BASE", 0xc0000102, upper);
    refused("KERNEL_GS_BASE", 0xc0000102, hole);
    round_trip("EFER.SCE", 0xc0000080, rdmsr(0xc0000080) ^ 1);
    refused("EFER, reserved", 0xc0000080, rdmsr(0xc0000080) | 1u << 9);
    refused("EFER, reserved", 0xc0000080, rdmsr(0xc0000080) | 1ull << 40);
}

static void memory_types(void)
{
    round_trip("PAT", 0x277, 0x0007040600070406);
    round_trip("PAT", 0x277, 0x0605040100010407);
    refused("PAT, type 2", 0x277, 0x0007040600070402);
    refused("PAT, type 3", 0x277, 0x0307040600070406);
    refused("PAT, reserved", 0x277, 0x0007040600070486);
    read_only("MTRRCAP", 0xfe);
    round_trip("MTRR_PHYSBASE7", 0x20e, 0x80000006);
    round_trip("MTRR_PHYSMASK7", 0x20f, 0xf80000800);
    refused("MTRR_PHYSBASE7, type 2", 0x20e, 0x80000002);
    refused("MTRR_PHYSBASE7, reserved", 0x20e, 0x80000106);
    refused("MTRR_PHYSMASK7, reserved", 0x20f, 0xf80000400);
    refused("MTRR_PHYSBASE7, beyond MAXPHYADDR", 0x20e, 1ull << 60);
    round_trip("MTRR_FIX64K", 0x250, 0x0601040506000106);
    refused("MTRR_FIX64K, type 7", 0x250, 0x0600000000000007);
    round_trip("MTRR_FIX4K_F8000", 0x26f, 0x0505050505050505);
    round_trip("MTRR_DEF_TYPE", 0x2ff, 0xc00);
    refused("MTRR_DEF_TYPE, type 2", 0x2ff, 0xc02);
    refused("MTRR_DEF_TYPE, reserved", 0x2ff, 0x100);
}

static void time_and_checks(void)
{
    uint64_t tsc, adjust = 0;

    can_write(0x3b, 0);
    tsc = rdmsr(0x10);
    can_write(0x10, tsc + (1ull << 40));
    can_read(0x3b, &adjust);
    print("TSC written ahead: TSC_ADJUST is %s\n",
          adjust > 1ull << 39 && adjust <= 1ull << 40 ? "ahead" : "not");
    can_write(0x3b, 0);
    print("TSC_ADJUST back to 0: TSC is %s\n", rdmsr(0x10) - tsc < 1ull << 39 ? "back" : "not");
    round_trip("TSC_AUX", 0xc0000103, 0x12345678);
    refused("TSC_AUX, upper half", 0xc0000103, 1ull << 32);
    read_only("MCG_CAP", 0x179);
    round_trip("MCG_STATUS", 0x17a, 0);
    round_trip("MC0_CTL", 0x400, 0);
    round_trip("MC0_CTL, all", 0x400, ~0ull);
    refused("MC0_CTL, some", 0x400, 0xaaaaaaaaaaaaaaaa);
    refused("MC0_STATUS", 0x401, 1);
    round_trip("MC0_ADDR", 0x402, ~0ull);
    round_trip("MC0_MISC", 0x403, ~0ull);
    refused("APIC_BASE, reserved", 0x1b, rdmsr(0x1b) | 1u << 9);
    refused("APIC_BASE, EXTD without EN", 0x1b, (rdmsr(0x1b) & ~0x800ull) | 0x400);
}

static void xsave_features(void)
{
    uint32_t r[4], had = 0;

    cpuid(1, 0, r);
    if (!(r[2] & ECX_XSAVE)) {
        return;
    }
    for (unsigned on = 0; on < 2; on++) {
        write_cr4((read_cr4() & ~CR4_OSXSAVE) | (on ? CR4_OSXSAVE : 0));
        cpuid(1, 0, r);
        had |= !!(r[2] & ECX_OSXSAVE) << on;
    }
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    print("OSXSAVE follows CR4: %s\n", had == 2 ? "yes" : "no");
}

static void key_features(void)
{
    uint32_t r[4], had = 0;

    cpuid(7, 0, r);
    if (!(r[2] & ECX_PKU)) {
        return;
    }
    for (unsigned on = 0; on < 2; on++) {
        write_cr4((read_cr4() & ~CR4_PKE) | (on ? CR4_PKE : 0));
        cpuid(7, 0, r);
        had |= !!(r[2] & ECX_OSPKE) << on;
    }
    write_cr4(read_cr4() & ~CR4_PKE);
    print("OSPKE follows CR4: %s\n", had == 2 ? "yes" : "no");
}

static void leaf_0a(void)
{
    uint32_t r[4];

    cpuid(0xa, 0, r);
    print("leaf 0AH: %x, %x\n", (Word)(r[0] & 0xff), (Word)(r[3] & 0xf));
}

void guest_main(void)
{
    static const uint32_t none[] = {0x5, 0xc1, 0x186, 0x345, 0x38f, 0x4000, 0xc0ffee, 0xc0000200};

    system_call_msrs();
    memory_types();
    time_and_checks();
    for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        absent(none[i]);
    }
    xsave_features();
    if (!left_out("OSPKE follows CR4", true)) {
        key_features();
    }
    leaf_0a();
}
