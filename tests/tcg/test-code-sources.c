/* SPDX-License-Identifier: MIT
 *
 * Code that is not in RAM, or not for long: in a device's registers, in flash
 * that changes between memory and registers, on the border of both, in memory that is
 * mapped elsewhere while it runs.
 */
#include <glib.h>
#include <string.h>
#include "accel/tcg/bare.h"
#include "target/i386/mmu.h"

#define CODE   0x10000u
#define STACK  0x80000u
#define DEVICE 0x400000u
#define SWITCH 0x500000u /* one register: writes change the map */

#define SNIPPET(name, text)                                                                        \
    extern const uint8_t name[], name##_end[];                                                     \
    __asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection\n")
#define PUT(to, name) memcpy((to), name, (size_t)(name##_end - name))

typedef struct Fixture {
    TcgBare *bare;
    CPUX86State *env;
    uint8_t *ram;
    MemoryRegion device, toggle, bank;
    uint8_t registers[0x2000]; /* of the device: what is read is fetched */
    unsigned reads;
    bool have_bank;
} Fixture;

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    Fixture *f = opaque;
    uint64_t value = 0;

    f->reads++;
    memcpy(&value, f->registers + addr, size);
    return value;
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Fixture *f = opaque;

    if (f->device.rom_device) {
        memory_region_rom_device_set_romd(&f->device, data == 0xff);
    } else {
        memcpy(f->registers + addr, &data, size);
    }
}

static const MemoryRegionOps device_ops = {
    .read = device_read, .write = device_write, .lock = MR_LOCK_NONE};

static void toggle_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    memory_region_set_enabled(&((Fixture *)opaque)->bank, data & 1);
}

static const MemoryRegionOps toggle_ops = {
    .read = device_read, .write = toggle_write, .lock = MR_LOCK_NONE};

static void set_up(Fixture *f, gconstpointer unused)
{
    f->bare = tcg_bare_new(16u << 20);
    f->env = tcg_bare_env(f->bare);
    f->ram = tcg_bare_ram(f->bare);
    tcg_bare_long_mode(f->bare, 0, 4096);
    f->env->regs[R_ESP] = STACK;
    memory_region_init_io(&f->toggle, NULL, &toggle_ops, f, "toggle", 0x1000);
    memory_region_add_subregion_overlap(tcg_bare_root(f->bare), SWITCH, &f->toggle, 1);
}

static void set_up_device(Fixture *f, gconstpointer unused)
{
    set_up(f, unused);
    memory_region_init_io(&f->device, NULL, &device_ops, f, "device", sizeof(f->registers));
    memory_region_add_subregion_overlap(tcg_bare_root(f->bare), DEVICE, &f->device, 1);
}

static void set_up_flash(Fixture *f, gconstpointer unused)
{
    set_up(f, unused);
    memory_region_init_rom_device(&f->device, NULL, &device_ops, f, "flash", sizeof(f->registers),
                                  NULL);
    memory_region_add_subregion_overlap(tcg_bare_root(f->bare), DEVICE, &f->device, 1);
}

static void set_up_bank(Fixture *f, gconstpointer unused)
{
    set_up_device(f, unused);
    memory_region_init_ram(&f->bank, NULL, "bank", 0x1000, NULL);
    memory_region_add_subregion_overlap(tcg_bare_root(f->bare), CODE, &f->bank, 1);
    memory_region_set_enabled(&f->bank, false);
    f->have_bank = true;
}

static void remove_region(Fixture *f, MemoryRegion *mr)
{
    memory_region_del_subregion(tcg_bare_root(f->bare), mr);
    memory_region_finish(mr);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    if (f->have_bank) {
        remove_region(f, &f->bank);
    }
    if (f->device.container) {
        remove_region(f, &f->device);
    }
    remove_region(f, &f->toggle);
    tcg_bare_free(f->bare);
}

static int run_at(Fixture *f, uint64_t at)
{
    f->env->rip = at;
    return tcg_bare_run(f->bare);
}

/* Changes its own next instruction: what is fetched is what the device has by then. */
SNIPPET(device_code, "mov $5, %ecx\n xor %ebx, %ebx\n 1: incb 2f+1(%rip)\n 2: mov $0x10, %al\n"
                     "movzbl %al, %eax\n add %eax, %ebx\n cvtsi2sd %ebx, %xmm0\n loop 1b\n"
                     "cvttsd2si %xmm0, %edx\n ud2");

static void test_device(Fixture *f, gconstpointer unused)
{
    PUT(f->registers, device_code);
    g_assert_cmpint(run_at(f, DEVICE), ==, EXCP_UD);
    g_assert_cmpuint(f->env->regs[R_EBX], ==, 0x11 + 0x12 + 0x13 + 0x14 + 0x15);
    g_assert_cmpuint(f->env->regs[R_EDX], ==, 0x11 + 0x12 + 0x13 + 0x14 + 0x15);
    g_assert_cmphex(f->env->rip, ==, DEVICE + (uint64_t)(device_code_end - device_code) - 2);
    g_assert_cmpuint(f->reads, >, 5 * (device_code_end - device_code) / 2);
}

/* Calls into the device from RAM that is chained and cached, and returns. */
SNIPPET(called_code, "inc %ebx\n testb $1, %bl\n jz 1f\n add $0x10000, %ebx\n 1: ret");

static void test_call_device(Fixture *f, gconstpointer unused)
{
    static const uint8_t call_in[] = {0xb9, 100, 0, 0, 0, 0xff, 0x14, 0x25, 0, 0, 2, 0,
                                      0xff, 0xc9, 0x75, 0xf5, 0x0f, 0x0b};
    uint64_t target = DEVICE;

    memcpy(f->ram + 0x20000, &target, 8);
    memcpy(f->ram + CODE, call_in, sizeof(call_in)); /* call [0x20000] in the loop */
    PUT(f->registers, called_code);
    f->env->regs[R_EBX] = 0;
    g_assert_cmpint(run_at(f, CODE), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 50 * 0x10000 + 100);
}

/* Nothing answers above the device: ones, which are undefined. */
static void test_device_fault(Fixture *f, gconstpointer unused)
{
    memset(f->registers, 0xff, sizeof(f->registers));
    g_assert_cmpint(run_at(f, DEVICE), ==, EXCP_UD);
    memset(f->registers, 0x66, sizeof(f->registers)); /* longer than 15 bytes */
    g_assert_cmpint(run_at(f, DEVICE), ==, EXCP_GP);
    tcg_bare_set_page(f->bare, DEVICE, 0);
    g_assert_cmpint(run_at(f, DEVICE), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, DEVICE);
}

/* An instruction whose tail the device gives. */
static void test_border(Fixture *f, gconstpointer unused)
{
    static const uint8_t code[] = {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0x0b};

    for (unsigned n = 1; n < 10; n++) {
        uint64_t at = DEVICE - n;

        for (unsigned round = 0; round < 3; round++) {
            memcpy(f->ram + at, code, n);
            tcg_bare_written(f->bare, at, n);
            memcpy(f->registers, code + n, sizeof(code) - n);
            f->registers[9 - n] = (uint8_t)(8 + round);
            g_assert_cmpint(run_at(f, at), ==, EXCP_UD);
            g_assert_cmphex(f->env->regs[R_EAX], ==,
                            0x0007060504030201 | (uint64_t)(8 + round) << 56);
        }
    }
}

SNIPPET(flash_code, "mov $3, %ecx\n xor %ebx, %ebx\n 1: inc %ebx\n loop 1b\n"
                    "movb $0x90, 0x400000\n mov $1, %al\n ud2");
SNIPPET(status_code, "mov $2, %al\n movb $0xff, 0x400000\n mov $1, %ah\n ud2");

static void test_flash(Fixture *f, gconstpointer unused)
{
    uint64_t after = (uint64_t)(flash_code_end - flash_code) - 4;
    uint8_t *memory = memory_region_get_ram_ptr(&f->device);

    PUT(memory, flash_code);
    /* Once the command is written, instructions come from the registers; until it is read mode. */
    PUT(f->registers + after, status_code);
    memcpy(memory + after + 10, (uint8_t[]){0xb4, 9, 0x0f, 0x0b}, 4); /* mov $9, %ah */
    f->env->regs[R_EAX] = 0;
    for (int i = 0; i < 3; i++) {
        f->reads = 0;
        g_assert_cmpint(run_at(f, DEVICE), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX], ==, 0x0902);
        g_assert_cmphex(f->env->regs[R_EBX], ==, 3);
        g_assert_cmpuint(f->reads, >=, 10); /* of what came from the registers, and only of that */
        g_assert_cmpuint(f->reads, <=, 12);
    }
}

/* The page that runs is mapped away by one of its own instructions. */
SNIPPET(bank_code, "1: mov $1, %al\n mov %edx, 0x500000\n mov $1, %bl\n ud2");
SNIPPET(bank_other, "1: mov $2, %al\n mov %edx, 0x500000\n mov $2, %bl\n ud2");

static void test_bank(Fixture *f, gconstpointer unused)
{
    PUT(f->ram + CODE, bank_code);
    PUT((uint8_t *)memory_region_get_ram_ptr(&f->bank), bank_other);
    for (int i = 0; i < 4; i++) {
        f->env->regs[R_EDX] = 1;
        g_assert_cmpint(run_at(f, CODE), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX] & 0xff, ==, 1);
        g_assert_cmphex(f->env->regs[R_EBX] & 0xff, ==, 2);
        f->env->regs[R_EDX] = 0;
        g_assert_cmpint(run_at(f, CODE), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX] & 0xff, ==, 2);
        g_assert_cmphex(f->env->regs[R_EBX] & 0xff, ==, 1);
    }
}

/* Registers that were accessed before are where they are, not where they were. */
SNIPPET(moving_code, "mov 0x400010, %eax\n mov %edx, 0x500000\n mov 0x400010, %ebx\n"
                     "movl $7, 0x400020\n movl $0, 0x500000\n mov 0x400010, %ecx\n"
                     "addl $5, 0x400020\n mov 0x400020, %esi\n ud2");

static void test_moving_device(Fixture *f, gconstpointer unused)
{
    uint32_t at_device = 0x11111111, in_bank = 0x22222222;
    uint8_t *bank = memory_region_get_ram_ptr(&f->bank);

    memory_region_del_subregion(tcg_bare_root(f->bare), &f->bank);
    memory_region_add_subregion_overlap(tcg_bare_root(f->bare), DEVICE, &f->bank, 2);
    PUT(f->ram + CODE, moving_code);
    memcpy(f->registers + 0x10, &at_device, 4);
    memcpy(bank + 0x10, &in_bank, 4);
    for (int i = 0; i < 3; i++) {
        memset(bank + 0x20, 0, 4);
        memset(f->registers + 0x20, 0, 4);
        f->env->regs[R_EDX] = 1;
        g_assert_cmpint(run_at(f, CODE), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX], ==, at_device);
        g_assert_cmphex(f->env->regs[R_EBX], ==, in_bank);
        g_assert_cmphex(f->env->regs[R_ECX], ==, at_device);
        g_assert_cmphex(f->env->regs[R_ESI], ==, 5);
        g_assert_cmphex(bank[0x20], ==, 7);
    }
    tcg_bare_set_page(f->bare, DEVICE, 5);
    g_assert_cmpint(run_at(f, CODE), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, DEVICE + 0x20);
    memory_region_set_enabled(&f->bank, false);
    tcg_bare_set_page(f->bare, DEVICE, 0);
    g_assert_cmpint(run_at(f, CODE), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, DEVICE + 0x10);
}

/* Real mode: the segment ends at ffff, in the middle of a block or of an instruction. */
static void test_limit(Fixture *f, gconstpointer unused)
{
    x86_cpu_reset_state(f->env, false);
    f->env->segs[R_CS].base = 0;
    f->env->segs[R_CS].selector = 0;
    x86_update_hflags(f->env);
    x86_tlb_flush(f->env, false);
    memset(f->ram + 0xfff0, 0x41, 32); /* inc cx */
    f->env->regs[R_ECX] = 0;
    g_assert_cmpint(run_at(f, 0xfff8), ==, EXCP_GP);
    g_assert_cmphex(f->env->rip, ==, 0x10000);
    g_assert_cmphex(f->env->regs[R_ECX], ==, 8);
    f->ram[0xffff] = 0xb8; /* mov ax, imm16 */
    tcg_bare_written(f->bare, 0xffff, 1);
    g_assert_cmpint(run_at(f, 0xfff8), ==, EXCP_GP);
    g_assert_cmphex(f->env->rip, ==, 0xffff);
    g_assert_cmphex(f->env->regs[R_ECX], ==, 15);
}

#define ADD(name, init, func)                                                                      \
    g_test_add("/tcg/code-sources/" name, Fixture, NULL, init, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("device", set_up_device, test_device);
    ADD("call-device", set_up_device, test_call_device);
    ADD("device-fault", set_up_device, test_device_fault);
    ADD("border", set_up_device, test_border);
    ADD("flash", set_up_flash, test_flash);
    ADD("bank", set_up_bank, test_bank);
    ADD("moving-device", set_up_bank, test_moving_device);
    ADD("limit", set_up, test_limit);
    return g_test_run();
}
