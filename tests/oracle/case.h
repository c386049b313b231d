/* SPDX-License-Identifier: MIT
 *
 * The silicon oracle: a case is a sequence of user-mode instructions with the
 * state it starts from; a result is the state and memory it ends in.  The
 * same addresses are used natively and in the guest.
 */
#ifndef TESTS_ORACLE_CASE_H
#define TESTS_ORACLE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_BASE  0x00800000u
#define CODE_SIZE  0x2000u
#define DATA_BASE  0x01000000u /* the page behind is not mapped */
#define DATA_SIZE  0x3000u
#define RO_BASE    0x01004000u /* read-only; not mapped behind */
#define RO_SIZE    0x1000u
#define STACK_BASE 0x01800000u
#define STACK_SIZE 0x2000u
#define GS_BASE    0x00100000u
#define FS_BASE    0x00200000u

/* What stands in the read-only page, for gathers and masks. */
#define RO_INDEX32 0x00  /* 16 doublewords, 0..250 */
#define RO_INDEX64 0x40  /* 8 quadwords */
#define RO_WILD    0x180 /* the same from here on, but one of them leads out of the data */
#define RO_MASKS   0x80  /* 4 masks of 32 bytes, in the sign bits */

/* Selectors in the LDT for segmented cases. */
#define SEL_CODE16 0x07
#define SEL_DATA   0x0f

#define XSAVE_SIZE 2752 /* x87, SSE, AVX, opmasks, ZMM: the standard format */

#define VECTOR_END 3 /* the int3 behind the sequence */

typedef struct RegState {
    uint8_t xsave[XSAVE_SIZE] __attribute__((aligned(64)));
    uint64_t gpr[16];
    uint64_t rip, rflags;
    uint64_t vector, error, cr2; /* how it ended */
} RegState;

#define INSNS_MAX 96
#define CODE_MAX  2000

typedef struct CaseInsn {
    uint16_t offset; /* in Case.code */
    uint8_t length;
    bool fixed;         /* control flow, or sets up an address: not to be dropped */
    uint16_t undefined; /* flags that are undefined before it (SDM vol. 1, appendix A) */
} CaseInsn;

typedef struct Case {
    RegState init;
    uint64_t seed, mem_seed;
    bool code32; /* not 64-bit code */
    bool code16;
    bool segmented; /* DS and ES begin at DATA_BASE and end with the data */
    unsigned entry; /* of code[0] in the code area */
    unsigned length, count;
    uint16_t undefined; /* flags at the end */
    CaseInsn insn[INSNS_MAX];
    uint8_t code[CODE_MAX];
} Case;

/* What RIP counts from: 16-bit code has a segment of its own. */
static inline uint64_t code_base(const Case *c)
{
    return c->code16 ? 0 : CODE_BASE;
}

/* From the first instruction on, what is not code is int3. */
static inline unsigned code_room(const Case *c)
{
    return CODE_MAX + 16 < CODE_SIZE - c->entry ? CODE_MAX + 16 : CODE_SIZE - c->entry;
}

typedef struct Result {
    RegState regs;
    uint8_t data[DATA_SIZE], stack[STACK_SIZE];
} Result;

/* xoshiro256**, so that a seed means the same everywhere. */
typedef struct Rng {
    uint64_t s[4];
} Rng;

void rng_init(Rng *r, uint64_t seed);
uint64_t rng_next(Rng *r);
/* 0 .. n-1 */
static inline unsigned rng_below(Rng *r, unsigned n)
{
    return (unsigned)((rng_next(r) >> 32) * n >> 32);
}
/* True in `percent` of all cases. */
static inline bool rng_percent(Rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

/* memory.c: what the areas hold when a case starts */
void case_fill_memory(const Case *c, uint8_t *data, uint8_t *stack);
void case_fill_ro(uint8_t *ro);
/* Values worth computing with: special numbers, small ones, random bits. */
uint64_t random_value(Rng *r);
/* Gives the parts that XSTATE_BV calls initial their initial values. */
void regs_normalize(RegState *s);

/* templates.c: the instructions there are, from the decoder's own tables */
typedef enum OracleClass {
    CLASS_INT,
    CLASS_BRANCH,
    CLASS_STRING,
    CLASS_X87,
    CLASS_MMX,
    CLASS_SSE,
    CLASS_AVX,
    CLASS_EVEX,
    CLASS_XSAVE,
    CLASS_SYS,
    CLASS_COUNT,
} OracleClass;
extern const char *const class_names[CLASS_COUNT];

typedef struct Template {
    uint8_t encoding, map, opcode, pp, w, vl;
    int8_t reg, rm; /* ModRM fields that are part of the opcode, or -1 */
    bool has_modrm, register_form;
} Template;

typedef struct TemplateGroup { /* one opcode */
    unsigned first, count;
} TemplateGroup;

typedef struct TemplateSet {
    Template *templates;
    TemplateGroup *groups;
    unsigned group_count;
} TemplateSet;

/* By class, for 64-bit (0), 32-bit (1) and 16-bit (2) code. */
void templates_init(TemplateSet sets[3][CLASS_COUNT]);
bool host_has_feature(uint32_t feature);

/* gen.c */
typedef struct Generator Generator;
Generator *generator_new(void);
void generator_free(Generator *g);
typedef enum CaseKind { CASE_64, CASE_32, CASE_32_SEGMENTED, CASE_16 } CaseKind;
/* classes: bit mask of the classes to draw from. */
void generator_make(Generator *g, uint64_t seed, unsigned classes, CaseKind kind, Case *ret);

/* native.c */
/* What this host can run natively: anything at all (FSGSBASE, AVX); cases with segments. */
bool native_possible(void);
bool native_has_segments(void);
bool native_init(void);
void native_run(const Case *c, Result *ret);

/* worker.c: native runs in a child process, whole batches at a time */
typedef struct Worker Worker;
#define BATCH_MAX 64
Worker *worker_new(void);
void worker_free(Worker *w);
Case *worker_case(Worker *w, unsigned n);
const Result *worker_result(Worker *w, unsigned n);
void worker_start(Worker *w, unsigned count);
/* The number that were run: fewer when a case killed the child. */
unsigned worker_wait(Worker *w);

/* guest.c */
bool guest_init(void);
/* Integer instructions through C, one at a time: the interpreter instead of translated code. */
void guest_interpret(void);
void guest_run(const Case *c, Result *ret);

/* compare.c */
bool results_equal(const Case *c, const Result *native, const Result *other);
void results_report(const Case *c, const Result *native, const Result *other);
void case_print(const Case *c);
/* The instruction that ended the case. */
void case_print_end(const Case *c, const Result *r);

#endif
