/* SPDX-License-Identifier: MIT
 *
 * The translator on a bare vCPU: small pieces of code, written here in
 * assembly and copied into the guest, and what they must leave behind.
 */
#include <glib.h>
#include <string.h>
#include "accel/tcg/bare.h"
#include "target/i386/mmu.h"

#define CODE  0x10000u
#define DATA  0x20000u
#define STACK 0x80000u

#define SNIPPET(name, text)                                                                        \
    extern const uint8_t name[], name##_end[];                                                     \
    __asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection\n")

typedef struct Fixture {
    TcgBare *bare;
    CPUX86State *env;
    uint8_t *ram;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->bare = tcg_bare_new(16u << 20);
    f->env = tcg_bare_env(f->bare);
    f->ram = tcg_bare_ram(f->bare);
    tcg_bare_long_mode(f->bare, 0, 4096);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    tcg_bare_free(f->bare);
}

static int run_at(Fixture *f, uint64_t at, const uint8_t *code, const uint8_t *end)
{
    memcpy(f->ram + at, code, (size_t)(end - code));
    tcg_bare_written(f->bare, at, (size_t)(end - code));
    f->env->rip = at;
    f->env->regs[R_ESP] = STACK;
    return tcg_bare_run(f->bare);
}

#define RUN(f, name) run_at((f), CODE, name, name##_end)

static uint64_t data_q(Fixture *f, uint64_t at)
{
    uint64_t value;

    memcpy(&value, f->ram + at, 8);
    return value;
}

static void set_q(Fixture *f, uint64_t at, uint64_t value)
{
    memcpy(f->ram + at, &value, 8);
}

SNIPPET(loop_code, "xor %eax, %eax\n mov $1000, %ecx\n 1: add %ecx, %eax\n push %rax\n pop %rbx\n"
                   "dec %ecx\n jnz 1b\n ud2");

static void test_loop(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, loop_code), ==, EXCP_UD);
    g_assert_cmpuint(f->env->regs[R_EAX], ==, 500500);
    g_assert_cmpuint(f->env->regs[R_EBX], ==, 500500);
    g_assert_cmphex(f->env->regs[R_ESP], ==, STACK);
    g_assert_cmphex(f->env->rip, ==, CODE + (uint64_t)(loop_code_end - loop_code) - 2);
    g_assert_cmphex(f->env->rflags & CC_MASK, ==, CC_Z | CC_P);
}

SNIPPET(scratch_code,
        "mov $0x20000, %r10\n mov $0x1122334455667788, %r11\n mov %r11, (%r10)\n"
        "mov (%r10), %r10\n add %r10b, %r11b\n xchg %r10, %r11\n mov $2, %r8d\n"
        "mov $0x20000, %r9\n mov $3, %edx\n mulx (%r9), %r10, %r11\n mov %r10, 8(%r9)\n"
        "mov $0x20010, %r10d\n movq $77, (%r10)\n andn (%r10), %r11, %r11\n"
        "lea 5(%r10,%r8,8), %r11d\n push %r11\n pop %r10\n mov %r10w, 0x20(%r9)\n ud2");

static void test_scratch(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, scratch_code), ==, EXCP_UD);
    g_assert_cmphex(data_q(f, DATA), ==, 0x1122334455667788);
    g_assert_cmphex(data_q(f, DATA + 8), ==, 0x1122334455667788ull * 3);
    g_assert_cmphex(f->env->regs[R_R10], ==, 0x20025);
    g_assert_cmphex(f->env->regs[R_R11], ==, 0x20025);
    g_assert_cmphex(data_q(f, DATA + 0x20) & 0xffff, ==, 0x25);
}

SNIPPET(high_code, "mov $0x20000, %rsi\n mov $0x1234, %eax\n mov %ah, (%rsi)\n mov $0x5600, %ebx\n"
                   "add (%rsi), %bh\n mov %bh, 1(%rsi)\n xchg %ah, 1(%rsi)\n cmpxchg %bh, (%rsi)\n ud2");

static void test_high_bytes(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, high_code), ==, EXCP_UD);
    g_assert_cmphex(f->ram[DATA], ==, 0x12);
    g_assert_cmphex(f->ram[DATA + 1], ==, 0x12);
    g_assert_cmphex(f->env->regs[R_EAX], ==, 0x6812);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 0x6800);
}

SNIPPET(cross_code,
        "mov $0x20ffc, %rsi\n movq $0x55, (%rsi)\n addq $0x11, (%rsi)\n lock addq $0x11, (%rsi)\n"
        "mov (%rsi), %rax\n lock xadd %rax, (%rsi)\n mov %rsi, %rsp\n add $0x1008, %rsp\n push %rax\n"
        "pop %rbx\n movdqu (%rsi), %xmm1\n movdqu %xmm1, 0xff7(%rsi)\n ud2");

static void test_crossing(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, cross_code), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_EAX], ==, 0x77);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 0x77);
    g_assert_cmphex(data_q(f, 0x20ffc), ==, 0xee);
    g_assert_cmphex(data_q(f, 0x20ffc + 0xff7), ==, 0xee);
}

SNIPPET(cross_fault_code, "mov $0x20ffc, %rsi\n mov $-1, %rax\n xor %ecx, %ecx\n mov %rax, (%rsi)\n ud2");

static void test_crossing_fault(Fixture *f, gconstpointer unused)
{
    tcg_bare_set_page(f->bare, 0x21000, 5); /* read only */
    set_q(f, 0x20ff8, 0);
    g_assert_cmpint(RUN(f, cross_fault_code), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, 0x21000);
    g_assert_cmphex(f->env->error_code, ==, PG_ERROR_P | PG_ERROR_W);
    g_assert_cmphex(data_q(f, 0x20ff8), ==, 0);
    g_assert_cmphex(f->env->rflags & CC_MASK, ==, CC_Z | CC_P);
    g_assert_cmphex(f->env->rip, ==, CODE + (uint64_t)(cross_fault_code_end - cross_fault_code) - 5);
}

SNIPPET(push_fault_code, "mov $0x21000, %rsp\n push %rbp\n mov $0x22008, %rsp\n push %rax\n push %rax\n ud2");

static void test_push_fault(Fixture *f, gconstpointer unused)
{
    tcg_bare_set_page(f->bare, 0x21000, 0);
    g_assert_cmpint(RUN(f, push_fault_code), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, 0x21ff8);
    g_assert_cmphex(f->env->error_code, ==, PG_ERROR_W);
    g_assert_cmphex(f->env->regs[R_ESP], ==, 0x22000);
}

SNIPPET(divide_code, "mov $7, %eax\n xor %edx, %edx\n xor %ecx, %ecx\n cmp $8, %eax\n div %ecx\n ud2");
SNIPPET(align_code, "mov $0x20008, %rsi\n cmp $1, %esi\n movaps (%rsi), %xmm0\n ud2");
SNIPPET(simd_code, "movl $0x1d80, -4(%rsp)\n ldmxcsr -4(%rsp)\n mov $1, %eax\n cvtsi2sd %eax, %xmm1\n"
                   "xorpd %xmm2, %xmm2\n divsd %xmm2, %xmm1\n ud2");

static void test_host_traps(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, divide_code), ==, EXCP_DE);
    g_assert_cmphex(f->env->rip, ==, CODE + (uint64_t)(divide_code_end - divide_code) - 4);
    g_assert_cmphex(f->env->rflags & CC_MASK, ==, CC_C | CC_S | CC_P | CC_A);
    g_assert_cmphex(f->env->regs[R_EAX], ==, 7);
    g_assert_cmpint(RUN(f, align_code), ==, EXCP_GP);
    g_assert_cmphex(f->env->error_code, ==, 0);
    g_assert_cmpint(RUN(f, simd_code), ==, EXCP_XM);
    g_assert_cmphex(f->env->rip, ==, CODE + (uint64_t)(simd_code_end - simd_code) - 6);
}

SNIPPET(smc_next_code, "lea 1f(%rip), %rsi\n movb $0x41, 1(%rsi)\n 1: mov $0x40, %al\n ud2");
SNIPPET(smc_loop_code, "xor %ecx, %ecx\n lea 2f(%rip), %rsi\n 1: inc %ecx\n mov %cl, 1(%rsi)\n"
                       "call 2f\n add %eax, %ebx\n cmp $200, %ecx\n jb 1b\n ud2\n .balign 64\n"
                       "2: mov $0, %eax\n ret");

/* The instruction that stores is not done when it has stored. */
SNIPPET(smc_push_code, "lea 1f+8(%rip), %rsp\n mov $0x9090909005eb9090, %rax\n push %rax\n 1: nop\n nop\n"
                       "mov $1, %bl\n ud2\n nop\n nop\n nop\n nop\n mov $2, %bl\n ud2");
SNIPPET(smc_movs_code, "lea 2f(%rip), %rsi\n lea 1f+1(%rip), %rdi\n movsb\n 1: mov $1, %bl\n ud2\n"
                       "2: .byte 7");

static void test_self_modifying_tail(Fixture *f, gconstpointer unused)
{
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(RUN(f, smc_push_code), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EBX] & 0xff, ==, 2);
        g_assert_cmpint(RUN(f, smc_movs_code), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EBX] & 0xff, ==, 7);
        g_assert_cmphex(f->env->regs[R_EDI], ==, CODE + 17);
    }
}

SNIPPET(movs_code, "mov $0x20000, %rsi\n mov $0x21ffe, %rdi\n mov $100, %ecx\n cmp $101, %ecx\n"
                   "1: movsb\n movsw\n movsl\n movsq\n loop 1b\n setc %bl\n lodsq\n stosl\n lodsb\n"
                   "stosb\n std\n lodsw\n stosw\n cld\n ud2");

static void test_single_strings(Fixture *f, gconstpointer unused)
{
    for (unsigned i = 0; i < 2000; i++) {
        f->ram[DATA + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    g_assert_cmpint(RUN(f, movs_code), ==, EXCP_UD);
    g_assert_cmpmem(f->ram + 0x21ffe, 1500, f->ram + DATA, 1500);
    g_assert_cmphex(f->env->regs[R_EBX] & 0xff, ==, 1);
    g_assert_cmphex(f->env->regs[R_ESI], ==, DATA + 1500 + 8 + 1 - 2);
    g_assert_cmphex(f->env->regs[R_EDI], ==, 0x21ffe + 1500 + 4 + 1 - 2);
    g_assert_cmpmem(f->ram + 0x21ffe + 1500, 4, f->ram + DATA + 1500, 4);
    g_assert_cmphex(f->ram[0x21ffe + 1504], ==, f->ram[DATA + 1508]);
    tcg_bare_set_page(f->bare, 0x22000, 5);
    g_assert_cmpint(RUN(f, movs_code), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, 0x22000);
    g_assert_cmphex(f->env->regs[R_EDI], ==, 0x21fff);
    g_assert_cmphex(f->env->regs[R_ESI], ==, 0x20001);
    g_assert_cmphex(f->env->rflags & CC_C, ==, CC_C);
}

static void test_self_modifying(Fixture *f, gconstpointer unused)
{
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(RUN(f, smc_next_code), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX] & 0xff, ==, 0x41);
    }
    f->env->regs[R_EBX] = 0;
    g_assert_cmpint(RUN(f, smc_loop_code), ==, EXCP_UD);
    g_assert_cmpuint(f->env->regs[R_EBX], ==, 200 * 201 / 2);
}

SNIPPET(string_code, "mov $0x20001, %rsi\n mov $0x24003, %rdi\n mov $10000, %ecx\n cld\n rep movsb\n"
                     "mov $0x30000, %rdi\n mov $1025, %ecx\n mov $-1, %rax\n rep stosq\n ud2");

static void test_strings(Fixture *f, gconstpointer unused)
{
    for (unsigned i = 0; i < 12000; i++) {
        f->ram[DATA + i] = (uint8_t)(i * 7);
    }
    g_assert_cmpint(RUN(f, string_code), ==, EXCP_UD);
    g_assert_cmpmem(f->ram + 0x24003, 10000, f->ram + 0x20001, 10000);
    g_assert_cmphex(f->env->regs[R_EDI], ==, 0x30000 + 1025 * 8);
    g_assert_cmphex(data_q(f, 0x30000 + 1024 * 8), ==, UINT64_MAX);
    g_assert_cmphex(data_q(f, 0x30000 + 1025 * 8), ==, 0);

    tcg_bare_set_page(f->bare, 0x26000, 5);
    g_assert_cmpint(RUN(f, string_code), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, 0x26000);
    g_assert_cmphex(f->env->regs[R_ECX], ==, 10000 - (0x26000 - 0x24003));
    g_assert_cmphex(f->env->regs[R_EDI], ==, 0x26000);
}

SNIPPET(backward_code, "mov $0x21ff8, %rsi\n mov $0x22ffc, %rdi\n mov $600, %ecx\n std\n rep movsq\n"
                       "cld\n pushf\n pop %rax\n ud2");

static void test_strings_backward(Fixture *f, gconstpointer unused)
{
    uint8_t before[4800];

    for (unsigned i = 0; i < 0x4000; i++) {
        f->ram[DATA + i] = (uint8_t)(i * 11 + (i >> 8));
    }
    memcpy(before, f->ram + 0x21ff8 - 599 * 8, sizeof(before));
    g_assert_cmpint(RUN(f, backward_code), ==, EXCP_UD);
    g_assert_cmpmem(f->ram + 0x22ffc - 599 * 8, 4800, before, 4800);
    g_assert_cmphex(f->env->regs[R_ECX], ==, 0);
    g_assert_cmphex(f->env->regs[R_ESI], ==, 0x21ff8 - 600 * 8);
    g_assert_cmphex(f->env->regs[R_EAX] & DF_MASK, ==, 0);
}

/* What follows sti is neither skipped nor cut. */
SNIPPET(sti_code, "xor %ebx, %ebx\n sti\n call 1f\n cli\n inc %ebx\n pushf\n pop %rax\n sti\n inc %ebx\n"
                  "ud2\n 1: add $0x10, %ebx\n ret");

static void test_sti(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, sti_code), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 0x12);
    g_assert_cmphex(f->env->regs[R_EAX] & IF_MASK, ==, 0);
    g_assert_cmphex(f->env->rflags & IF_MASK, ==, IF_MASK);
}

SNIPPET(bt_code, "mov $0x20800, %rsi\n mov $-1, %rax\n bts %rax, (%rsi)\n mov $0x4001, %r10\n"
                 "stc\n bts %r10, (%rsi)\n setc %cl\n bt %r10, (%rsi)\n setc %dl\n bts %ax, 8(%rsi)\n ud2");

static void test_bit_strings(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(RUN(f, bt_code), ==, EXCP_UD);
    g_assert_cmphex(data_q(f, 0x20800 - 8), ==, 1ull << 63);
    g_assert_cmphex(data_q(f, 0x20800 + 0x800), ==, 2);
    g_assert_cmphex(data_q(f, 0x20800), ==, 1ull << 63);
    g_assert_cmpuint(f->env->regs[R_ECX] & 0xff, ==, 0);
    g_assert_cmpuint(f->env->regs[R_EDX] & 0xff, ==, 1);
}

SNIPPET(flags_code, "mov $0x20000, %rsi\n mov $0x7f, %al\n add $1, %al\n mov %rax, (%rsi)\n"
                    "mov (%rsi), %rbx\n pushf\n pop %rcx\n seto %dl\n inc %rbx\n mov %rbx, (%rsi)\n"
                    "adc $0, %edx\n stc\n mov %rax, (%rsi)\n inc %rbx\n mov %rax, (%rsi)\n rcl $1, %r10\n"
                    "xor %eax, %eax\n cmp $1, %eax\n ud2");

static void test_flags(Fixture *f, gconstpointer unused)
{
    f->env->regs[R_R10] = 0;
    f->env->regs[R_EDX] = 0;
    g_assert_cmpint(RUN(f, flags_code), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_ECX], ==, CC_O | CC_S | CC_A | 2);
    g_assert_cmphex(f->env->regs[R_EDX], ==, 1);
    g_assert_cmphex(f->env->regs[R_R10], ==, 1);
    g_assert_cmphex(f->env->rflags & CC_MASK, ==, CC_C | CC_S | CC_P | CC_A);
}

SNIPPET(branch_code, "xor %ebx, %ebx\n mov $5, %ecx\n 1: inc %ebx\n loop 1b\n jrcxz 2f\n ud2\n"
                     "2: lea 3f(%rip), %r11\n jmp *%r11\n ud2\n 3: lea 4f(%rip), %rax\n"
                     "mov %rax, 0x20000\n call *0x20000\n mov $5, %ecx\n 5: inc %ebx\n cmp $8, %ebx\n"
                     "loopne 5b\n ud2\n 4: add $0x100, %ebx\n push $1\n ret $8");

static void test_branches(Fixture *f, gconstpointer unused)
{
    /* ret takes the 1: a fetch from page 0 of bytes 0 is add [rax], al, on and on */
    memset(f->ram, 0x0f, 16);
    g_assert_cmpint(RUN(f, branch_code), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 0x105);
    g_assert_cmphex(f->env->rip, ==, 1);
    g_assert_cmphex(f->env->regs[R_ESP], ==, STACK);
}

SNIPPET(fpu_code, "fninit\n fld1\n fldpi\n faddp\n fstpl 0x20000\n mov $0x20100, %rdi\n fxsave (%rdi)\n"
                  "movl $0x3f800000, 0x20010\n vbroadcastss 0x20010, %ymm3\n vaddps %ymm3, %ymm3, %ymm4\n"
                  "vmovups %ymm4, 0x20040\n fldcw 0x20100\n fld1\n fnstenv 0x20080\n"
                  "movq $3, 0x20010\n movq 0x20010, %mm1\n paddq %mm1, %mm1\n movq %mm1, 0x20018\n emms\n ud2");

static void test_fpu(Fixture *f, gconstpointer unused)
{
    static const uint8_t fld1_fnstenv[] = {0xd9, 0xe8, 0xd9, 0x34};
    const uint8_t *last;
    double sum;
    float eight[8];

    g_assert_cmpint(RUN(f, fpu_code), ==, EXCP_UD);
    memcpy(&sum, f->ram + DATA, 8);
    g_assert_cmpfloat_with_epsilon(sum, 4.14159265358979, 1e-12);
    g_assert_cmphex(f->ram[DATA + 0x100] | f->ram[DATA + 0x101] << 8, ==, 0x37f);
    memcpy(eight, f->ram + DATA + 0x40, 32);
    g_assert_true(eight[0] == 2 && eight[7] == 2);
    g_assert_cmphex(data_q(f, DATA + 0x80 + 8) & 0xffffffff, ==, 0xffff3fff); /* tags */
    last = memmem(fpu_code, (size_t)(fpu_code_end - fpu_code), fld1_fnstenv, sizeof(fld1_fnstenv));
    g_assert_cmphex(data_q(f, DATA + 0x80 + 12), ==, CODE + (last - fpu_code)); /* FIP */
    g_assert_cmphex(data_q(f, DATA + 0x18), ==, 6);
}

/* The first instruction of a page, and one that lies on both. */
static void test_code_crossing(Fixture *f, gconstpointer unused)
{
    static const uint8_t code[] = {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0x0b};

    for (uint64_t at = 0x11ff5; at < 0x12000; at++) {
        g_assert_cmpint(run_at(f, at, code, code + sizeof(code)), ==, EXCP_UD);
        g_assert_cmphex(f->env->regs[R_EAX], ==, 0x0807060504030201);
    }
    tcg_bare_set_page(f->bare, 0x12000, 0);
    g_assert_cmpint(run_at(f, 0x11ffb, code, code + sizeof(code)), ==, EXCP_PF);
    g_assert_cmphex(f->env->cr2, ==, 0x12000);
    g_assert_cmphex(f->env->rip, ==, 0x11ffb);
}

SNIPPET(write_code, "mov $0x23000, %rsi\n mov (%rsi), %rax\n mov %eax, 0x2000(%rsi)\n"
                    "mov %eax, -4(%rsi)\n mov $0x28ffc, %rdi\n mov $2, %ecx\n rep stosl\n ud2");
SNIPPET(read_code, "mov $0x23000, %rsi\n mov (%rsi), %rax\n lock xadd %eax, 4(%rsi)\n ud2");

/* Stores that the inline TLB lets through are logged as the first to each page was. */
static void test_dirty_log(Fixture *f, gconstpointer unused)
{
    MemoryRegion *mr = tcg_bare_ram_region(f->bare);
    uint64_t dirty[DIRTY_WORDS(0x100000)];

    g_assert_cmpint(RUN(f, write_code), ==, EXCP_UD);
    memory_region_set_log(mr, true);
    g_assert_true(memory_region_fetch_dirty(mr, 0, 0x100000, dirty));
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(RUN(f, write_code), ==, EXCP_UD);
        g_assert_true(memory_region_fetch_dirty(mr, 0x20000, 0x40000, dirty));
        g_assert_cmphex(dirty[0], ==, 0x324);
    }
    /* Said once more: the vCPU had the right to write when it was last asked. */
    f->env->rip = CODE + (uint64_t)(write_code_end - write_code) - 2;
    g_assert_cmpint(tcg_bare_run(f->bare), ==, EXCP_UD);
    memory_region_fetch_dirty(mr, 0x20000, 0x40000, dirty);
    g_assert_cmpint(tcg_bare_run(f->bare), ==, EXCP_UD);
    g_assert_false(memory_region_fetch_dirty(mr, 0x20000, 0x40000, dirty));
    g_assert_cmpint(RUN(f, read_code), ==, EXCP_UD);
    g_assert_true(memory_region_fetch_dirty(mr, 0x20000, 0x40000, dirty));
    g_assert_cmphex(dirty[0], ==, 8);
    memory_region_set_log(mr, false);
    g_assert_cmpint(RUN(f, write_code), ==, EXCP_UD);
}

/* ---- other modes ------------------------------------------------------------------------- */

static void real_mode(Fixture *f)
{
    x86_cpu_reset_state(f->env, false);
    f->env->segs[R_CS].base = 0;
    f->env->segs[R_CS].selector = 0;
    f->env->segs[R_CS].limit = 0xffff;
    x86_update_hflags(f->env);
    x86_tlb_flush(f->env, false);
}

SNIPPET(real_code,
        ".code16\n mov $0x2000, %ax\n mov %ax, %ds\n mov $0x3000, %bx\n mov %bx, %ss\n"
        "mov $0x1000, %sp\n movw $0x1234, 4\n mov $2, %si\n push 2(%si)\n pop %es:6\n"
        "mov $0, %sp\n push %bx\n pusha\n popa\n call 1f\n inc %cx\n dec %dx\n"
        "addl $0x10000, %ds:8\n mov $3, %cx\n mov %ss:-2(%si), %di\n 2: inc %bp\n loop 2b\n"
        "lea 0xffff(%si), %ax\n mov $0xffff, %bx\n movw $1, (%bx)\n ud2\n"
        "1: mov $7, %cx\n ret\n.code64");

static void test_real_mode(Fixture *f, gconstpointer unused)
{
    real_mode(f);
    f->env->regs[R_ECX] = 0xffff0000;
    memcpy(f->ram + 0x8000, real_code, (size_t)(real_code_end - real_code));
    f->env->rip = 0x8000;
    memset(f->ram + DATA, 0, 64);
    g_assert_cmpint(tcg_bare_run(f->bare), ==, EXCP_GP); /* a word at ffff */
    g_assert_cmphex(data_q(f, DATA) >> 32, ==, 0x1234);
    g_assert_cmphex(data_q(f, DATA + 8), ==, 0x10000);
    g_assert_cmphex(data_q(f, 6) & 0xffff, ==, 0x1234);
    g_assert_cmphex(f->env->regs[R_ESP], ==, 0xfffe);
    g_assert_cmphex(data_q(f, 0x30000 + 0xfff8) >> 48, ==, 0x3000);
    g_assert_cmphex(f->env->regs[R_ECX], ==, 0xffff0000);
    g_assert_cmphex(f->env->regs[R_EDX], ==, 0xffff);
    g_assert_cmphex(f->env->regs[R_EBP], ==, 3);
    g_assert_cmphex(f->env->regs[R_EAX], ==, 1);
    g_assert_cmphex(f->env->regs[R_EDI], ==, 0);
}

static void protected_mode(Fixture *f, uint32_t data_base)
{
    x86_cpu_reset_state(f->env, false);
    f->env->cr0 |= CR0_PE;
    for (int seg = 0; seg < R_SEG_COUNT; seg++) {
        f->env->segs[seg] = (SegmentCache){
            .selector = seg == R_CS ? 8 : 16,
            .base = seg == R_DS ? data_base : 0,
            .limit = seg == R_DS && data_base ? 0xfff : 0xffffffff,
            .flags = DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK | DESC_B_MASK |
                     DESC_G_MASK | (seg == R_CS ? DESC_CS_MASK : 0),
        };
    }
    x86_update_hflags(f->env);
    x86_tlb_flush(f->env, false);
}

SNIPPET(flat32_code,
        ".code32\n mov $0x20000, %esi\n mov $3, %ecx\n 1: incl (%esi)\n dec %ecx\n jnz 1b\n"
        "inc %ebx\n push %ebx\n push $-1\n pushw $5\n pop %ax\n pop %edx\n call 2f\n"
        "mov (%esi,%ecx,4), %edi\n addw $1, 4(%esi)\n pushf\n pop %ebp\n jecxz 3f\n ud2\n"
        "3: enter $16, $0\n leave\n ud2\n 2: ret\n.code64");

static void test_flat32(Fixture *f, gconstpointer unused)
{
    protected_mode(f, 0);
    memset(f->ram + DATA, 0, 64);
    f->env->regs[R_EBX] = 41;
    g_assert_cmpint(RUN(f, flat32_code), ==, EXCP_UD);
    g_assert_cmphex(f->env->regs[R_EDI], ==, 3);
    g_assert_cmphex(f->env->regs[R_EBX], ==, 42);
    g_assert_cmphex(f->env->regs[R_EDX], ==, 0xffffffff);
    g_assert_cmphex(f->env->regs[R_EAX] & 0xffff, ==, 5);
    g_assert_cmphex(f->env->regs[R_ESP], ==, STACK - 4);
    g_assert_cmphex(data_q(f, DATA + 4) & 0xffff, ==, 1);
}

SNIPPET(based_code, ".code32\n mov $8, %esi\n movl $0x77, (%esi)\n mov %es:0x20008, %eax\n"
                    "mov 0xffc, %ecx\n mov 0xffd, %edx\n ud2\n.code64");

static void test_segment_base(Fixture *f, gconstpointer unused)
{
    protected_mode(f, DATA);
    g_assert_cmpint(RUN(f, based_code), ==, EXCP_GP);
    g_assert_cmphex(f->env->regs[R_EAX], ==, 0x77);
    g_assert_cmphex(f->env->rip, ==, CODE + (uint64_t)(based_code_end - based_code) - 8);
}

#define ADD(name, func) g_test_add("/tcg/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("loop", test_loop);
    ADD("scratch", test_scratch);
    ADD("high-bytes", test_high_bytes);
    ADD("crossing", test_crossing);
    ADD("crossing-fault", test_crossing_fault);
    ADD("push-fault", test_push_fault);
    ADD("host-traps", test_host_traps);
    ADD("self-modifying", test_self_modifying);
    ADD("self-modifying-tail", test_self_modifying_tail);
    ADD("single-strings", test_single_strings);
    ADD("strings", test_strings);
    ADD("strings-backward", test_strings_backward);
    ADD("sti", test_sti);
    ADD("bit-strings", test_bit_strings);
    ADD("flags", test_flags);
    ADD("branches", test_branches);
    ADD("fpu", test_fpu);
    ADD("code-crossing", test_code_crossing);
    ADD("dirty-log", test_dirty_log);
    ADD("real-mode", test_real_mode);
    ADD("flat32", test_flat32);
    ADD("segment-base", test_segment_base);
    return g_test_run();
}
