/* SPDX-License-Identifier: MIT
 *
 * Arithmetic with flags by the host's own instructions.
 */
#include "target/i386/alu.h"
#include <stddef.h>

/* Below the red zone: load the flags, do it, store the flags. */
#define WITH_FLAGS(body)                                                                           \
    "lea -128(%%rsp), %%rsp\n\tpush %[F]\n\tpopf\n\t" body                                         \
    "\n\tpushf\n\tpop %[F]\n\tlea 128(%%rsp), %%rsp"

#define RUN(body, mod, d, s, f)                                                                    \
    __asm__ volatile(WITH_FLAGS(body " %" mod "[S], %" mod "[D]")                                  \
                     : [D] "+&r"(d), [F] "+&r"(f)                                                  \
                     : [S] "r"(s)                                                                  \
                     : "cc", "memory")

#define DEFINE_BINARY(name, insn)                                                                  \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)                \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        switch (size) {                                                                            \
        case 1:                                                                                    \
            RUN(insn "b", "b", dst, src, f);                                                       \
            break;                                                                                 \
        case 2:                                                                                    \
            RUN(insn "w", "w", dst, src, f);                                                       \
            break;                                                                                 \
        case 4:                                                                                    \
            RUN(insn "l", "k", dst, src, f);                                                       \
            break;                                                                                 \
        default:                                                                                   \
            RUN(insn "q", "q", dst, src, f);                                                       \
            break;                                                                                 \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_BINARY(add, "add")
DEFINE_BINARY(or, "or")
DEFINE_BINARY(adc, "adc")
DEFINE_BINARY(sbb, "sbb")
DEFINE_BINARY(and, "and")
DEFINE_BINARY(sub, "sub")
DEFINE_BINARY(xor, "xor")
DEFINE_BINARY(test, "test")

#define RUN_UNARY(body, mod, d, f)                                                                 \
    __asm__ volatile(WITH_FLAGS(body " %" mod "[D]")                                               \
                     : [D] "+&r"(d), [F] "+&r"(f)                                                  \
                     :                                                                             \
                     : "cc", "memory")

#define DEFINE_UNARY(name, insn)                                                                   \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)                \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        (void)src;                                                                                 \
        switch (size) {                                                                            \
        case 1:                                                                                    \
            RUN_UNARY(insn "b", "b", dst, f);                                                      \
            break;                                                                                 \
        case 2:                                                                                    \
            RUN_UNARY(insn "w", "w", dst, f);                                                      \
            break;                                                                                 \
        case 4:                                                                                    \
            RUN_UNARY(insn "l", "k", dst, f);                                                      \
            break;                                                                                 \
        default:                                                                                   \
            RUN_UNARY(insn "q", "q", dst, f);                                                      \
            break;                                                                                 \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_UNARY(inc, "inc")
DEFINE_UNARY(dec, "dec")
DEFINE_UNARY(not, "not")
DEFINE_UNARY(neg, "neg")

#define RUN_SHIFT(body, mod, d, c, f)                                                              \
    __asm__ volatile(WITH_FLAGS(body " %%cl, %" mod "[D]")                                         \
                     : [D] "+&r"(d), [F] "+&r"(f)                                                  \
                     : "c"(c)                                                                      \
                     : "cc", "memory")

#define DEFINE_SHIFT(name, insn)                                                                   \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)                \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        switch (size) {                                                                            \
        case 1:                                                                                    \
            RUN_SHIFT(insn "b", "b", dst, src, f);                                                 \
            break;                                                                                 \
        case 2:                                                                                    \
            RUN_SHIFT(insn "w", "w", dst, src, f);                                                 \
            break;                                                                                 \
        case 4:                                                                                    \
            RUN_SHIFT(insn "l", "k", dst, src, f);                                                 \
            break;                                                                                 \
        default:                                                                                   \
            RUN_SHIFT(insn "q", "q", dst, src, f);                                                 \
            break;                                                                                 \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_SHIFT(rol, "rol")
DEFINE_SHIFT(ror, "ror")
DEFINE_SHIFT(rcl, "rcl")
DEFINE_SHIFT(rcr, "rcr")
DEFINE_SHIFT(shl, "shl")
DEFINE_SHIFT(shr, "shr")
DEFINE_SHIFT(sar, "sar")

#define RUN_DOUBLE(body, mod, d, s, c, f)                                                          \
    __asm__ volatile(WITH_FLAGS(body " %%cl, %" mod "[S], %" mod "[D]")                            \
                     : [D] "+&r"(d), [F] "+&r"(f)                                                  \
                     : [S] "r"(s), "c"((uint64_t)(c))                                              \
                     : "cc", "memory")

#define DEFINE_DOUBLE(name, insn)                                                                  \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned count, unsigned size,                 \
                        uint64_t *flags)                                                           \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        switch (size) {                                                                            \
        case 2:                                                                                    \
            RUN_DOUBLE(insn "w", "w", dst, src, count, f);                                         \
            break;                                                                                 \
        case 4:                                                                                    \
            RUN_DOUBLE(insn "l", "k", dst, src, count, f);                                         \
            break;                                                                                 \
        default:                                                                                   \
            RUN_DOUBLE(insn "q", "q", dst, src, count, f);                                         \
            break;                                                                                 \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_DOUBLE(shld, "shld")
DEFINE_DOUBLE(shrd, "shrd")

#define DEFINE_WIDE(name, insn)                                                                    \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)                \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        switch (size) {                                                                            \
        case 2:                                                                                    \
            RUN(insn "w", "w", dst, src, f);                                                       \
            break;                                                                                 \
        case 4:                                                                                    \
            RUN(insn "l", "k", dst, src, f);                                                       \
            break;                                                                                 \
        default:                                                                                   \
            RUN(insn "q", "q", dst, src, f);                                                       \
            break;                                                                                 \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_WIDE(bt, "bt")
DEFINE_WIDE(bts, "bts")
DEFINE_WIDE(btr, "btr")
DEFINE_WIDE(btc, "btc")
DEFINE_WIDE(bsf, "bsf")
DEFINE_WIDE(bsr, "bsr")
DEFINE_WIDE(tzcnt, "tzcnt")
DEFINE_WIDE(lzcnt, "lzcnt")
DEFINE_WIDE(popcnt, "popcnt")
DEFINE_WIDE(imul, "imul")

#define DEFINE_LONG(name, insn)                                                                    \
    uint64_t alu_##name(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags)                \
    {                                                                                              \
        uint64_t f = *flags;                                                                       \
        if (size == 4) {                                                                           \
            RUN(insn "l", "k", dst, src, f);                                                       \
        } else {                                                                                   \
            RUN(insn "q", "q", dst, src, f);                                                       \
        }                                                                                          \
        *flags = f;                                                                                \
        return dst;                                                                                \
    }

DEFINE_LONG(adcx, "adcx")
DEFINE_LONG(adox, "adox")
DEFINE_LONG(blsr, "blsr")
DEFINE_LONG(blsmsk, "blsmsk")
DEFINE_LONG(blsi, "blsi")

/* Three operands: AT&T order c, b, destination. */
#define RUN3(body, mod, d, b, c, f)                                                                \
    __asm__ volatile(WITH_FLAGS(body " %" mod "[C], %" mod "[B], %" mod "[D]")                     \
                     : [D] "=&r"(d), [F] "+&r"(f)                                                  \
                     : [B] "r"(b), [C] "r"(c)                                                      \
                     : "cc", "memory")

#define DEFINE_THREE(name, insn, first, second)                                                    \
    uint64_t alu_##name(uint64_t a, uint64_t b, unsigned size, uint64_t *flags)                    \
    {                                                                                              \
        uint64_t f = *flags, d;                                                                    \
        if (size == 4) {                                                                           \
            RUN3(insn "l", "k", d, first, second, f);                                              \
        } else {                                                                                   \
            RUN3(insn "q", "q", d, first, second, f);                                              \
        }                                                                                          \
        *flags = f;                                                                                \
        return d;                                                                                  \
    }

DEFINE_THREE(andn, "andn", a, b)
DEFINE_THREE(bextr, "bextr", a, b)
DEFINE_THREE(bzhi, "bzhi", a, b)

uint64_t alu_pdep(uint64_t src, uint64_t mask, unsigned size)
{
    uint64_t d;

    if (size == 4) {
        src = (uint32_t)src;
        mask = (uint32_t)mask;
    }
    __asm__("pdep %2, %1, %0" : "=r"(d) : "r"(src), "r"(mask));
    return d;
}

uint64_t alu_pext(uint64_t src, uint64_t mask, unsigned size)
{
    uint64_t d;

    if (size == 4) {
        src = (uint32_t)src;
        mask = (uint32_t)mask;
    }
    __asm__("pext %2, %1, %0" : "=r"(d) : "r"(src), "r"(mask));
    return d;
}

uint32_t alu_crc32(uint32_t crc, uint64_t src, unsigned size)
{
    uint64_t d = crc;

    switch (size) {
    case 1:
        __asm__("crc32b %b1, %k0" : "+r"(d) : "r"(src));
        break;
    case 2:
        __asm__("crc32w %w1, %k0" : "+r"(d) : "r"(src));
        break;
    case 4:
        __asm__("crc32l %k1, %k0" : "+r"(d) : "r"(src));
        break;
    default:
        __asm__("crc32q %1, %q0" : "+r"(d) : "r"(src));
        break;
    }
    return d;
}

#define RUN_MUL(body, mod, ax, dx, s, f)                                                           \
    __asm__ volatile(WITH_FLAGS(body " %" mod "[S]")                                               \
                     : "+&a"(ax), "+&d"(dx), [F] "+&r"(f)                                          \
                     : [S] "r"(s)                                                                  \
                     : "cc", "memory")

#define MUL_SIZES(insn)                                                                            \
    switch (size) {                                                                                \
    case 1:                                                                                        \
        RUN_MUL(insn "b", "b", *ax, *dx, src, f);                                                  \
        break;                                                                                     \
    case 2:                                                                                        \
        RUN_MUL(insn "w", "w", *ax, *dx, src, f);                                                  \
        break;                                                                                     \
    case 4:                                                                                        \
        RUN_MUL(insn "l", "k", *ax, *dx, src, f);                                                  \
        break;                                                                                     \
    default:                                                                                       \
        RUN_MUL(insn "q", "q", *ax, *dx, src, f);                                                  \
        break;                                                                                     \
    }

void alu_mul(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size, bool is_signed,
             uint64_t *flags)
{
    uint64_t f = *flags;

    if (is_signed) {
        MUL_SIZES("imul")
    } else {
        MUL_SIZES("mul")
    }
    *flags = f;
}

static uint64_t size_mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

static bool div_unsigned(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size)
{
    unsigned __int128 dividend, quotient;
    uint64_t mask = size_mask(size);

    src &= mask;
    dividend = size == 1 ? *ax & 0xffff
                         : (unsigned __int128)(*dx & mask) << (size * 8) | (*ax & mask);
    if (!src) {
        return false;
    }
    quotient = dividend / src;
    if (quotient > mask) {
        return false;
    }
    *dx = dividend % src;
    *ax = quotient;
    return true;
}

static bool div_signed(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size)
{
    unsigned bits = size * 8, shift = 64 - bits;
    int64_t divisor = (int64_t)(src << shift) >> shift;
    uint64_t mask = size_mask(size);
    __int128 dividend, quotient;

    if (size == 1) {
        dividend = (int16_t)*ax;
    } else {
        int64_t high = (int64_t)(*dx << shift) >> shift;
        dividend = (__int128)((unsigned __int128)high << bits | (*ax & mask));
    }
    /* The most negative dividend by -1 would trap on the host too. */
    if (!divisor || (divisor == -1 && dividend == (__int128)1 << 127)) {
        return false;
    }
    quotient = dividend / divisor;
    if (quotient > (__int128)(mask >> 1) || quotient < -(__int128)(mask >> 1) - 1) {
        return false;
    }
    *dx = dividend % divisor;
    *ax = quotient;
    return true;
}

bool alu_div(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size, bool is_signed)
{
    return is_signed ? div_signed(ax, dx, src, size) : div_unsigned(ax, dx, src, size);
}
