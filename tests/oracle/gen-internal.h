/* SPDX-License-Identifier: MIT
 *
 * What the parts of the generator share.
 */
#ifndef TESTS_ORACLE_GEN_INTERNAL_H
#define TESTS_ORACLE_GEN_INTERNAL_H

#include "accel/tcg/decode.h"
#include "target/i386/cpu.h"
#include "tests/oracle/case.h"

struct Generator {
    TemplateSet sets[3][CLASS_COUNT];
    Rng rng;
    Case *c;
    unsigned classes;
    X86Mode mode;
    uint32_t known;     /* registers whose value is in value[] */
    uint32_t protect;   /* registers that must not be written now */
    uint32_t written;   /* since the innermost region began */
    uint16_t undefined; /* flags that the last instructions left undefined */
    uint64_t value[16];
    unsigned depth; /* of regions */
    bool in_loop;
    bool full;
};

/* How an instruction is to be encoded. */
typedef struct Form {
    const Template *t;
    unsigned reg, rm, vvvv; /* 5-bit */
    bool mem;
    int base, index; /* -1: none */
    unsigned scale, disp_size;
    bool rip, absolute;
    int32_t disp;
    bool lock, addr32, bcst, zero;
    bool addr16; /* 16-bit addressing, by rm16 */
    uint8_t rm16;
    uint8_t fs_gs; /* the prefix, or 0 */
    bool spare_rex, spare_66, short_vex;
    uint8_t ignored; /* bits of VEX and EVEX that 32-bit code may have either way */
    uint8_t segment; /* a prefix that changes nothing, or 0 */
    unsigned aaa;
    uint8_t tail[12]; /* immediates */
} Form;

static inline unsigned below(Generator *g, unsigned n)
{
    return rng_below(&g->rng, n);
}

static inline bool percent(Generator *g, unsigned p)
{
    return rng_percent(&g->rng, p);
}

static inline unsigned register_count(const Generator *g)
{
    return g->c->code32 ? 8 : 16;
}

static inline uint64_t here(const Generator *g)
{
    return code_base(g->c) + g->c->entry + g->c->length;
}

/* Where the data is, as offsets in DS see it. */
static inline uint32_t data_offset(const Generator *g)
{
    return g->c->segmented ? 0 : DATA_BASE;
}

/* gen.c */
void put_raw(Generator *g, const uint8_t *bytes, unsigned n, bool fixed);
bool writes_esp_freely(const X86Insn *i);
void define_flags(Generator *g, unsigned needed);
bool put_insn(Generator *g, const uint8_t *bytes, bool fixed);
bool set_register(Generator *g, unsigned r, uint32_t value);
int free_register(Generator *g, uint32_t avoid);

/* gen-address.c */
uint32_t random_pointer(Generator *g);
uint32_t pick_target(Generator *g, const X86Insn *i);
bool forget_pointers(Generator *g, const X86Insn *i, uint32_t target);
int need_pointer(Generator *g, uint32_t avoid);
bool pick_address(Generator *g, Form *f, const X86Insn *probe, uint32_t avoid, uint32_t target);

/* gen-encode.c */
void encode(Generator *g, const Form *f, uint8_t *b);
bool decode(const Generator *g, const uint8_t *b, const Form *f, X86Insn *ret);

/* gen-insn.c */
unsigned random_register(Generator *g, bool vector32);
void random_fields(Generator *g, Form *f);
bool finish_rip(Generator *g, Form *f, uint8_t *b, X86Insn *i);
bool emit_with_memory(Generator *g, Form *f);
bool emit_plain(Generator *g, Form *f);

/* gen-special.c */
bool emit_string(Generator *g, Form *f);
bool emit_template(Generator *g, const Template *t);
const Template *pick_template(Generator *g, OracleClass c);
OracleClass pick_class(Generator *g);

/* gen-flow.c */
void emit_some(Generator *g, unsigned n);

#endif
