/* SPDX-License-Identifier: MIT
 *
 * The decoder against Zydis: length, validity, memory operand, flags and
 * general registers of random instructions, in 64-, 32- and 16-bit code.
 * `test-decode COUNT [SEED]` runs as many cases as you like.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include "accel/tcg/decode.h"
#include "target/i386/cpu.h"

#define FLAGS       (CC_MASK | DF_MASK)
#define SUITE_CASES 2000000

static const X86Mode modes[3] = {
    {.code64 = 1,          .protected_mode = 1},
    {.cs32 = 1,                    .protected_mode = 1},
    {.protected_mode = 1},
};

typedef struct Oracle {
    ZydisDecoder decoder[3];
    GRand *rand;
    guint64 cases, failures;
} Oracle;

typedef struct Sample {
    uint8_t bytes[16];
    unsigned mode;
    X86Insn q;
    bool q_valid, z_valid;
    ZydisDecodedInstruction z;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
    char difference[160];
} Sample;

/*
 * Instruction sets that Zydis knows and this machine never offers: they are
 * #UD here (SDM vol. 2, CPUID: reserved unless enumerated).
 */
static const ZydisISAExt not_offered_ext[] = {
    ZYDIS_ISA_EXT_AMD3DNOW,    ZYDIS_ISA_EXT_AMX_BF16,
    ZYDIS_ISA_EXT_AMX_INT8,    ZYDIS_ISA_EXT_AMX_TILE,
    ZYDIS_ISA_EXT_CET,         ZYDIS_ISA_EXT_ENQCMD,
    ZYDIS_ISA_EXT_FMA4,        ZYDIS_ISA_EXT_HRESET,
    ZYDIS_ISA_EXT_KEYLOCKER,   ZYDIS_ISA_EXT_KEYLOCKER_WIDE,
    ZYDIS_ISA_EXT_KNC,         ZYDIS_ISA_EXT_KNCE,
    ZYDIS_ISA_EXT_KNCV,        ZYDIS_ISA_EXT_PADLOCK,
    ZYDIS_ISA_EXT_PCONFIG,     ZYDIS_ISA_EXT_PT,
    ZYDIS_ISA_EXT_RDPRU,       ZYDIS_ISA_EXT_SGX,
    ZYDIS_ISA_EXT_SMX,         ZYDIS_ISA_EXT_SNP,
    ZYDIS_ISA_EXT_SVM,         ZYDIS_ISA_EXT_TBM,
    ZYDIS_ISA_EXT_TSX_LDTRK,   ZYDIS_ISA_EXT_UINTR,
    ZYDIS_ISA_EXT_VTX,         ZYDIS_ISA_EXT_VMFUNC,
    ZYDIS_ISA_EXT_XOP,         ZYDIS_ISA_EXT_MCOMMIT,
    ZYDIS_ISA_EXT_AMD_INVLPGB, ZYDIS_ISA_EXT_SGX_ENCLV,
    ZYDIS_ISA_EXT_TDX,
};

static const ZydisISASet not_offered_set[] = {
    ZYDIS_ISA_SET_AVX512ER_512,         ZYDIS_ISA_SET_AVX512ER_SCALAR,
    ZYDIS_ISA_SET_AVX512PF_512,         ZYDIS_ISA_SET_AVX512_4FMAPS_512,
    ZYDIS_ISA_SET_AVX512_4FMAPS_SCALAR, ZYDIS_ISA_SET_AVX512_4VNNIW_512,
};

/*
 * Where we follow the manual, or the processor, and not Zydis 4.0.  `what` is
 * the start of the difference; `why` the reason.
 */
/* clang-format off: one row a line */
static const struct {
    const char *what;
    ZydisMnemonic mnemonic; /* 0: any */
    const char *why;
} known[] = {
    {"flags", ZYDIS_MNEMONIC_SBB, "SDM vol. 2 SBB: AF is set according to the result"},
    {"flags", ZYDIS_MNEMONIC_BEXTR, "SDM vol. 2 BEXTR: other flags are cleared"},
    {"flags", ZYDIS_MNEMONIC_PTEST, "SDM vol. 2 PTEST: OF, AF, PF and SF are cleared"},
    {"flags", ZYDIS_MNEMONIC_VPTEST, "SDM vol. 2 PTEST"},
    {"flags", ZYDIS_MNEMONIC_VTESTPS, "SDM vol. 2 VTESTPD/VTESTPS: OF, AF, SF, PF cleared"},
    {"flags", ZYDIS_MNEMONIC_VTESTPD, "SDM vol. 2 VTESTPD/VTESTPS"},
    {"gpr", ZYDIS_MNEMONIC_BSF, "SDM vol. 2 BSF: the destination is undefined (kept) for 0"},
    {"gpr", ZYDIS_MNEMONIC_BSR, "SDM vol. 2 BSR"},
    {"gpr", ZYDIS_MNEMONIC_PAUSE, "F3 49 90 exchanges rax and r8 on hardware"},
    {"mem", ZYDIS_MNEMONIC_NOP, "SDM vol. 2 NOP: no access"},
    {"mem", ZYDIS_MNEMONIC_PREFETCH, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHW, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHWT1, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHNTA, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHT0, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHT1, "a hint"},
    {"mem", ZYDIS_MNEMONIC_PREFETCHT2, "a hint"},
    {"mem", ZYDIS_MNEMONIC_CLDEMOTE, "a hint"},
    {"mem", ZYDIS_MNEMONIC_CLFLUSH, "a byte, as far as faults go"},
    {"mem", ZYDIS_MNEMONIC_CLFLUSHOPT, "a byte, as far as faults go"},
    {"mem", ZYDIS_MNEMONIC_CLWB, "a byte, as far as faults go"},
    {"mem", ZYDIS_MNEMONIC_INVLPG, "an address only"},
    {"mem", ZYDIS_MNEMONIC_XLAT, "done in C"},
    {"mem", ZYDIS_MNEMONIC_MOVDIR64B, "done in C"},
    {"gpr", ZYDIS_MNEMONIC_NOP, "SDM vol. 2 NOP: no operand"},
};
/* clang-format on */

static bool is_listed(const int *list, size_t n, int value)
{
    for (size_t k = 0; k < n; k++) {
        if (list[k] == value) {
            return true;
        }
    }
    return false;
}

static bool not_offered(const ZydisDecodedInstruction *z)
{
    return is_listed((const int *)not_offered_ext, G_N_ELEMENTS(not_offered_ext),
                     z->meta.isa_ext) ||
           is_listed((const int *)not_offered_set, G_N_ELEMENTS(not_offered_set), z->meta.isa_set);
}

static bool is_shift(ZydisMnemonic m)
{
    return m == ZYDIS_MNEMONIC_ROL || m == ZYDIS_MNEMONIC_ROR || m == ZYDIS_MNEMONIC_RCL ||
           m == ZYDIS_MNEMONIC_RCR || m == ZYDIS_MNEMONIC_SHL || m == ZYDIS_MNEMONIC_SHR ||
           m == ZYDIS_MNEMONIC_SAR || m == ZYDIS_MNEMONIC_SHLD || m == ZYDIS_MNEMONIC_SHRD;
}

/* mod 0, base 5: a displacement without base, whatever REX.B says (SDM vol. 2, table 2-3). */
static bool zydis_took_r13(const Sample *s)
{
    return s->q.has_sib && s->q.mod == 0 && (s->q.bytes[s->q.sib_off] & 7) == 5 &&
           s->q.addrsize == 4;
}

static bool is_known(const Sample *s)
{
    const X86Insn *q = &s->q;

    if (s->z_valid && !s->q_valid) {
        return not_offered(&s->z);
    }
    if (!s->z_valid) {
        /* FP16 conversions with a general register: W is ignored outside 64-bit code */
        return q->encoding == X86_ENC_EVEX && s->mode != 0 && q->w;
    }
    /* Zydis gives one answer for all counts; ours knows 0, 1 and too many */
    if (is_shift(s->z.mnemonic) && g_str_has_prefix(s->difference, "flags")) {
        return true;
    }
    if (zydis_took_r13(s) && (g_str_has_prefix(s->difference, "gpr") ||
                              g_str_has_prefix(s->difference, "displacement"))) {
        return true;
    }
    for (size_t k = 0; k < G_N_ELEMENTS(known); k++) {
        if (known[k].mnemonic == s->z.mnemonic && g_str_has_prefix(s->difference, known[k].what)) {
            return true;
        }
    }
    return false;
}

#define DIFFER(s, ...) g_snprintf((s)->difference, sizeof((s)->difference), __VA_ARGS__)

static void compare_flags(Sample *s)
{
    const ZydisAccessedFlags *f = s->z.cpu_flags;
    const X86Insn *q = &s->q;
    unsigned read = f ? f->tested & FLAGS : 0;
    unsigned undefined = f ? f->undefined & FLAGS : 0;
    unsigned changed = f ? (f->modified | f->set_0 | f->set_1 | f->undefined) & FLAGS : 0;
    unsigned extra = q->flags_read & ~read;

    /* what is written only sometimes is read as well in our book */
    if (q->class_ != X86_CLASS_SYS &&
        (changed != (q->flags_written | q->flags_undefined) || undefined != q->flags_undefined ||
         (read & ~q->flags_read) || (extra & ~changed))) {
        DIFFER(s, "flags: zydis reads %x changes %x undefined %x; we read %x write %x undefined %x",
               read, changed, undefined, q->flags_read, q->flags_written, q->flags_undefined);
    }
}

typedef struct Use {
    unsigned gpr_read, gpr_written, mem, mem_size;
    bool address_only;
} Use;

static unsigned gpr_bit(ZydisRegister r)
{
    r = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
    return ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_GPR64 ? 1u << ZydisRegisterGetId(r) : 0;
}

static void add_register(const ZydisDecodedOperand *o, Use *u)
{
    unsigned bit = gpr_bit(o->reg.value);

    if (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ) {
        u->gpr_read |= bit;
    }
    if (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) {
        u->gpr_written |= bit;
        if (o->size < 32 || (o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE)) {
            u->gpr_read |= bit;
        }
    }
}

static bool is_stack_operand(const Sample *s, const ZydisDecodedOperand *o)
{
    return s->z.mnemonic == ZYDIS_MNEMONIC_LEAVE ||
           (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && s->q.class_ != X86_CLASS_STRING &&
            o->mem.base && gpr_bit(o->mem.base) == 1u << R_ESP);
}

static void add_memory(const Sample *s, const ZydisDecodedOperand *o, Use *u)
{
    u->gpr_read |= gpr_bit(o->mem.base) | gpr_bit(o->mem.index);
    if (o->mem.type == ZYDIS_MEMOP_TYPE_AGEN || o->mem.type == ZYDIS_MEMOP_TYPE_MIB) {
        u->address_only = true;
        return;
    }
    if (is_stack_operand(s, o)) {
        return;
    }
    u->mem |= o->actions & ZYDIS_OPERAND_ACTION_MASK_READ ? X86_MEM_READ : 0;
    u->mem |= o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? X86_MEM_WRITE : 0;
    u->mem_size = MAX(u->mem_size, o->size / 8u);
}

static void collect_use(const Sample *s, Use *u)
{
    for (unsigned k = 0; k < s->z.operand_count; k++) {
        const ZydisDecodedOperand *o = &s->operand[k];

        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            add_register(o, u);
        } else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            add_memory(s, o, u);
        }
    }
}

static void compare_use(Sample *s)
{
    const X86Insn *q = &s->q;
    Use u = {0};

    collect_use(s, &u);
    if (q->class_ == X86_CLASS_STRING) {
        /* Zydis leaves out that rsi, rdi and rcx move for some */
        u.gpr_read |= q->gpr_read;
        u.gpr_written |= q->gpr_written & (1u << R_ESI | 1u << R_EDI | 1u << R_ECX);
    }
    if (!u.address_only && q->class_ != X86_CLASS_XSAVE &&
        (u.mem != q->mem || (u.mem && q->mem_size && u.mem_size != q->mem_size))) {
        DIFFER(s, "mem: zydis %u/%u, ours %u/%u", u.mem, u.mem_size, q->mem, q->mem_size);
    } else if (q->class_ != X86_CLASS_SYS &&
               (u.gpr_read != q->gpr_read || u.gpr_written != q->gpr_written)) {
        DIFFER(s, "gpr: zydis %x %x, ours %x %x", u.gpr_read, u.gpr_written, q->gpr_read,
               q->gpr_written);
    }
}

static void compare_address(Sample *s, const ZydisDecodedOperand *o)
{
    static const ZydisRegister segs[] = {ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS,
                                         ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS};
    const X86Insn *q = &s->q;

    if (o->mem.disp.value != q->disp) {
        DIFFER(s, "displacement: zydis %" G_GINT64_FORMAT ", ours %" G_GINT64_FORMAT,
               (gint64)o->mem.disp.value, (gint64)q->disp);
    } else if (o->mem.type == ZYDIS_MEMOP_TYPE_MEM && segs[q->seg] != o->mem.segment) {
        DIFFER(s, "segment");
    } else if (q->vsib != (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB)) {
        DIFFER(s, "vsib");
    } else if (q->index >= 0 && ZydisRegisterGetId(o->mem.index) != q->index) {
        DIFFER(s, "index");
    }
}

static void compare_layout(Sample *s)
{
    const X86Insn *q = &s->q;

    for (unsigned k = 0; k < s->z.operand_count_visible && q->has_modrm; k++) {
        if (s->operand[k].type == ZYDIS_OPERAND_TYPE_MEMORY) {
            compare_address(s, &s->operand[k]);
        }
    }
    if (s->z.raw.disp.size / 8 != q->disp_size) {
        DIFFER(s, "displacement size");
    }
    if (s->z.raw.imm[0].size && s->z.raw.imm[0].size / 8 != q->imm_size) {
        DIFFER(s, "immediate size");
    }
}

static void compare(Sample *s)
{
    if (s->q_valid != s->z_valid) {
        DIFFER(s, "valid: zydis %d, ours %d", s->z_valid, s->q_valid);
    } else if (!s->z_valid) {
        return;
    } else if (s->z.length != s->q.length) {
        DIFFER(s, "length: zydis %d, ours %d", s->z.length, s->q.length);
    } else {
        compare_layout(s);
        compare_flags(s);
        if (!s->difference[0] || is_known(s)) {
            s->difference[0] = 0;
            compare_use(s);
        }
    }
}

static void report(Sample *s)
{
    ZydisFormatter f;
    char text[128] = "(invalid)";
    g_autoptr(GString) hex = g_string_new(NULL);

    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    if (s->z_valid) {
        ZydisFormatterFormatInstruction(&f, &s->z, s->operand, s->z.operand_count_visible, text,
                                        sizeof(text), 0, NULL);
    }
    for (unsigned k = 0; k < (s->z_valid ? s->z.length : 15u); k++) {
        g_string_append_printf(hex, " %02x", s->bytes[k]);
    }
    g_test_message("mode %u: %s: %s (map %u opcode %02x):%s", s->mode, s->difference, text,
                   s->q.map, s->q.opcode, hex->str);
}

static uint8_t random_byte(Oracle *o)
{
    return (uint8_t)g_rand_int(o->rand);
}

static unsigned put_vex(Oracle *o, uint8_t *b)
{
    unsigned p = 0;

    if (random_byte(o) & 1) {
        b[p++] = 0xc4;
        b[p] = (b[p] & 0xe0) | (1 + random_byte(o) % 3);
        p++;
    } else {
        b[p++] = 0xc5;
    }
    if (random_byte(o) & 1) {
        b[p] |= 0x78; /* no second source */
    }
    return p + 1;
}

static unsigned put_evex(Oracle *o, uint8_t *b)
{
    static const uint8_t maps[] = {1, 2, 3, 1, 2, 3, 5, 6};

    b[0] = 0x62;
    b[1] = (b[1] & 0xf0) | maps[random_byte(o) % 8];
    b[2] |= random_byte(o) & 1 ? 0x7c : 4;
    b[3] |= random_byte(o) & 8;
    b[3] &= random_byte(o) & 1 ? 0xff : 0xef;
    b[3] &= random_byte(o) & 1 ? 0xff : 0x78;
    return 4;
}

static unsigned put_prefixes(Oracle *o, uint8_t *b)
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0x67, 0xf0, 0x2e, 0x64, 0x48, 0x4f, 0x41};
    unsigned n = random_byte(o) % 4 == 0 ? 2 : random_byte(o) % 2;

    for (unsigned k = 0; k < n; k++) {
        b[k] = prefixes[random_byte(o) % G_N_ELEMENTS(prefixes)];
    }
    return n;
}

/* Random bytes behind a start that makes each map as likely as the next. */
static void generate(Oracle *o, Sample *s)
{
    uint8_t *b = s->bytes;
    unsigned p = 0;

    for (unsigned k = 0; k < sizeof(s->bytes); k++) {
        b[k] = random_byte(o);
    }
    switch (random_byte(o) % 8) {
    case 0:
    case 1:
        p = put_vex(o, b);
        break;
    case 2:
    case 3:
        p = put_evex(o, b);
        break;
    case 4:
        p = put_prefixes(o, b);
        break;
    case 5:
        p = put_prefixes(o, b);
        b[p++] = 0x0f;
        break;
    case 6:
        p = put_prefixes(o, b);
        b[p++] = 0x0f;
        b[p++] = random_byte(o) & 1 ? 0x38 : 0x3a;
        break;
    default:
        return;
    }
    if (random_byte(o) % 3 == 0) {
        b[p + 1] |= 0xc0;
    }
}

static bool is_ud_mnemonic(ZydisMnemonic m)
{
    return m == ZYDIS_MNEMONIC_UD0 || m == ZYDIS_MNEMONIC_UD1 || m == ZYDIS_MNEMONIC_UD2;
}

static void run_one(Oracle *o)
{
    Sample s = {.mode = g_rand_int_range(o->rand, 0, 3)};

    generate(o, &s);
    s.q_valid = x86_decode(s.bytes, 15, modes[s.mode], &s.q) > 0 && s.q.class_ != X86_CLASS_UD;
    s.z_valid =
        ZYAN_SUCCESS(ZydisDecoderDecodeFull(&o->decoder[s.mode], s.bytes, 15, &s.z, s.operand)) &&
        !is_ud_mnemonic(s.z.mnemonic);
    compare(&s);
    o->cases++;
    if (s.difference[0] && !is_known(&s)) {
        if (o->failures++ < 20) {
            report(&s);
        }
    }
}

static void oracle_init(Oracle *o, guint32 seed)
{
    static const struct {
        ZydisMachineMode machine;
        ZydisStackWidth stack;
    } setup[3] = {
        {ZYDIS_MACHINE_MODE_LONG_64,        ZYDIS_STACK_WIDTH_64},
        {ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32},
        {ZYDIS_MACHINE_MODE_LEGACY_16,      ZYDIS_STACK_WIDTH_16},
    };
    static const ZydisDecoderMode off[] = {ZYDIS_DECODER_MODE_KNC, ZYDIS_DECODER_MODE_MPX,
                                           ZYDIS_DECODER_MODE_CET, ZYDIS_DECODER_MODE_CLDEMOTE};

    o->rand = g_rand_new_with_seed(seed);
    for (unsigned m = 0; m < 3; m++) {
        ZydisDecoderInit(&o->decoder[m], setup[m].machine, setup[m].stack);
        for (unsigned k = 0; k < G_N_ELEMENTS(off); k++) {
            ZydisDecoderEnableMode(&o->decoder[m], off[k], ZYAN_FALSE);
        }
    }
}

static guint64 run_many(guint64 cases, guint32 seed)
{
    Oracle o = {0};

    oracle_init(&o, seed);
    while (o.cases < cases) {
        run_one(&o);
    }
    g_rand_free(o.rand);
    return o.failures;
}

static void test_against_zydis(void)
{
    g_assert_cmpuint(run_many(SUITE_CASES, 20260101), ==, 0);
}

/* Nothing is read beyond `avail`, and every shorter prefix asks for more. */
static void test_short_input(void)
{
    static const uint8_t code[] = {0x66, 0x2e, 0x48, 0x81, 0x84, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8};
    X86Insn insn;

    for (size_t n = 0; n < sizeof(code); n++) {
        g_autofree uint8_t *copy = g_memdup2(code, n);
        int length = x86_decode(copy, n, modes[0], &insn);

        g_assert_cmpint(length, ==, 0);
    }
    g_assert_cmpint(x86_decode(code, sizeof(code), modes[0], &insn), ==, 14);
}

/* For ASan: copies that end where `avail` does. */
static void test_short_random(void)
{
    Oracle o = {0};

    oracle_init(&o, 1);
    for (unsigned n = 0; n < 20000; n++) {
        Sample s = {.mode = n % 3};
        size_t avail = n % 16;
        g_autofree uint8_t *copy = NULL;

        generate(&o, &s);
        copy = g_memdup2(s.bytes, avail);
        g_assert_cmpint(x86_decode(copy, avail, modes[s.mode], &s.q), <=, (int)avail);
    }
    g_rand_free(o.rand);
}

static void test_too_long(void)
{
    uint8_t code[16];
    X86Insn insn;

    memset(code, 0x66, sizeof(code));
    code[14] = 0x90;
    g_assert_cmpint(x86_decode(code, 15, modes[0], &insn), ==, 15);
    code[14] = 0x66;
    g_assert_cmpint(x86_decode(code, 15, modes[0], &insn), ==, -1);
    g_assert_cmpint(x86_decode(code, 14, modes[0], &insn), ==, 0);
}

static void test_real_mode(void)
{
    static const uint8_t vex[] = {0xc5, 0xf8, 0x77};
    static const uint8_t arpl[] = {0x63, 0xc0};
    X86Mode real = {0};
    X86Insn insn;

    x86_decode(vex, sizeof(vex), real, &insn);
    g_assert_cmpint(insn.class_, ==, X86_CLASS_UD);
    x86_decode(arpl, sizeof(arpl), real, &insn);
    g_assert_cmpint(insn.class_, ==, X86_CLASS_UD);
}

static int run_command_line(int argc, char **argv)
{
    guint64 cases = g_ascii_strtoull(argv[1], NULL, 0);
    guint32 seed = argc > 2 ? (guint32)g_ascii_strtoull(argv[2], NULL, 0) : 1;
    guint64 failures = run_many(cases, seed);

    printf("%" G_GUINT64_FORMAT " cases, %" G_GUINT64_FORMAT " differences\n", cases, failures);
    return failures != 0;
}

int main(int argc, char **argv)
{
    bool by_hand = argc > 1 && g_ascii_isdigit(argv[1][0]);
    int one = 1;

    g_test_init(by_hand ? &one : &argc, &argv, NULL);
    if (by_hand) {
        return run_command_line(argc, argv);
    }
    g_test_add_func("/decode/against-zydis", test_against_zydis);
    g_test_add_func("/decode/short-input", test_short_input);
    g_test_add_func("/decode/short-random", test_short_random);
    g_test_add_func("/decode/too-long", test_too_long);
    g_test_add_func("/decode/real-mode", test_real_mode);
    return g_test_run();
}
