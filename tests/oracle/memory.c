/* SPDX-License-Identifier: MIT
 *
 * Random numbers and what memory and registers hold when a case starts.
 */
#include <cpuid.h>
#include <string.h>
#include "tests/oracle/case.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

void rng_init(Rng *r, uint64_t seed)
{
    for (unsigned k = 0; k < 4; k++) {
        r->s[k] = splitmix(&seed);
    }
}

static inline uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rng_next(Rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

/* 0, 1, -1.5, infinity, NaNs, denormals, the largest, values near integer limits */
static const uint64_t doubles[] = {
    0,
    0x3ff0000000000000,
    0xbff8000000000000,
    0x7ff0000000000000,
    0xfff0000000000000,
    0x7ff8000000000000,
    0x7ff0000000000001,
    0x0000000000000001,
    0x000fffffffffffff,
    0x7fefffffffffffff,
    0x8000000000000000,
    0x41dfffffffc00000,
    0x43e0000000000000,
    0x4059000000000000,
    0x3fb999999999999a,
    0x0010000000000000,
};
static const uint32_t floats[] = {
    0,          0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x00000001,
    0x007fffff, 0x7f7fffff, 0x80000000, 0x4f000000, 0x42c80000, 0x3dcccccd, 0x00800000, 0x5f000000,
};

uint64_t random_value(Rng *r)
{
    uint64_t v = rng_next(r);

    switch (v >> 60) {
    case 0:
    case 1:
    case 2:
        return doubles[v % 16];
    case 3:
    case 4:
    case 5:
        return floats[v % 16] | (uint64_t)floats[v / 16 % 16] << 32;
    case 6:
        return v & 0xff;
    case 7:
        return (uint64_t)(int64_t)(int8_t)v;
    case 8:
        return v % 2 ? 0x8000000080000000 : 0x7fffffff7fffffff;
    case 9: /* a double of moderate size */
        return (v & 0x800fffffffffffff) | (uint64_t)(1013 + v % 20) << 52;
    case 10: /* two floats of moderate size */
        return (v & 0x807fffff807fffff) | (uint64_t)(120 + v % 16) << 23 |
               (uint64_t)(120 + v / 16 % 16) << 55;
    default:
        return v;
    }
}

static void fill(Rng *r, uint8_t *p, size_t size)
{
    for (size_t k = 0; k < size; k += 8) {
        uint64_t v = k & 0x38 ? rng_next(r) : random_value(r);

        memcpy(p + k, &v, 8);
    }
}

void case_fill_memory(const Case *c, uint8_t *data, uint8_t *stack)
{
    Rng r;

    rng_init(&r, c->mem_seed);
    fill(&r, data, DATA_SIZE);
    fill(&r, stack, STACK_SIZE);
}

static void fill_indices(Rng *r, uint8_t *ro)
{
    for (unsigned k = 0; k < 16; k++) {
        uint32_t v = rng_below(r, 250);

        memcpy(ro + RO_INDEX32 + 4 * k, &v, 4);
    }
    for (unsigned k = 0; k < 8; k++) {
        uint64_t v = rng_below(r, 250);

        memcpy(ro + RO_INDEX64 + 8 * k, &v, 8);
    }
}

void case_fill_ro(uint8_t *ro)
{
    Rng r;
    uint64_t wild = 0x3000;

    rng_init(&r, 1);
    fill(&r, ro, RO_SIZE);
    fill_indices(&r, ro);
    fill_indices(&r, ro + RO_WILD);
    memcpy(ro + RO_WILD + RO_INDEX32 + 4 * 2, &wild, 4);
    memcpy(ro + RO_WILD + RO_INDEX64 + 8 * 1, &wild, 8);
}

typedef struct Component {
    unsigned offset, size;
} Component;

/* Where the standard format has component n (SDM vol. 1, 13.4.3). */
static Component component(unsigned n)
{
    unsigned a, b, c, d;

    __cpuid_count(13, n, a, b, c, d);
    return a && b + a <= XSAVE_SIZE ? (Component){b, a} : (Component){0, 0};
}

static const Component *all_components(void)
{
    static Component list[8] = {
        {0,   0  },
        {160, 256}
    };

    if (!list[2].size) {
        list[2] = component(2);
        for (unsigned n = 5; n < 8; n++) {
            list[n] = component(n);
        }
    }
    return list;
}

static void reset_x87(uint8_t *x)
{
    static const uint8_t head[24] = {0x7f, 0x03};

    memcpy(x, head, sizeof(head));
    memset(x + 32, 0, 128);
}

void regs_normalize(RegState *s)
{
    const Component *list = all_components();
    uint8_t copy[XSAVE_SIZE] = {0};
    uint64_t present;

    memcpy(&present, s->xsave + 512, 8);
    if (!(present & 1)) {
        reset_x87(s->xsave);
    }
    memcpy(copy, s->xsave, 160);
    memset(copy + 28, 0, 4); /* MXCSR_MASK */
    for (unsigned n = 1; n < 8; n++) {
        if (present & 1u << n) {
            memcpy(copy + list[n].offset, s->xsave + list[n].offset, list[n].size);
        }
    }
    memcpy(s->xsave, copy, XSAVE_SIZE);
}
