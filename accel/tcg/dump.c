/* SPDX-License-Identifier: MIT
 *
 * Blocks for people: -d in_asm is what the guest has, -d out_asm what was made of it.
 */
#include <inttypes.h>
#include <Zydis/Zydis.h>
#include "accel/tcg/tcg-internal.h"
#include "system/log.h"

/* lea r11, [rip + 5]; jmp: the way to a thunk, with a ColdDesc behind it */
static const uint8_t thunk_call[] = {0x4c, 0x8d, 0x1d, 5, 0, 0, 0, 0xe9};

static ZydisMachineMode guest_mode(const Block *b)
{
    if (b->flags & HF_CS64) {
        return ZYDIS_MACHINE_MODE_LONG_64;
    }
    return b->flags & HF_CS32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

/* One line; returns the length. */
static size_t dump_insn(ZydisMachineMode mode, uint64_t at, const uint8_t *bytes, size_t avail)
{
    ZydisDisassembledInstruction insn;
    char hex[2 * X86_INSN_MAX + 1] = "";
    size_t len = 1;

    if (ZYAN_SUCCESS(ZydisDisassembleIntel(mode, at, bytes, avail, &insn))) {
        len = insn.info.length;
    } else {
        g_strlcpy(insn.text, "(bad)", sizeof(insn.text));
    }
    for (size_t n = 0; n < len && n < X86_INSN_MAX; n++) {
        g_snprintf(hex + 2 * n, 3, "%02x", bytes[n]);
    }
    log_printf("  %#" PRIx64 "  %-24s %s\n", at, hex, insn.text);
    return len;
}

static void dump_guest(const Block *b)
{
    size_t first = 0x1000 - ((uintptr_t)b->guest & 0xfff);
    g_autofree uint8_t *bytes = g_malloc(b->guest_size);

    for (size_t n = 0; n < b->guest_size; n++) {
        bytes[n] = n < first ? b->guest[n] : b->guest2[n - first];
    }
    log_printf("IN: block %u flags %#" PRIx64 "\n", b->index, b->flags);
    for (size_t n = 0; n < b->guest_size;) {
        n += dump_insn(guest_mode(b), b->pc + n, bytes + n, b->guest_size - n);
    }
}

static void dump_host(const uint8_t *code, size_t size)
{
    for (size_t n = 0; n < size;) {
        bool desc = n >= 7 && size - n >= 5 && !memcmp(code + n - 7, thunk_call, sizeof(thunk_call));

        n += dump_insn(ZYDIS_MACHINE_MODE_LONG_64, (uintptr_t)code + n, code + n, size - n);
        n += desc ? sizeof(ColdDesc) : 0;
    }
}

void tcg_dump_block(const Block *b)
{
    if (log_enabled(LOG_IN_ASM)) {
        dump_guest(b);
    }
    if (log_enabled(LOG_OUT_ASM)) {
        log_printf("OUT: block %u, %u bytes of guest code, hot %u, cold %u\n", b->index,
                   b->guest_size, b->hot_size, b->cold_size);
        dump_host(b->hot, b->hot_size);
        log_printf(" cold:\n");
        dump_host(b->cold, b->cold_size);
    }
}
