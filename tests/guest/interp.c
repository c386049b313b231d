/* SPDX-License-Identifier: MIT
 *
 * guest-interp IMAGE [EXPECTED]: run a multiboot guest on the C interpreter alone
 * (decoder and x86_exec_insn(), no translator), with nothing but RAM, a serial port,
 * a debug console and an exit port.  What the guest prints goes to stdout; with a file to
 * compare it to, the exit status says whether it is the same.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "accel/tcg/decode.h"
#include "hw/core/machine.h"
#include "system/log.h"
#include "hw/core/memory-map.h"
#include "target/i386/apic.h"
#include "target/i386/exception.h"
#include "target/i386/mmu.h"
#include "target/i386/sysinsn.h"

#define RAM_SIZE (64u << 20)
#define INFO     0x9000
#define CMDLINE  0x9800

static GString *printed;
static const char *expected_path;
static MemoryRegion ram, serial, pic_mask, debugcon, debug_exit;

static uint64_t serial_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 5 ? 0x60 : 0;
}

static uint8_t scratch;

static uint64_t scratch_read(void *opaque, hwaddr addr, unsigned size)
{
    return scratch;
}

static void scratch_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    scratch = (uint8_t)data;
}

static void serial_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    if (addr == 0) {
        g_string_append_c(printed, (char)data);
    }
}

static uint64_t read_ones(void *opaque, hwaddr addr, unsigned size)
{
    return ~0ull;
}

static void write_nothing(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
}

static G_NORETURN void finish(int status)
{
    g_autofree char *expected = NULL;

    fputs(printed->str, stdout);
    if (expected_path && (!g_file_get_contents(expected_path, &expected, NULL, NULL) ||
                          strcmp(expected, printed->str) != 0)) {
        printf("--- not as in %s\n", expected_path);
        status = 1;
    }
    exit(status);
}

static void exit_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    finish(data ? 1 : 0);
}

static const MemoryRegionOps serial_ops = {.read = serial_read, .write = serial_write};
static const MemoryRegionOps scratch_ops = {.read = scratch_read, .write = scratch_write};
static const MemoryRegionOps debugcon_ops = {.read = read_ones, .write = write_nothing};
static const MemoryRegionOps exit_ops = {.read = read_ones, .write = exit_write};

static void add_ports(MachineState *m, MemoryRegion *mr, const MemoryRegionOps *ops,
                      const char *name, hwaddr port, uint64_t size)
{
    memory_region_init_io(mr, OBJECT(m), ops, NULL, name, size);
    memory_region_add_subregion(m->system_io, port, mr);
}

static MachineState *make_machine(void)
{
    GError *error = NULL;
    MachineState *m = machine_new(machine_find_class("none", &error), &error);

    g_assert_no_error(error);
    cpu_exec_init_all(m);
    memory_region_init_ram(&ram, OBJECT(m), "ram", RAM_SIZE, &error);
    memory_region_add_subregion(m->system_memory, 0, &ram);
    add_ports(m, &serial, &serial_ops, "serial", 0x3f8, 8);
    add_ports(m, &pic_mask, &scratch_ops, "pic", 0x21, 1);
    add_ports(m, &debugcon, &debugcon_ops, "debugcon", 0x402, 1);
    add_ports(m, &debug_exit, &exit_ops, "exit", 0xf4, 4);
    g_assert_no_error(error);
    return m;
}

static CPUState *make_cpu(MachineState *m)
{
    GError *error = NULL;
    Object *cpu = object_new("max-x86_64-cpu", &error);

    g_assert_no_error(error);
    object_add_child(OBJECT(m), "cpu", cpu, &error);
    qdev_realize(DEVICE(cpu), NULL, &error);
    g_assert_no_error(error);
    return CPU(cpu);
}

static uint32_t load_image(const char *path)
{
    g_autofree char *data = NULL;
    gsize size;
    const Elf32_Ehdr *e;
    const Elf32_Phdr *p;

    if (!g_file_get_contents(path, &data, &size, NULL)) {
        g_error("cannot read %s", path);
    }
    e = (const Elf32_Ehdr *)data;
    p = (const Elf32_Phdr *)(data + e->e_phoff);
    for (int i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD) {
            memcpy((char *)memory_region_get_ram_ptr(&ram) + p[i].p_paddr, data + p[i].p_offset,
                   p[i].p_filesz);
        }
    }
    return e->e_entry;
}

static void set_segment(SegmentCache *s, uint16_t selector, uint32_t type)
{
    *s = (SegmentCache){
        .selector = selector,
        .flags = DESC_P_MASK | DESC_S_MASK | DESC_G_MASK | DESC_B_MASK | type << DESC_TYPE_SHIFT,
        .limit = 0xffffffff,
    };
}

static void start_multiboot(CPUX86State *env, uint32_t entry, const char *cmdline)
{
    uint8_t *host = memory_region_get_ram_ptr(&ram);
    uint32_t info[5] = {4, 0, 0, 0, CMDLINE};

    memcpy(host + INFO, info, sizeof(info));
    strcpy((char *)host + CMDLINE, cmdline);
    for (int i = 0; i < R_SEG_COUNT; i++) {
        set_segment(&env->segs[i], i == R_CS ? 8 : 16, i == R_CS ? 11 : 3);
    }
    env->cr0 = CR0_PE | CR0_ET;
    env->rip = entry;
    env->regs[R_EAX] = 0x2badb002;
    env->regs[R_EBX] = INFO;
    x86_update_hflags(env);
}

/* No x87 here, but what keeps a guest from it (SDM vol. 3, 2.5, table 2-2). */
static bool skip_x87(CPUX86State *env, const X86Insn *insn)
{
    bool wait = insn->map == X86_MAP_1B && insn->opcode == 0x9b;
    uint64_t needs = wait ? CR0_TS | CR0_MP : 0;

    if (insn->class_ != X86_CLASS_X87) {
        return false;
    }
    if (wait ? (env->cr0 & needs) == needs : (env->cr0 & (CR0_TS | CR0_EM)) != 0) {
        x86_raise_exception(env, EXCP_NM);
    }
    env->rip += insn->length;
    return true;
}

static void step(CPUX86State *env)
{
    X86Insn insn;
    uint32_t hits = x86_match_breakpoints(env, env->segs[R_CS].base + env->rip, 1, X86_BP_EXEC);

    if (hits && !(env->rflags & RF_MASK)) {
        x86_raise_debug(env, hits);
    }
    x86_fetch_insn(env, &insn);
    if (log_enabled(LOG_EXEC)) {
        log_printf("%04x:%08llx %02x %02x %02x %02x\n", env->segs[R_CS].selector,
                   (unsigned long long)env->rip, insn.bytes[0], insn.bytes[1], insn.bytes[2],
                   insn.bytes[3]);
    }
    if (skip_x87(env, &insn)) {
        return;
    }
    if (insn.class_ == X86_CLASS_UD || !x86_insn_in_c(&insn)) {
        x86_raise_exception(env, EXCP_UD);
    }
    x86_exec_insn(env, &insn);
}

static void run(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);

    sigsetjmp(cs->jmp_env, 0);
    while (!atomic_load(&cs->halted)) {
        if (env->exception_index >= 0) {
            x86_deliver_exception(env);
        }
        step(env);
    }
}

int main(int argc, char **argv)
{
    MachineState *m;
    CPUState *cs;

    if (argc < 2) {
        return 77;
    }
    if (getenv("INTERP_LOG")) {
        log_set_items(getenv("INTERP_LOG"), NULL);
    }
    printed = g_string_new(NULL);
    expected_path = argc > 2 ? argv[2] : NULL;
    vmm_thread_register();
    m = make_machine();
    cs = make_cpu(m);
    current_cpu = cs;
    start_multiboot(cpu_env(cs), load_image(argv[1]), "loops=1");
    run(cs);
    g_string_append(printed, "halted\n");
    finish(1);
}
