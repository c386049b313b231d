/* SPDX-License-Identifier: MIT
 *
 * Compares two results, and says in words where they differ.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include "tests/oracle/case.h"

/* Reserved or not defined by the architecture in the image that an exception pushes. */
#define RFLAGS_MASK 0x200cd5u

/* Beyond the last instruction, where a call that was cut short has led. */
#define CC_UNKNOWN 0x8d5

static bool xsave_equal(const Result *a, const Result *b)
{
    return !memcmp(a->regs.xsave, b->regs.xsave, 6) && /* FOP, FIP and FDP: see README */
           !memcmp(a->regs.xsave + 24, b->regs.xsave + 24, XSAVE_SIZE - 24);
}

/* What of the flags means something where the case ended. */
static uint64_t flags_mask(const Case *c, const RegState *r)
{
    if (r->rip == code_base(c) + c->entry + c->length + 1) {
        return RFLAGS_MASK & ~(uint64_t)c->undefined;
    }
    for (unsigned k = 0; k < c->count; k++) {
        if (r->rip == code_base(c) + c->entry + c->insn[k].offset) {
            return RFLAGS_MASK & ~(uint64_t)c->insn[k].undefined;
        }
    }
    return RFLAGS_MASK & ~(uint64_t)(r->vector == VECTOR_END ? CC_UNKNOWN : 0);
}

static bool regs_equal(const Case *c, const RegState *a, const RegState *b)
{
    /* the upper halves mean nothing after 32-bit code (SDM vol. 1, 3.4.1.1) */
    uint64_t mask = c->code32 ? 0xffffffff : UINT64_MAX;

    for (unsigned k = 0; k < 16; k++) {
        if ((a->gpr[k] ^ b->gpr[k]) & mask) {
            return false;
        }
    }
    return a->rip == b->rip && !((a->rflags ^ b->rflags) & flags_mask(c, a)) &&
           a->vector == b->vector && a->error == b->error && a->cr2 == b->cr2;
}

bool results_equal(const Case *c, const Result *a, const Result *b)
{
    return regs_equal(c, &a->regs, &b->regs) && xsave_equal(a, b) &&
           !memcmp(a->data, b->data, DATA_SIZE) && !memcmp(a->stack, b->stack, STACK_SIZE);
}

static void report_u64(const char *name, uint64_t start, uint64_t a, uint64_t b)
{
    if (a != b) {
        printf("  %-8s native %016" PRIx64 "  other %016" PRIx64 "  (began as %016" PRIx64 ")\n",
               name, a, b, start);
    }
}

static void report_bytes(const char *name, const uint8_t *a, const uint8_t *b, size_t n)
{
    unsigned shown = 0;

    for (size_t k = 0; k < n && shown < 6; k++) {
        if (a[k] != b[k]) {
            printf("  %s+%#zx: native %02x, other %02x\n", name, k, a[k], b[k]);
            shown++;
        }
    }
}

void results_report(const Case *c, const Result *a, const Result *b)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    report_u64("vector", 0, a->regs.vector, b->regs.vector);
    report_u64("error", 0, a->regs.error, b->regs.error);
    report_u64("cr2", 0, a->regs.cr2, b->regs.cr2);
    report_u64("rip", c->init.rip, a->regs.rip, b->regs.rip);
    report_u64("rflags", c->init.rflags, a->regs.rflags & flags_mask(c, &a->regs),
               b->regs.rflags & flags_mask(c, &a->regs));
    for (unsigned k = 0; k < 16; k++) {
        report_u64(names[k], c->init.gpr[k], a->regs.gpr[k], b->regs.gpr[k]);
    }
    report_bytes("xsave", a->regs.xsave, b->regs.xsave, XSAVE_SIZE);
    report_bytes("data", a->data, b->data, DATA_SIZE);
    report_bytes("stack", a->stack, b->stack, STACK_SIZE);
}

static void print_insn(const ZydisDecoder *d, const ZydisFormatter *f, const Case *c,
                       const CaseInsn *n)
{
    ZydisDecodedInstruction i;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    uint64_t pc = code_base(c) + c->entry + n->offset;
    char text[128] = "?";

    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(d, c->code + n->offset, n->length, &i, op))) {
        ZydisFormatterFormatInstruction(f, &i, op, i.operand_count_visible, text, sizeof(text), pc,
                                        NULL);
    }
    printf("  %08" PRIx64 "  ", pc);
    for (unsigned k = 0; k < 12; k++) {
        printf(k < n->length ? "%02x" : "  ", c->code[n->offset + k]);
    }
    printf("  %s\n", text);
}

static void init_printer(const Case *c, ZydisDecoder *d, ZydisFormatter *f)
{
    if (c->code16) {
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    } else if (c->code32) {
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
    } else {
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    }
    ZydisFormatterInit(f, ZYDIS_FORMATTER_STYLE_INTEL);
}

void case_print_end(const Case *c, const Result *r)
{
    ZydisDecoder d;
    ZydisFormatter f;

    init_printer(c, &d, &f);
    printf("vector %2" PRIu64, r->regs.vector);
    for (unsigned k = 0; k < c->count; k++) {
        if (r->regs.rip == code_base(c) + c->entry + c->insn[k].offset) {
            print_insn(&d, &f, c, &c->insn[k]);
            return;
        }
    }
    printf(" rip %" PRIx64 "\n", r->regs.rip);
}

void case_print(const Case *c)
{
    ZydisDecoder d;
    ZydisFormatter f;

    init_printer(c, &d, &f);
    printf("seed %" PRIu64 " (%s)\n", c->seed,
           c->code16      ? "16-bit"
           : c->segmented ? "32-bit, segments"
           : c->code32    ? "32-bit"
                          : "64-bit");
    for (unsigned k = 0; k < c->count; k++) {
        if (c->code[c->insn[k].offset] != 0x90 || c->insn[k].fixed) {
            print_insn(&d, &f, c, &c->insn[k]);
        }
    }
}
