/* SPDX-License-Identifier: MIT
 *
 * System management mode: AMD APM vol. 2, 10.2.3 with table 10-1 (state save area of CPUs with
 * long mode); SDM vol. 3, 31.4.1 with table 31-1 (of those without), 31.5 (the
 * environment of the handler), 31.7 (NMI), 31.10 (auto halt restart), 31.11 (SMBASE).
 *
 * Firmware knows the two forms by their revision: 20064h and 20000h.  I/O restart, bit 16, is
 * not offered; SMBASE can be moved.
 */
#include "target/i386/smm.h"
#include <string.h>
#include "hw/core/machine.h"
#include "system/log.h"
#include "target/i386/control.h"
#include "target/i386/mmu.h"

#define SMM_REVISION_32  0x00020000u
#define SMM_REVISION_64  0x00020064u
#define SMM_ENTRY        0x8000u
#define SMM_SAVE_OFFSET  0xfe00u /* from SMBASE */
#define SMM_SAVE_SIZE    0x200u
#define FEAT_LM          X86_FEATURE(FEAT_80000001_EDX, 29)

/* ---- the save area ------------------------------------------------------------------------ */

/* A register and where it is: offsets from SMBASE. */
typedef struct SaveField {
    uint16_t offset;
    uint8_t size;  /* bytes of it that are saved */
    uint8_t held;  /* bytes of it in CPUX86State */
    uint32_t field; /* in CPUX86State */
} SaveField;

#define FIELD(offset, size, f)                                                                     \
    {offset, size, sizeof(((CPUX86State *)NULL)->f), offsetof(CPUX86State, f)}

static const SaveField fields_64[] = {
    FIELD(0xfff8, 8, regs[R_EAX]), FIELD(0xfff0, 8, regs[R_ECX]), FIELD(0xffe8, 8, regs[R_EDX]),
    FIELD(0xffe0, 8, regs[R_EBX]), FIELD(0xffd8, 8, regs[R_ESP]), FIELD(0xffd0, 8, regs[R_EBP]),
    FIELD(0xffc8, 8, regs[R_ESI]), FIELD(0xffc0, 8, regs[R_EDI]), FIELD(0xffb8, 8, regs[8]),
    FIELD(0xffb0, 8, regs[9]),     FIELD(0xffa8, 8, regs[10]),    FIELD(0xffa0, 8, regs[11]),
    FIELD(0xff98, 8, regs[12]),    FIELD(0xff90, 8, regs[13]),    FIELD(0xff88, 8, regs[14]),
    FIELD(0xff80, 8, regs[15]),    FIELD(0xff78, 8, rip),         FIELD(0xff70, 8, rflags),
    FIELD(0xff68, 8, dr[6]),       FIELD(0xff60, 8, dr[7]),       FIELD(0xff58, 8, cr0),
    FIELD(0xff50, 8, cr3),         FIELD(0xff48, 8, cr4),         FIELD(0xfed0, 8, efer),
    FIELD(0xff00, 4, smbase),      FIELD(0xfe64, 4, gdt.limit),   FIELD(0xfe68, 8, gdt.base),
    FIELD(0xfe84, 4, idt.limit),   FIELD(0xfe88, 8, idt.base),
};

static const SaveField fields_32[] = {
    FIELD(0xfffc, 4, cr0),         FIELD(0xfff8, 4, cr3),         FIELD(0xfff4, 4, rflags),
    FIELD(0xfff0, 4, rip),         FIELD(0xffec, 4, regs[R_EDI]), FIELD(0xffe8, 4, regs[R_ESI]),
    FIELD(0xffe4, 4, regs[R_EBP]), FIELD(0xffe0, 4, regs[R_ESP]), FIELD(0xffdc, 4, regs[R_EBX]),
    FIELD(0xffd8, 4, regs[R_EDX]), FIELD(0xffd4, 4, regs[R_ECX]), FIELD(0xffd0, 4, regs[R_EAX]),
    FIELD(0xffcc, 4, dr[6]),       FIELD(0xffc8, 4, dr[7]),       FIELD(0xfef8, 4, smbase),
    /* What the manual calls reserved; P6 processors have it there. */
    FIELD(0xff14, 4, cr4),         FIELD(0xff74, 4, gdt.base),    FIELD(0xff70, 4, gdt.limit),
    FIELD(0xff58, 4, idt.base),    FIELD(0xff54, 4, idt.limit),
};

/* Selector and hidden part of a segment register. */
typedef struct SaveSegment {
    uint16_t selector;
    uint16_t attributes, limit, base; /* 64-bit form: behind the selector, at +2, +4, +8 */
    uint32_t field;
} SaveSegment;

#define SEGMENT_64(o, f) {o, (o) + 2, (o) + 4, (o) + 8, offsetof(CPUX86State, f)}
#define SEGMENT_32(s, o, f) {s, o, (o) + 4, (o) + 8, offsetof(CPUX86State, f)}

static const SaveSegment segments_64[] = {
    SEGMENT_64(0xfe00, segs[R_ES]), SEGMENT_64(0xfe10, segs[R_CS]), SEGMENT_64(0xfe20, segs[R_SS]),
    SEGMENT_64(0xfe30, segs[R_DS]), SEGMENT_64(0xfe40, segs[R_FS]), SEGMENT_64(0xfe50, segs[R_GS]),
    SEGMENT_64(0xfe70, ldt),        SEGMENT_64(0xfe90, tr),
};

static const SaveSegment segments_32[] = {
    SEGMENT_32(0xffa8, 0xff84, segs[R_ES]), SEGMENT_32(0xffac, 0xff90, segs[R_CS]),
    SEGMENT_32(0xffb0, 0xff9c, segs[R_SS]), SEGMENT_32(0xffb4, 0xff2c, segs[R_DS]),
    SEGMENT_32(0xffb8, 0xff38, segs[R_FS]), SEGMENT_32(0xffbc, 0xff44, segs[R_GS]),
    SEGMENT_32(0xffc0, 0xff78, ldt),        SEGMENT_32(0xffc4, 0xff5c, tr),
};

#define HALT_64     0xfec9u
#define HALT_32     0xff02u
#define REVISION    0xfefcu

typedef struct SaveMap {
    const SaveField *fields;
    unsigned nr_fields;
    const SaveSegment *segments;
    uint16_t halt;
    uint32_t revision;
    bool wide; /* attributes are 16 bits, bases 64 */
} SaveMap;

static const SaveMap map_64 = {fields_64, G_N_ELEMENTS(fields_64), segments_64, HALT_64,
                               SMM_REVISION_64, true};
static const SaveMap map_32 = {fields_32, G_N_ELEMENTS(fields_32), segments_32, HALT_32,
                               SMM_REVISION_32, false};

static const SaveMap *save_map(CPUX86State *env)
{
    return x86_cpuid_has(&env_archcpu(env)->cpuid, FEAT_LM) ? &map_64 : &map_32;
}

static void put(uint8_t *area, unsigned offset, const void *value, unsigned size)
{
    memcpy(area + offset - SMM_SAVE_OFFSET, value, size);
}

static uint64_t get(const uint8_t *area, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, area + offset - SMM_SAVE_OFFSET, size);
    return value;
}

/* As in a descriptor's high doubleword, without the limit; an unusable segment is not present. */
static uint32_t attributes_of(const SegmentCache *s)
{
    return s->flags & DESC_UNUSABLE ? s->flags & 0xf07f00 : s->flags & 0xf0ff00;
}

static void save_segment(CPUX86State *env, const SaveMap *map, const SaveSegment *row,
                         uint8_t *area)
{
    const SegmentCache *s = (const SegmentCache *)((const char *)env + row->field);
    uint32_t attributes = attributes_of(s) >> (map->wide ? 8 : 0), selector = s->selector;

    put(area, row->selector, &selector, map->wide ? 2 : 4);
    put(area, row->attributes, &attributes, map->wide ? 2 : 4);
    put(area, row->limit, &s->limit, 4);
    put(area, row->base, &s->base, map->wide ? 8 : 4);
}

static void load_segment(CPUX86State *env, const SaveMap *map, const SaveSegment *row,
                         const uint8_t *area)
{
    SegmentCache *s = (SegmentCache *)((char *)env + row->field);

    s->selector = (uint16_t)get(area, row->selector, 2);
    s->flags = (uint32_t)get(area, row->attributes, map->wide ? 2 : 4);
    s->flags = (s->flags << (map->wide ? 8 : 0)) & 0xf0ff00;
    if (!(s->flags & DESC_P_MASK)) {
        s->flags |= DESC_UNUSABLE;
    }
    s->limit = (uint32_t)get(area, row->limit, 4);
    s->base = get(area, row->base, map->wide ? 8 : 4);
}

static void save_state(CPUX86State *env, const SaveMap *map, uint8_t *area)
{
    uint8_t halted = atomic_load(&env_cpu(env)->halted);

    for (unsigned i = 0; i < map->nr_fields; i++) {
        const SaveField *f = &map->fields[i];

        put(area, f->offset, (const char *)env + f->field, f->size);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(segments_64); i++) {
        save_segment(env, map, &map->segments[i], area);
    }
    put(area, map->halt, &halted, 1);
    put(area, REVISION, &map->revision, 4);
}

/* ---- where CPUs in SMM see memory -------------------------------------------------------- */

static void update_a20(CPUX86State *env)
{
    env->a20_mask = env->a20_closed && !env->smm ? ~(1ull << 20) : UINT64_MAX;
}

void x86_set_a20(CPUX86State *env, bool open)
{
    env->a20_closed = !open;
    update_a20(env);
    x86_tlb_flush(env, false);
}

void x86_set_smm(CPUX86State *env, bool smm)
{
    CPUState *cs = env_cpu(env);

    env->smm = smm;
    if (cs->machine) { /* not of a CPU without one, in a test */
        cs->as = smm && cs->machine->smram ? &cs->machine->address_space_smm
                                           : &cs->machine->address_space_memory;
    }
    update_a20(env);
    x86_update_hflags(env);
    x86_tlb_flush(env, false);
}

/* ---- entry -------------------------------------------------------------------------------- */

/* SDM vol. 3, table 31-4: a real mode whose segments reach 4 GiB. */
static void handler_segments(CPUX86State *env)
{
    const uint32_t data = DESC_P_MASK | DESC_S_MASK | DESC_RW_MASK | DESC_A_MASK | DESC_G_MASK;

    for (int i = 0; i < R_SEG_COUNT; i++) {
        env->segs[i] = (SegmentCache){.limit = 0xffffffff, .flags = data};
    }
    env->segs[R_CS].selector = (uint16_t)(env->smbase >> 4);
    env->segs[R_CS].base = env->smbase;
}

void x86_enter_smm(CPUX86State *env)
{
    const SaveMap *map = save_map(env);
    CPUState *cs = env_cpu(env);
    uint8_t area[SMM_SAVE_SIZE] = {0};

    log_if(LOG_INT, "cpu %d: SMI at %04x:%" G_GINT64_MODIFIER "x\n", cs->cpu_index,
           env->segs[R_CS].selector, env->rip);
    save_state(env, map, area);
    x86_set_smm(env, true);
    address_space_write(cs->as, env->smbase + SMM_SAVE_OFFSET, x86_memtxattrs(env), area,
                        sizeof(area));
    env->smm_nmi_blocked = env->nmi_blocked;
    env->nmi_blocked = true;
    env->smi_count++;
    atomic_store(&cs->halted, false);
    env->cr0 &= ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    env->cr4 = 0;
    env->efer = 0;
    env->rflags = 2;
    env->dr[7] = 0x400;
    env->rip = SMM_ENTRY;
    handler_segments(env);
    x86_update_hflags(env);
}

/* ---- RSM ------------------------------------------------------------------------------------ */

/* SDM vol. 3, 31.4.1.1: reserved bits of CR4, and combinations in CR0 that cannot be. */
static bool state_is_possible(CPUX86State *env, const SaveMap *map, const uint8_t *area)
{
    uint64_t cr0 = get(area, map->wide ? 0xff58 : 0xfffc, 4);
    uint64_t cr4 = get(area, map->wide ? 0xff48 : 0xff14, 4);

    return !((cr0 & CR0_PG) && !(cr0 & CR0_PE)) && !((cr0 & CR0_NW) && !(cr0 & CR0_CD)) &&
           !(cr4 & ~x86_cr4_supported(env));
}

static void load_state(CPUX86State *env, const SaveMap *map, const uint8_t *area)
{
    for (unsigned i = 0; i < map->nr_fields; i++) {
        const SaveField *f = &map->fields[i];
        uint64_t value = get(area, f->offset, f->size);

        memcpy((char *)env + f->field, &value, f->held);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(segments_64); i++) {
        load_segment(env, map, &map->segments[i], area);
    }
    env->cr0 |= CR0_ET;
    env->rflags |= 2;
}

bool x86_leave_smm(CPUX86State *env)
{
    const SaveMap *map = save_map(env);
    CPUState *cs = env_cpu(env);
    uint8_t area[SMM_SAVE_SIZE];

    address_space_read(cs->as, env->smbase + SMM_SAVE_OFFSET, x86_memtxattrs(env), area,
                       sizeof(area));
    if (!state_is_possible(env, map, area)) {
        return false;
    }
    load_state(env, map, area);
    if (!map->wide) {
        env->efer = 0;
    }
    if (!env->smm_nmi_blocked) {
        cpu_unblock_nmi(cs);
    }
    env->nmi_blocked = env->smm_nmi_blocked;
    atomic_store(&cs->halted, get(area, map->halt, 1) & 1);
    x86_set_smm(env, false);
    if (!x86_load_cr3(env, env->cr3)) {
        return false;
    }
    log_if(LOG_INT, "cpu %d: RSM to %04x:%" G_GINT64_MODIFIER "x\n", cs->cpu_index,
           env->segs[R_CS].selector, env->rip);
    return true;
}
