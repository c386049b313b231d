/* SPDX-License-Identifier: MIT
 *
 * Is this host's KVM worth choosing unasked?  A /dev/kvm may interpret guest kernels
 * instruction by instruction, so a loop at CPL 0 in long mode is timed in a scratch VM.
 */
#include "accel/kvm/kvm-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PROBE_MEMORY     0x10000
#define PROBE_CODE       0x4000
#define PROBE_ROUNDS     1000 /* of two instructions */
#define NATIVE_BELOW_NS  50   /* an instruction; emulation takes ten times as long */
#define SCORE_NATIVE     100

/* mov ecx, 1000; 1: dec ecx; jnz 1b; out 80h, al */
static const uint8_t probe_code[] = {0xb9, PROBE_ROUNDS & 0xff, PROBE_ROUNDS >> 8, 0, 0, 0xff,
                                     0xc9, 0x75, 0xfc, 0xe6, 0x80};

typedef struct Probe {
    int fd, vm, vcpu;
    uint8_t *memory;
    struct kvm_run *run;
    int run_size;
} Probe;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static bool probe_memory(Probe *p)
{
    struct kvm_userspace_memory_region region = {.memory_size = PROBE_MEMORY};

    p->memory = mmap(NULL, PROBE_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0);
    if (p->memory == MAP_FAILED) {
        p->memory = NULL;
        return false;
    }
    /* One 2 MiB page at 0 is enough. */
    *(uint64_t *)(p->memory + 0x1000) = 0x2003;
    *(uint64_t *)(p->memory + 0x2000) = 0x3003;
    *(uint64_t *)(p->memory + 0x3000) = 0x83;
    memcpy(p->memory + PROBE_CODE, probe_code, sizeof(probe_code));
    region.userspace_addr = (uintptr_t)p->memory;
    return kvm_ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &region) >= 0;
}

static bool probe_open(Probe *p)
{
    p->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (p->fd < 0 || kvm_ioctl_value(p->fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        return false;
    }
    p->vm = kvm_ioctl_value(p->fd, KVM_CREATE_VM, 0);
    if (p->vm < 0 || kvm_ioctl_value(p->vm, KVM_SET_TSS_ADDR, 0xfffbd000) < 0 ||
        !probe_memory(p)) {
        return false;
    }
    p->vcpu = kvm_ioctl_value(p->vm, KVM_CREATE_VCPU, 0);
    p->run_size = kvm_ioctl_value(p->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (p->vcpu < 0 || p->run_size <= 0) {
        return false;
    }
    p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->vcpu, 0);
    return p->run != MAP_FAILED;
}

static void probe_close(Probe *p)
{
    const int fds[] = {p->vcpu, p->vm, p->fd};

    if (p->run && p->run != MAP_FAILED) {
        munmap(p->run, p->run_size);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    if (p->memory) {
        munmap(p->memory, PROBE_MEMORY);
    }
}

/* EFER.LME needs its feature. */
static bool probe_set_cpuid(Probe *p)
{
    size_t size = sizeof(struct kvm_cpuid2) + 256 * sizeof(struct kvm_cpuid_entry2);
    g_autofree struct kvm_cpuid2 *c = g_malloc0(size);

    c->nent = 256;
    return kvm_ioctl(p->fd, KVM_GET_SUPPORTED_CPUID, c) >= 0 &&
           kvm_ioctl(p->vcpu, KVM_SET_CPUID2, c) >= 0;
}

static bool probe_set_registers(Probe *p)
{
    struct kvm_segment code = {.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1,
                               .l = 1, .g = 1};
    struct kvm_segment data = {.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1,
                               .db = 1, .g = 1};
    struct kvm_regs regs = {.rip = PROBE_CODE, .rsp = PROBE_MEMORY, .rflags = 2};
    struct kvm_sregs sregs;

    if (kvm_ioctl(p->vcpu, KVM_GET_SREGS, &sregs) < 0) {
        return false;
    }
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.cr3 = 0x1000;
    sregs.cr4 = CR4_PAE;
    sregs.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
    sregs.efer = MSR_EFER_LME | MSR_EFER_LMA;
    return kvm_ioctl(p->vcpu, KVM_SET_SREGS, &sregs) >= 0 &&
           kvm_ioctl(p->vcpu, KVM_SET_REGS, &regs) >= 0;
}

/* The better of two runs, in ns; -1: it does not run. */
static int64_t probe_time(Probe *p)
{
    int64_t best = -1;

    if (!probe_set_cpuid(p)) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (!probe_set_registers(p)) {
            return -1;
        }
        int64_t start = now_ns();
        if (kvm_ioctl_value(p->vcpu, KVM_RUN, 0) < 0 || p->run->exit_reason != KVM_EXIT_IO) {
            return -1;
        }
        int64_t took = now_ns() - start;
        best = best < 0 ? took : MIN(best, took);
    }
    return best;
}

int kvm_probe(char **ret_why)
{
    Probe p = {.fd = -1, .vm = -1, .vcpu = -1};
    int64_t ns = -1;

    if (probe_open(&p)) {
        ns = probe_time(&p);
    } else {
        *ret_why = g_strdup_printf("/dev/kvm: %s", g_strerror(errno));
    }
    probe_close(&p);
    if (ns < 0) {
        *ret_why = *ret_why ? *ret_why : g_strdup("it does not run a loop at CPL 0");
        return 0;
    }
    double each = (double)ns / (2 * PROBE_ROUNDS);
    *ret_why = g_strdup_printf("%.1f ns an instruction at CPL 0: guest kernels are %s", each,
                               each < NATIVE_BELOW_NS ? "run on the CPU" : "emulated");
    return each < NATIVE_BELOW_NS ? SCORE_NATIVE : 0;
}
