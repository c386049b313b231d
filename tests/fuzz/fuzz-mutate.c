/* SPDX-License-Identifier: MIT
 *
 * How libFuzzer changes an input: whole operations, or the inside of one.
 */
#include "fuzz-world.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed);

typedef struct Program {
    uint8_t *data;
    size_t n, most; /* records */
    uint64_t random;
} Program;

static uint32_t pick(Program *p, size_t n)
{
    uint64_t x = p->random += 0x9e3779b97f4a7c15ull; /* splitmix64 */

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return n ? (uint32_t)((x ^ x >> 31) % n) : 0;
}

static uint8_t *record(Program *p, size_t n)
{
    return p->data + n * FUZZ_RECORD;
}

/* Room for `n` records at `at`. */
static bool make_room(Program *p, size_t at, size_t n)
{
    if (p->n + n > p->most) {
        return false;
    }
    memmove(record(p, at + n), record(p, at), (p->n - at) * FUZZ_RECORD);
    p->n += n;
    return true;
}

static void randomize(Program *p, size_t at, size_t n)
{
    for (uint8_t *byte = record(p, at); byte < record(p, at + n); byte++) {
        *byte = (uint8_t)pick(p, 256);
    }
}

static void insert_random(Program *p, size_t most)
{
    size_t at = pick(p, p->n + 1), n = 1 + pick(p, MIN(most, MAX(p->most - p->n, 1)));

    if (make_room(p, at, n)) {
        randomize(p, at, n);
    }
}

/* What led to a state is kept, what is done in it is new. */
static void new_end(Program *p)
{
    size_t at = pick(p, p->n), n = 1 + pick(p, 128);

    p->n = MIN(p->most, at + n);
    randomize(p, at, p->n - at);
}

static void copy_run(Program *p)
{
    size_t from = pick(p, p->n), len = 1 + pick(p, MIN(p->n - from, 8)), at = pick(p, p->n + 1);
    uint8_t run[8 * FUZZ_RECORD];

    memcpy(run, record(p, from), len * FUZZ_RECORD);
    if (make_room(p, at, len)) {
        memcpy(record(p, at), run, len * FUZZ_RECORD);
    }
}

static void remove_run(Program *p)
{
    size_t at = pick(p, p->n), len = 1 + pick(p, MIN(p->n - at, 8));

    if (len < p->n) {
        memmove(record(p, at), record(p, at + len), (p->n - at - len) * FUZZ_RECORD);
        p->n -= len;
    }
}

static const uint8_t field_at[] = {0, 1, 2, 3, 4, 8}, field_len[] = {1, 1, 1, 1, 4, 8};

/* One field as it is elsewhere: the same register, the same value. */
static void copy_field(Program *p)
{
    unsigned field = pick(p, G_N_ELEMENTS(field_at));
    size_t from = pick(p, p->n), to = pick(p, p->n);

    memcpy(record(p, to) + field_at[field], record(p, from) + field_at[field], field_len[field]);
}

static void new_field(Program *p)
{
    unsigned field = pick(p, G_N_ELEMENTS(field_at));
    uint8_t *r = record(p, pick(p, p->n)) + field_at[field];

    for (unsigned i = 0; i < field_len[field]; i++) {
        r[i] = (uint8_t)pick(p, 256);
    }
}

/* A number of a register or of a flag is more often small than not. */
static void small_change(Program *p)
{
    uint8_t *r = record(p, pick(p, p->n));
    unsigned byte = pick(p, 9);

    if (pick(p, 2)) {
        r[byte] ^= (uint8_t)(1u << pick(p, 8));
    } else {
        r[byte] = (uint8_t)(r[byte] + pick(p, 9) - 4);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    Program p = {data, size / FUZZ_RECORD, max / FUZZ_RECORD, seed};

    if (!p.most) {
        return LLVMFuzzerMutate(data, size, max);
    }
    if (!p.n) {
        insert_random(&p, 128);
    }
    switch (pick(&p, 16)) {
    case 0:
    case 1:
        insert_random(&p, 2);
        break;
    case 2:
        insert_random(&p, 64);
        break;
    case 3:
        new_end(&p);
        break;
    case 4:
    case 5:
        copy_run(&p);
        break;
    case 6:
        remove_run(&p);
        break;
    case 7:
    case 8:
        copy_field(&p);
        break;
    case 9:
    case 10:
        new_field(&p);
        break;
    case 11:
    case 12:
    case 13:
        small_change(&p);
        break;
    default:
        LLVMFuzzerMutate(record(&p, pick(&p, p.n)), FUZZ_RECORD, FUZZ_RECORD);
        break;
    }
    return p.n * FUZZ_RECORD;
}

/* The beginning of one, a run of the other, and what is left of the first. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed)
{
    Program p = {out, MIN(a_size, max) / FUZZ_RECORD, max / FUZZ_RECORD, seed};
    size_t records = b_size / FUZZ_RECORD, from = pick(&p, records);
    size_t len = records ? 1 + pick(&p, records - from) : 0, at = pick(&p, p.n + 1);

    memcpy(out, a, p.n * FUZZ_RECORD);
    len = MIN(len, p.most - p.n);
    if (len && make_room(&p, at, len)) {
        memcpy(record(&p, at), b + from * FUZZ_RECORD, len * FUZZ_RECORD);
    }
    return p.n * FUZZ_RECORD;
}
