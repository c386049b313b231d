/* SPDX-License-Identifier: MIT
 *
 * Arithmetic with flags, done by the host's own instructions: the same ISA, so results and flags,
 * the undefined ones included, are the silicon's.
 *
 * *flags: CC_* in and out.  Operands hold `size` bytes (1, 2, 4 or 8).
 */
#ifndef TARGET_I386_ALU_H
#define TARGET_I386_ALU_H

#include <stdbool.h>
#include <stdint.h>

uint64_t alu_add(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_or(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_adc(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_sbb(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_and(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_sub(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_xor(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_test(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_inc(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_dec(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_not(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_neg(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);

/* Shifts: src is the count as in CL. */
uint64_t alu_rol(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_ror(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_rcl(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_rcr(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_shl(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_shr(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_sar(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_shld(uint64_t dst, uint64_t src, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_shrd(uint64_t dst, uint64_t src, unsigned count, unsigned size, uint64_t *flags);

/* Bit tests: src is the bit number, below size * 8. */
uint64_t alu_bt(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_bts(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_btr(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_btc(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);

/* 2, 4 or 8 bytes.  dst: the whole register, of which parts may stay as they are. */
uint64_t alu_bsf(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_bsr(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_tzcnt(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_lzcnt(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_popcnt(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_imul(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);

/* 4 or 8 bytes. */
uint64_t alu_adcx(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_adox(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_andn(uint64_t a, uint64_t b, unsigned size, uint64_t *flags);
uint64_t alu_bextr(uint64_t src, uint64_t control, unsigned size, uint64_t *flags);
uint64_t alu_bzhi(uint64_t src, uint64_t index, unsigned size, uint64_t *flags);
uint64_t alu_blsr(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_blsmsk(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_blsi(uint64_t dst, uint64_t src, unsigned size, uint64_t *flags);
uint64_t alu_pdep(uint64_t src, uint64_t mask, unsigned size);
uint64_t alu_pext(uint64_t src, uint64_t mask, unsigned size);
uint32_t alu_crc32(uint32_t crc, uint64_t src, unsigned size);

/* AX:DX as pairs; `size` bytes each.  size 1: *ax is AX and *dx is not used. */
void alu_mul(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size, bool is_signed,
             uint64_t *flags);
/* False: #DE. */
bool alu_div(uint64_t *ax, uint64_t *dx, uint64_t src, unsigned size, bool is_signed);

#endif
