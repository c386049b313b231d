/* SPDX-License-Identifier: MIT
 *
 * Memory operands: where an access goes, and by which registers.
 */
#include <glib.h>
#include <string.h>
#include "tests/oracle/gen-internal.h"

uint32_t random_pointer(Generator *g)
{
    return data_offset(g) + 0x200 + below(g, DATA_SIZE - 0x400);
}

static bool wants_alignment(const X86Insn *i)
{
    if (i->map == X86_MAP_0F38 && i->opcode == 0x2a) { /* movntdqa */
        return true;
    }
    return ((i->class_ == X86_CLASS_SSE || i->class_ == X86_CLASS_INT) && i->mem_size >= 16) ||
           (i->class_ == X86_CLASS_AVX && i->map == X86_MAP_0F &&
            (i->opcode == 0x28 || i->opcode == 0x29 || i->opcode == 0x2b || i->opcode == 0xe7 ||
             ((i->opcode == 0x6f || i->opcode == 0x7f) && i->pp == 1)));
}

/* Where an access is to go: mostly fine, at times across pages or beyond them. */
uint32_t pick_target(Generator *g, const X86Insn *i)
{
    unsigned size = i->mem_size ? i->mem_size : 64;
    unsigned dice = below(g, 1000);

    if (i->class_ == X86_CLASS_XSAVE) {
        return DATA_BASE + (i->mem_size == 512 ? 16 * below(g, 256) : 64 * below(g, 32)) +
               (percent(g, 2) ? 8 : 0);
    }
    if (dice < 6) {
        return DATA_BASE + DATA_SIZE - below(g, size + 1);
    }
    if (dice < 10) {
        return RO_BASE + below(g, RO_SIZE);
    }
    if (dice < 12) {
        return DATA_BASE + DATA_SIZE + below(g, 0x1000 - size);
    }
    if (wants_alignment(i) ? dice < 980 : dice < 500) {
        return DATA_BASE + (below(g, DATA_SIZE - size) & ~63u);
    }
    if (dice < 700 || dice >= 995) {
        return DATA_BASE + 0x1000 * (1 + below(g, 2)) - 1 - below(g, size);
    }
    return DATA_BASE + below(g, DATA_SIZE - size - 64);
}

/* Where an image of the x87 state has FOP, FIP and FDP; 0: it is none. */
static unsigned pointers_offset(const X86Insn *i)
{
    if (i->class_ == X86_CLASS_XSAVE) {
        return 6;
    }
    if (i->class_ == X86_CLASS_X87 && i->mem == X86_MEM_WRITE && i->mem_size >= 14) {
        return i->opsize == 2 ? 6 : 12;
    }
    return 0;
}

/* mov [address], 0 */
static bool put_zero(Generator *g, uint32_t address, unsigned size)
{
    uint8_t b[16] = {0};
    unsigned p = 0;

    if (size != 4) {
        b[p++] = size == 2 ? 0x66 : 0x48;
    }
    b[p++] = 0xc7;
    b[p++] = g->mode.code64 ? 0x04 : 0x05;
    if (g->mode.code64) {
        b[p++] = 0x25;
    }
    memcpy(b + p, &address, 4);
    return put_insn(g, b, true);
}

/* The translator does not keep these pointers: wipe them out wherever they were stored. */
bool forget_pointers(Generator *g, const X86Insn *i, uint32_t target)
{
    unsigned offset = pointers_offset(i);
    unsigned end = offset == 6 ? (i->class_ == X86_CLASS_XSAVE ? 24 : 14) : 28;

    if (!offset || i->mem == X86_MEM_READ) {
        return true;
    }
    for (unsigned at = offset, size; at < end; at += size) {
        size = at & 3 ? 2 : at & 7 || end - at < 8 || !g->mode.code64 ? MIN(4, end - at) : 8;
        if (!put_zero(g, target + at, size)) {
            return false;
        }
    }
    return true;
}

static int pick_known(Generator *g, uint32_t avoid, bool small)
{
    for (unsigned tries = 0; tries < 12; tries++) {
        unsigned r = below(g, register_count(g));

        if ((g->known & ~avoid & 1u << r) && (g->value[r] < 0x1000) == small &&
            !(g->value[r] >> 31)) {
            return (int)r;
        }
    }
    return -1;
}

int need_pointer(Generator *g, uint32_t avoid)
{
    int r = pick_known(g, avoid, false);

    if (r < 0) {
        r = free_register(g, avoid);
        if (r >= 0 && !set_register(g, (unsigned)r, random_pointer(g))) {
            return -1;
        }
    }
    return r;
}

/* Off the stack pointer, whose value is known only roughly. */
static bool address_stack(Generator *g, Form *f)
{
    f->base = R_ESP;
    f->disp = (int32_t)below(g, 512) - 256;
    f->disp_size = f->disp == (int8_t)f->disp && percent(g, 70) ? 1 : 4;
    return true;
}

static bool address_bare(Generator *g, Form *f, uint32_t target)
{
    f->absolute = true;
    f->disp_size = 4;
    f->disp = (int32_t)(target - DATA_BASE + data_offset(g));
    if (g->mode.code64 && percent(g, 75)) {
        f->rip = true; /* made relative when the length is known */
    }
    return true;
}

static bool address_registers(Generator *g, Form *f, uint32_t target, uint32_t avoid)
{
    int64_t disp;

    f->base = need_pointer(g, avoid);
    if (f->base < 0) {
        return false;
    }
    if (f->base != R_EBP) { /* of SS, which is flat */
        target -= DATA_BASE - data_offset(g);
    }
    disp = (int64_t)target - (int64_t)g->value[f->base];
    if (percent(g, 40)) {
        f->index = pick_known(g, avoid | 1u << R_ESP, true);
        f->scale = below(g, 4);
    }
    if (f->index >= 0) {
        disp -= (int64_t)g->value[f->index] << f->scale;
        if (percent(g, 15) && !g->c->segmented && f->scale == 0) {
            int swap = f->base;

            f->base = f->index;
            f->index = swap;
        }
    }
    f->disp = (int32_t)disp;
    f->disp_size = 4;
    return true;
}

/* Addresses that are not canonical. */
static bool address_hole(Generator *g, Form *f, const X86Insn *probe)
{
    static const uint64_t holes[] = {0x800000000000, 0xffff7fffffff0000, 0x8000000000000000,
                                     0x123456789abc0000};
    uint64_t value = holes[below(g, 4)] + below(g, 0x1000);
    uint8_t b[16] = {0x48, 0xb8};
    int r = free_register(g, 0xff00 | (percent(g, 30) ? 0 : 1u << R_EBP));

    if (r < 0 || pointers_offset(probe) || f->aaa || f->t->encoding == X86_ENC_VEX) {
        return false;
    }
    b[1] |= r;
    memcpy(b + 2, &value, 8);
    f->base = r;
    f->disp_size = 4;
    return put_insn(g, b, true);
}

/* A register of 16-bit addressing whose value is known. */
static int need_pointer16(Generator *g, uint32_t avoid)
{
    static const uint8_t candidates[] = {R_EBX, R_ESI, R_EDI};

    for (unsigned tries = 0; tries < 8; tries++) {
        unsigned r = candidates[below(g, 3)];

        if ((g->known & ~avoid & 1u << r) ||
            (!((g->protect | avoid) & 1u << r) && set_register(g, r, random_pointer(g)))) {
            return (int)r;
        }
    }
    return -1;
}

/* SDM vol. 2, table 2-1: without bp, which would be of the stack segment */
static bool address16(Generator *g, Form *f, uint32_t target, uint32_t avoid)
{
    uint32_t disp = target - DATA_BASE;
    int base = percent(g, 20) ? -1 : need_pointer16(g, avoid);
    bool second = base == R_EBX && percent(g, 50);
    int index = percent(g, 50) ? R_ESI : R_EDI;

    f->addr16 = true;
    f->disp_size = 2;
    f->rm16 = 6;
    f->absolute = base < 0;
    if (base >= 0) {
        disp -= (uint32_t)g->value[base];
        f->rm16 = base == R_EBX ? 7 : base == R_ESI ? 4 : 5;
    }
    if (second && (g->known & 1u << index)) {
        disp -= (uint32_t)g->value[index];
        f->rm16 = index == R_ESI ? 0 : 1;
    }
    f->disp = (int16_t)disp;
    if (base >= 0 && f->disp == (int8_t)f->disp) {
        f->disp_size = 1;
    }
    return true;
}

bool pick_address(Generator *g, Form *f, const X86Insn *probe, uint32_t avoid, uint32_t target)
{
    unsigned dice = below(g, 100);

    f->base = f->index = -1;
    if (g->c->segmented && (pointers_offset(probe) || ((f->aaa || f->t->encoding == X86_ENC_VEX) &&
                                                       target > DATA_BASE + DATA_SIZE - 64))) {
        return false; /* what is masked off does not meet the segment's limit */
    }
    if (f->addr16) {
        return address16(g, f, target, avoid);
    }
    if (g->mode.code64 && below(g, 300) == 0) {
        return address_hole(g, f, probe);
    }
    f->addr32 |= g->mode.code64 && percent(g, 4);
    if (dice < 15 && !(g->protect & 1u << R_ESP) && !pointers_offset(probe) &&
        !wants_alignment(probe) && !f->addr32) {
        return address_stack(g, f);
    }
    if (g->mode.code64 && percent(g, 5) && !f->addr32) {
        f->fs_gs = percent(g, 50) ? 0x65 : 0x64;
        target -= f->fs_gs == 0x65 ? GS_BASE : FS_BASE;
    }
    if (dice < 30) {
        return address_bare(g, f, target);
    }
    return address_registers(g, f, target, avoid);
}
