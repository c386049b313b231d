/* SPDX-License-Identifier: MIT
 *
 * Finds every instruction that the decoder knows and this processor has, so
 * that rare opcodes are met as often as common ones.
 */
#include <cpuid.h>
#include <glib.h>
#include <string.h>
#include "accel/tcg/decode.h"
#include "target/i386/cpuid.h"
#include "tests/oracle/case.h"

const char *const class_names[CLASS_COUNT] = {
    "int", "branch", "string", "x87", "mmx", "sse", "avx", "evex", "xsave", "sys",
};

static const X86Mode modes[3] = {
    {.code64 = 1, .protected_mode = 1},
    {.cs32 = 1,   .protected_mode = 1},
};

typedef struct CpuidWord {
    uint32_t leaf, subleaf;
    unsigned reg; /* eax, ebx, ecx, edx */
} CpuidWord;

static const CpuidWord feature_words[FEAT_WORD_COUNT] = {
    [FEAT_1_EDX] = {1,          0, 3},
    [FEAT_1_ECX] = {1,          0, 2},
    [FEAT_7_0_EBX] = {7,          0, 1},
    [FEAT_7_0_ECX] = {7,          0, 2},
    [FEAT_7_0_EDX] = {7,          0, 3},
    [FEAT_7_1_EAX] = {7,          1, 0},
    [FEAT_D_1_EAX] = {13,         1, 0},
    [FEAT_80000001_EDX] = {0x80000001, 0, 3},
    [FEAT_80000001_ECX] = {0x80000001, 0, 2},
    [FEAT_80000007_EDX] = {0x80000007, 0, 3},
    [FEAT_80000008_EBX] = {0x80000008, 0, 1},
};

bool host_has_feature(uint32_t feature)
{
    const CpuidWord *w;
    uint32_t r[4] = {0};

    if (!feature) {
        return true;
    }
    w = &feature_words[(feature - 1) / 32];
    __get_cpuid_count(w->leaf, w->subleaf, &r[0], &r[1], &r[2], &r[3]);
    return r[w->reg] >> ((feature - 1) % 32) & 1;
}

static bool has_feature_cached(uint32_t feature)
{
    static int8_t known[FEAT_WORD_COUNT * 32 + 1];

    if (!known[feature]) {
        known[feature] = host_has_feature(feature) ? 1 : -1;
    }
    return known[feature] > 0;
}

/*
 * Left out: what is not the same twice, what asks the kernel, what moves
 * segment registers of the process, and what the kernel emulates (UMIP).
 */
static bool is_unsuitable(const X86Insn *i)
{
    static const uint8_t sys_1b[] = {0x9c, 0x9d, 0xc8, 0xd7, 0xd6, 0x27, 0x2f, 0x37, 0x3f,
                                     0xd4, 0xd5, 0xcc, 0xf4, 0xfa, 0xfb, 0x60, 0x61, 0x62,
                                     0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef};
    static const uint8_t sys_0f[] = {0x06, 0x08, 0x09, 0x20, 0x22, 0x30, 0x32};

    if (i->class_ != X86_CLASS_SYS) {
        /* rdrand, rdseed; xsaves and xrstors, which guests are not offered */
        return i->map == X86_MAP_0F && i->opcode == 0xc7 &&
               (i->mod == 3 || (i->class_ == X86_CLASS_XSAVE && (i->modrm >> 3 & 7) != 4));
    }
    if (i->map == X86_MAP_1B) {
        return !memchr(sys_1b, i->opcode, sizeof(sys_1b));
    }
    return i->map != X86_MAP_0F || !memchr(sys_0f, i->opcode, sizeof(sys_0f));
}

/* Where processors differ in what they make of the same bytes (seen on Zen 5). */
static bool differs_by_vendor(const X86Insn *i, unsigned mode)
{
    bool insert_or_extract = i->map == X86_MAP_0F3A && (i->opcode == 0x22 || i->opcode == 0x16);

    return (i->map == X86_MAP_0F && i->opcode == 0x0d && i->mod == 3) ||
           (mode && i->w && i->encoding != X86_ENC_LEGACY && insert_or_extract);
}

static OracleClass class_of(const X86Insn *i)
{
    switch (i->class_) {
    case X86_CLASS_BRANCH:
        return CLASS_BRANCH;
    case X86_CLASS_STRING:
        return CLASS_STRING;
    case X86_CLASS_X87:
        return CLASS_X87;
    case X86_CLASS_MMX:
        return CLASS_MMX;
    case X86_CLASS_SSE:
        return CLASS_SSE;
    case X86_CLASS_XSAVE:
        return CLASS_XSAVE;
    case X86_CLASS_SYS:
        return CLASS_SYS;
    case X86_CLASS_AVX:
        return i->encoding == X86_ENC_EVEX ? CLASS_EVEX : CLASS_AVX;
    default:
        return CLASS_INT;
    }
}

static unsigned put_legacy(const Template *t, uint8_t *b)
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};
    unsigned p = 0;

    if (t->pp) {
        b[p++] = prefix[t->pp];
    }
    if (t->w) {
        b[p++] = 0x48;
    }
    if (t->map != X86_MAP_1B) {
        b[p++] = 0x0f;
    }
    if (t->map == X86_MAP_0F38 || t->map == X86_MAP_0F3A) {
        b[p++] = t->map == X86_MAP_0F38 ? 0x38 : 0x3a;
    }
    return p;
}

/* A plain encoding of the template, to see what the decoder makes of it. */
static unsigned put_probe(const Template *t, uint8_t *b)
{
    unsigned p = 0;

    if (t->encoding == X86_ENC_LEGACY) {
        p = put_legacy(t, b);
    } else if (t->encoding == X86_ENC_VEX) {
        b[p++] = 0xc4;
        b[p++] = 0xe0 | t->map;
        b[p++] = t->w << 7 | 0x78 | t->vl << 2 | t->pp;
    } else {
        b[p++] = 0x62;
        b[p++] = 0xf0 | t->map;
        b[p++] = t->w << 7 | 0x7c | t->pp;
        b[p++] = t->vl << 5 | 8;
    }
    b[p++] = t->opcode;
    return p;
}

static bool probe(const Template *t, unsigned mode, unsigned modrm, X86Insn *ret)
{
    uint8_t b[16] = {0};
    unsigned p = put_probe(t, b);

    b[p++] = (uint8_t)modrm;
    b[p] = 0x08; /* a SIB that is none of the special ones, for gathers */
    if (t->encoding == X86_ENC_EVEX && t->map == X86_MAP_0F38 &&
        ((t->opcode >= 0x90 && t->opcode < 0x94) || (t->opcode >= 0xa0 && t->opcode < 0xa4))) {
        b[3] |= 1; /* these need a mask */
    }
    return x86_decode(b, 15, modes[mode], ret) > 0 && ret->class_ != X86_CLASS_UD &&
           ret->opcode == t->opcode && ret->encoding == t->encoding &&
           has_feature_cached(ret->cpuid_feature) && has_feature_cached(ret->cpuid_feature2) &&
           !is_unsuitable(ret) && !differs_by_vendor(ret, mode);
}

typedef struct Finder {
    unsigned mode;
    GArray *templates[CLASS_COUNT];
    GArray *groups[CLASS_COUNT];
} Finder;

static void add(Finder *f, const Template *t, const X86Insn *i, unsigned group_start[])
{
    OracleClass c = class_of(i);
    TemplateGroup *last;

    if (group_start[c] == f->groups[c]->len) {
        TemplateGroup g = {.first = f->templates[c]->len};

        g_array_append_val(f->groups[c], g);
    }
    last = &g_array_index(f->groups[c], TemplateGroup, f->groups[c]->len - 1);
    last->count++;
    g_array_append_val(f->templates[c], *t);
}

/* The forms that differ only in free fields become one template. */
static void add_register_forms(Finder *f, Template t, unsigned start[])
{
    X86Insn insn[8];
    unsigned valid = 0;

    for (unsigned rm = 0; rm < 8; rm++) {
        valid |= probe(&t, f->mode, 0xc0u | (unsigned)t.reg << 3 | rm, &insn[rm]) ? 1u << rm : 0;
    }
    t.rm = -1;
    if (valid == 0xff) {
        add(f, &t, &insn[0], start);
        return;
    }
    for (unsigned rm = 0; rm < 8; rm++) {
        t.rm = (int8_t)rm;
        if (valid & 1u << rm) {
            add(f, &t, &insn[rm], start);
        }
    }
}

static bool all_forms_valid(const Finder *f, const Template *t, unsigned modrm, X86Insn *ret)
{
    unsigned step = t->register_form ? 1 : 8;

    for (unsigned k = 0; k < 0x40; k += step) {
        if (!probe(t, f->mode, modrm | k, ret)) {
            return false;
        }
    }
    return true;
}

static void find_forms(Finder *f, Template t, unsigned start[])
{
    X86Insn i;

    for (unsigned form = 0; form < 2; form++) {
        unsigned modrm = form ? 0xc0 : 4;

        t.register_form = form;
        t.reg = t.rm = -1;
        if (all_forms_valid(f, &t, modrm, &i)) {
            add(f, &t, &i, start);
            continue;
        }
        for (t.reg = 0; t.reg < 8; t.reg++) {
            if (form) {
                add_register_forms(f, t, start);
            } else if (probe(&t, f->mode, (unsigned)t.reg << 3 | 4, &i)) {
                add(f, &t, &i, start);
            }
        }
    }
}

static void find_one(Finder *f, Template t, unsigned start[])
{
    X86Insn i;
    bool mem = probe(&t, f->mode, 4, &i);

    t.has_modrm = i.has_modrm;
    t.reg = t.rm = -1;
    if (t.has_modrm) {
        find_forms(f, t, start);
    } else if (mem) {
        add(f, &t, &i, start);
    }
}

/* One group an opcode and mandatory prefix, of all its W and L. */
static void find_opcode(Finder *f, Template t)
{
    unsigned start[CLASS_COUNT];

    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        start[c] = f->groups[c]->len;
    }
    for (t.w = 0; t.w < 2; t.w++) {
        if (t.w && f->mode && t.encoding == X86_ENC_LEGACY) {
            continue;
        }
        for (t.vl = 0; t.vl < (t.encoding == X86_ENC_EVEX  ? 3
                               : t.encoding == X86_ENC_VEX ? 2
                                                           : 1);
             t.vl++) {
            find_one(f, t, start);
        }
    }
}

static bool is_prefix(const Template *t, unsigned mode)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67,
                                       0xf0, 0xf2, 0xf3, 0x0f, 0x62, 0xc4, 0xc5};

    return t->encoding == X86_ENC_LEGACY && t->map == X86_MAP_1B &&
           (memchr(prefixes, t->opcode, sizeof(prefixes)) ||
            (mode == 0 && (t->opcode & 0xf0) == 0x40));
}

static void find_all(Finder *f)
{
    Template t = {0};

    for (t.encoding = 0; t.encoding < 3; t.encoding++) {
        for (t.map = t.encoding ? 1 : 0; t.map <= X86_MAP_0F3A; t.map++) {
            for (unsigned op = 0; op < 256; op++) {
                t.opcode = (uint8_t)op;
                if (is_prefix(&t, f->mode)) {
                    continue;
                }
                for (t.pp = 0; t.pp < 4; t.pp++) {
                    find_opcode(f, t);
                }
            }
        }
    }
}

void templates_init(TemplateSet sets[3][CLASS_COUNT])
{
    for (unsigned mode = 0; mode < 3; mode++) {
        Finder f = {.mode = mode};

        for (unsigned c = 0; c < CLASS_COUNT; c++) {
            f.templates[c] = g_array_new(FALSE, FALSE, sizeof(Template));
            f.groups[c] = g_array_new(FALSE, FALSE, sizeof(TemplateGroup));
        }
        find_all(&f);
        for (unsigned c = 0; c < CLASS_COUNT; c++) {
            sets[mode][c].group_count = f.groups[c]->len;
            sets[mode][c].templates = (Template *)(void *)g_array_free(f.templates[c], FALSE);
            sets[mode][c].groups = (TemplateGroup *)(void *)g_array_free(f.groups[c], FALSE);
        }
    }
}
