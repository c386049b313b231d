/* SPDX-License-Identifier: MIT
 *
 * Intel/Sharp flash memory.  Intel 28F640J3 data sheet (290667), 4.0: commands and status
 * register; JESD68.01: Common Flash Interface; JEP137: command set 0001h.
 *
 *   write cycles         read mode after them
 *   ff                   array              (also 00, f0, and what is unknown)
 *   90                   identifier: 0 and 1 codes; block + 2: its lock bit
 *   98                   CFI query: 10h "QRY", 1bh timing, 27h geometry, 31h "PRI"
 *   70                   status
 *   50                   array; the status register is cleared
 *   40|10, data          status; programs one access's bytes (1 to 0 only)
 *   e8, N-1, N x data, d0   status; programs a buffer, all in one block
 *   20|28, d0            status; erases the block to ff
 *   60, 01 | d0          status; locks the block | unlocks all blocks
 *   b0, d0               status; suspend and resume: operations end at once
 *
 *   status register   7 ready   5 erase error   4 program error   1 block is locked
 *
 * An operation ends within its last write cycle.  While the read mode is "array", reads are of
 * RAM; else they come here.  Contents are written to the image as they change, and flushed to
 * stable storage a moment later.
 */
#include "hw/block/pflash_cfi01.h"
#include <string.h>
#include "hw/core/machine.h"
#include "system/block/block.h"
#include "system/log.h"

#define SR_READY         0x80u
#define SR_ERASE_ERROR   0x20u
#define SR_PROGRAM_ERROR 0x10u
#define SR_LOCKED        0x02u
#define SR_SEQUENCE      (SR_ERASE_ERROR | SR_PROGRAM_ERROR)

#define CMD_CONFIRM 0xd0u
#define CMD_LOCK    0x01u

#define BUFFER_CYCLES 256u /* the most that the second cycle of e8 can ask for */
#define QUERY_SIZE    0x60u
#define FLUSH_DELAY   (NANOSECONDS_PER_SECOND / 10)
#define MAX_SIZE      (1u << 30)

typedef enum ReadMode { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY } ReadMode;

/* What the next write cycle is. */
typedef enum NextCycle {
    NEXT_COMMAND,
    NEXT_PROGRAM,
    NEXT_ERASE_CONFIRM,
    NEXT_LOCK,
    NEXT_BUFFER_COUNT,
    NEXT_BUFFER_DATA,
    NEXT_BUFFER_CONFIRM,
} NextCycle;

typedef struct BufferCycle {
    uint32_t offset, value, size;
} BufferCycle;

struct PFlashCFI01 {
    SysBusDevice parent_obj;
    MemoryRegion mem;

    /* properties */
    char *drive, *name;
    uint32_t num_blocks;
    uint64_t sector_length;
    uint8_t width, device_width, max_device_width;
    bool big_endian, secure;
    uint16_t id[4];

    BlockBackend *blk; /* NULL: contents are lost at the end */
    bool read_only;
    uint8_t *storage; /* the region's RAM */
    uint64_t size;
    unsigned long *locks; /* a bit for each block */
    uint8_t query[QUERY_SIZE];
    Timer *flush_timer;
    bool flushing, unflushed;

    uint8_t mode, next; /* ReadMode, NextCycle */
    uint8_t status;
    uint32_t block; /* where a buffered write began */
    uint16_t count, filled;
    BufferCycle buffer[BUFFER_CYCLES];
};

#define PFLASH_CFI01(obj) OBJECT_CHECK(PFlashCFI01, (obj), TYPE_PFLASH_CFI01)

PFlashCFI01 *pflash_cfi01_from_device(DeviceState *dev)
{
    return PFLASH_CFI01(dev);
}

MemoryRegion *pflash_cfi01_memory(PFlashCFI01 *s)
{
    return &s->mem;
}

/* ---- the image --------------------------------------------------------------------- */

static void flushed(void *opaque, int ret)
{
    PFlashCFI01 *s = opaque;

    device_lock(DEVICE(s));
    s->flushing = false;
    device_unlock(DEVICE(s));
    object_unref(s);
}

static void flush_timeout(void *opaque)
{
    PFlashCFI01 *s = opaque;

    if (s->flushing) {
        timer_mod(s->flush_timer, device_clock_ns(DEVICE(s), CLOCK_REALTIME_NS) + FLUSH_DELAY);
        return;
    }
    s->flushing = true;
    s->unflushed = false;
    blk_flush(s->blk, device_event_loop(DEVICE(s)), flushed, object_ref(s));
}

/* The bytes are in RAM: they go to the image too.  False: it cannot take them. */
static bool write_back(PFlashCFI01 *s, uint64_t offset, uint64_t len)
{
    memory_region_set_dirty(&s->mem, offset, len);
    if (!s->blk) {
        return true;
    }
    int ret = blk_pwrite(s->blk, (int64_t)offset, s->storage + offset, len);
    if (ret < 0) {
        log_if(LOG_UNIMP, "%s: cannot write to its image: %s\n", s->name, g_strerror(-ret));
        return false;
    }
    if (!s->unflushed) {
        s->unflushed = true;
        timer_mod(s->flush_timer, device_clock_ns(DEVICE(s), CLOCK_REALTIME_NS) + FLUSH_DELAY);
    }
    return true;
}

/* ---- programming and erasing -------------------------------------------------------- */

static bool block_is_locked(const PFlashCFI01 *s, uint64_t offset)
{
    uint64_t block = offset / s->sector_length;

    return s->locks[block / 64] >> block % 64 & 1;
}

/* Whether the block may change; else the status register says why not. */
static bool may_change(PFlashCFI01 *s, uint64_t offset, uint8_t error)
{
    if (s->read_only || block_is_locked(s, offset)) {
        s->status |= error | (s->read_only ? 0 : SR_LOCKED);
        return false;
    }
    return true;
}

static void clear_bits(PFlashCFI01 *s, uint64_t offset, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = 8 * (s->big_endian ? size - 1 - i : i);
        s->storage[offset + i] &= (uint8_t)(value >> shift);
    }
}

static void program(PFlashCFI01 *s, uint64_t offset, uint32_t value, unsigned size)
{
    if (may_change(s, offset, SR_PROGRAM_ERROR)) {
        clear_bits(s, offset, value, size);
        if (!write_back(s, offset, size)) {
            s->status |= SR_PROGRAM_ERROR;
        }
    }
    s->status |= SR_READY;
}

static void program_buffer(PFlashCFI01 *s)
{
    uint64_t first = UINT64_MAX, end = 0;

    s->status |= SR_READY;
    if (!may_change(s, s->block, SR_PROGRAM_ERROR)) {
        return;
    }
    for (unsigned i = 0; i < s->filled; i++) {
        const BufferCycle *c = &s->buffer[i];
        clear_bits(s, c->offset, c->value, c->size);
        first = MIN(first, c->offset);
        end = MAX(end, (uint64_t)c->offset + c->size);
    }
    if (!write_back(s, first, end - first)) {
        s->status |= SR_PROGRAM_ERROR;
    }
}

static void erase(PFlashCFI01 *s, uint64_t offset)
{
    offset -= offset % s->sector_length;
    if (may_change(s, offset, SR_ERASE_ERROR)) {
        memset(s->storage + offset, 0xff, s->sector_length);
        if (!write_back(s, offset, s->sector_length)) {
            s->status |= SR_ERASE_ERROR;
        }
    }
    s->status |= SR_READY;
}

static void set_lock(PFlashCFI01 *s, uint64_t offset)
{
    uint64_t block = offset / s->sector_length;

    s->locks[block / 64] |= 1ul << block % 64;
    s->status |= SR_READY;
}

static void clear_locks(PFlashCFI01 *s)
{
    memset(s->locks, 0, (s->num_blocks + 63) / 64 * sizeof(*s->locks));
    s->status |= SR_READY;
}

/* ---- write cycles -------------------------------------------------------------------- */

static void sequence_error(PFlashCFI01 *s, const char *what, uint32_t value)
{
    log_guest_error("%s: %s: 0x%x", s->name, what, value);
    s->status |= SR_READY | SR_SEQUENCE;
    s->next = NEXT_COMMAND;
}

static void set_mode(PFlashCFI01 *s, ReadMode mode)
{
    if ((s->mode == READ_ARRAY) != (mode == READ_ARRAY)) {
        memory_region_rom_device_set_romd(&s->mem, mode == READ_ARRAY);
    }
    s->mode = mode;
}

/*
 * Firmware finds out that this is flash, and not RAM or ROM, by a status register that is 0 once
 * it is cleared (EDK2, OvmfPkg); the ready bit comes back with the first operation.
 */
static void clear_status(PFlashCFI01 *s)
{
    s->status = 0;
    set_mode(s, READ_ARRAY);
}

static const struct Command {
    uint8_t code, mode, next;
} commands[] = {
    {0xff, READ_ARRAY,  NEXT_COMMAND      },
    {0xf0, READ_ARRAY,  NEXT_COMMAND      }, /* that of AMD's command set: probes try both */
    {0x00, READ_ARRAY,  NEXT_COMMAND      },
    {0x70, READ_STATUS, NEXT_COMMAND      },
    {0x90, READ_ID,     NEXT_COMMAND      },
    {0x98, READ_QUERY,  NEXT_COMMAND      },
    {0x10, READ_STATUS, NEXT_PROGRAM      },
    {0x40, READ_STATUS, NEXT_PROGRAM      },
    {0x20, READ_STATUS, NEXT_ERASE_CONFIRM},
    {0x28, READ_STATUS, NEXT_ERASE_CONFIRM},
    {0x60, READ_STATUS, NEXT_LOCK         },
    {0xe8, READ_STATUS, NEXT_BUFFER_COUNT },
    {0xb0, READ_STATUS, NEXT_COMMAND      },
    {0xd0, READ_STATUS, NEXT_COMMAND      },
};

static void first_cycle(PFlashCFI01 *s, uint64_t offset, uint32_t value)
{
    uint8_t code = (uint8_t)value;

    if (code == 0x50) {
        clear_status(s);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].code == code) {
            s->next = commands[i].next;
            if (code == 0xb0 || code == 0xd0 || code == 0xe8) {
                s->status |= SR_READY;
            }
            s->block = (uint32_t)(offset - offset % s->sector_length);
            set_mode(s, commands[i].mode);
            return;
        }
    }
    log_guest_error("%s: no such command: 0x%x", s->name, code);
    set_mode(s, READ_ARRAY);
}

static void confirm_erase(PFlashCFI01 *s, uint64_t offset, uint8_t code)
{
    if (code == CMD_CONFIRM) {
        erase(s, offset);
        s->next = NEXT_COMMAND;
    } else {
        sequence_error(s, "erase is not confirmed", code);
    }
}

static void lock_cycle(PFlashCFI01 *s, uint64_t offset, uint8_t code)
{
    s->next = NEXT_COMMAND;
    if (code == CMD_LOCK) {
        set_lock(s, offset);
    } else if (code == CMD_CONFIRM) {
        clear_locks(s);
    } else {
        sequence_error(s, "neither lock nor unlock", code);
    }
}

static void buffer_data(PFlashCFI01 *s, uint64_t offset, uint32_t value, unsigned size)
{
    if (offset - offset % s->sector_length != s->block) {
        sequence_error(s, "buffered write leaves its block", (uint32_t)offset);
        return;
    }
    s->buffer[s->filled++] = (BufferCycle){(uint32_t)offset, value, size};
    if (s->filled == s->count) {
        s->next = NEXT_BUFFER_CONFIRM;
    }
}

static void confirm_buffer(PFlashCFI01 *s, uint8_t code)
{
    if (code == CMD_CONFIRM) {
        program_buffer(s);
        s->next = NEXT_COMMAND;
    } else {
        sequence_error(s, "buffered write is not confirmed", code);
    }
}

static MemTxResult pflash_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                MemTxAttrs attrs)
{
    PFlashCFI01 *s = opaque;
    uint32_t value = (uint32_t)data;

    if (s->secure && !attrs.secure) {
        log_guest_error("%s: written outside of SMM", s->name);
        return MEMTX_ERROR;
    }
    switch ((NextCycle)s->next) {
    case NEXT_COMMAND:
        first_cycle(s, addr, value);
        break;
    case NEXT_PROGRAM:
        program(s, addr, value, size);
        s->next = NEXT_COMMAND;
        break;
    case NEXT_ERASE_CONFIRM:
        confirm_erase(s, addr, (uint8_t)value);
        break;
    case NEXT_LOCK:
        lock_cycle(s, addr, (uint8_t)value);
        break;
    case NEXT_BUFFER_COUNT:
        s->count = (uint16_t)((value & 0xff) + 1);
        s->filled = 0;
        s->next = NEXT_BUFFER_DATA;
        break;
    case NEXT_BUFFER_DATA:
        buffer_data(s, addr, value, size);
        break;
    case NEXT_BUFFER_CONFIRM:
        confirm_buffer(s, (uint8_t)value);
        break;
    }
    return MEMTX_OK;
}

/* ---- reads in other modes than array ---------------------------------------------------- */

static uint64_t read_array(const PFlashCFI01 *s, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)s->storage[addr + i] << 8 * (s->big_endian ? size - 1 - i : i);
    }
    return value;
}

static uint32_t read_id(const PFlashCFI01 *s, hwaddr addr, unsigned index)
{
    switch (index) {
    case 0:
    case 1:
        return (uint32_t)s->id[2 * index] << 8 | s->id[2 * index + 1];
    case 2:
        return block_is_locked(s, addr);
    default:
        return 0;
    }
}

static uint8_t chip_width(const PFlashCFI01 *s)
{
    return s->device_width ? s->device_width : s->width;
}

/* What one chip answers; in x16 chips used as x8, each answer stands twice. */
static uint32_t read_register(const PFlashCFI01 *s, hwaddr addr)
{
    unsigned step = s->width * (s->max_device_width ? s->max_device_width / chip_width(s) : 1);
    unsigned index = (addr & 0xff) / step;

    if (s->mode == READ_STATUS) {
        return s->status;
    }
    if (s->mode == READ_ID) {
        return read_id(s, addr, index);
    }
    return index < QUERY_SIZE ? s->query[index] : 0;
}

/* The chips of a bank lie side by side and answer together. */
static MemTxResult pflash_read(void *opaque, hwaddr addr, uint64_t *ret, unsigned size,
                               MemTxAttrs attrs)
{
    PFlashCFI01 *s = opaque;
    unsigned chip = chip_width(s);
    uint32_t mask = UINT32_MAX >> (32 - 8 * chip);

    if (s->mode == READ_ARRAY || (s->secure && !attrs.secure)) {
        *ret = read_array(s, addr, size);
        return MEMTX_OK;
    }
    *ret = 0;
    for (unsigned i = 0; i < size; i++) {
        if ((addr + i) % chip == (s->big_endian ? chip - 1 : 0)) {
            unsigned at = s->big_endian ? size - 1 - i : i;
            *ret |= (uint64_t)(read_register(s, addr + i) & mask) << 8 * at;
        }
    }
    return MEMTX_OK;
}

static const MemoryRegionOps pflash_ops = {
    .read_with_attrs = pflash_read,
    .write_with_attrs = pflash_write,
    .valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
};

/* ---- the CFI table ------------------------------------------------------------------------ */

static unsigned log2_ceil(uint64_t n)
{
    return n > 1 ? g_bit_storage(n - 1) : 0;
}

/* JESD68.01, 2.2 to 2.4, and the extended table of JEP137. */
static void make_query(PFlashCFI01 *s)
{
    static const uint8_t head[] = {'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00};
    static const uint8_t primary[] = {'P', 'R', 'I', '1', '0'};
    unsigned chips = s->width / chip_width(s);
    uint64_t chip_block = s->sector_length / chips;
    uint8_t *q = s->query;

    memcpy(q + 0x10, head, sizeof(head));
    q[0x1b] = 0x45; /* Vcc from 4.5 to 5.5 V */
    q[0x1c] = 0x55;
    q[0x1f] = q[0x20] = 0x07; /* word and buffer: 128 us */
    q[0x21] = 0x0a;           /* block erase: 1 s */
    q[0x23] = q[0x24] = q[0x25] = 0x04;
    q[0x27] = (uint8_t)log2_ceil(s->size / chips);
    q[0x28] = 0x02; /* x8 and x16 */
    q[0x2a] = 0x08; /* buffer of 256 bytes */
    q[0x2c] = 1;    /* region of equal blocks */
    q[0x2d] = (uint8_t)(s->num_blocks - 1);
    q[0x2e] = (uint8_t)((s->num_blocks - 1) >> 8);
    q[0x2f] = (uint8_t)(chip_block >> 8);
    q[0x30] = (uint8_t)(chip_block >> 16);
    memcpy(q + 0x31, primary, sizeof(primary));
    q[0x3f] = 0x01; /* protection fields */
}

/* ---- the device ----------------------------------------------------------------------------- */

static bool bad_property(GError **error, const char *name, const char *expected)
{
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "Property '" TYPE_PFLASH_CFI01 ".%s': expected %s", name, expected);
    return false;
}

static bool is_width(unsigned width)
{
    return width == 1 || width == 2 || width == 4;
}

static bool check_properties(PFlashCFI01 *s, GError **error)
{
    if (!s->name || !*s->name) {
        return bad_property(error, "name", "a name");
    }
    if (!is_width(s->width)) {
        return bad_property(error, "width", "1, 2 or 4 bytes");
    }
    if (s->device_width && (!is_width(s->device_width) || s->device_width > s->width)) {
        return bad_property(error, "device-width", "0, or 1, 2 or 4 up to width");
    }
    if (s->max_device_width &&
        (!is_width(s->max_device_width) || s->max_device_width < chip_width(s))) {
        return bad_property(error, "max-device-width", "0, or device-width up to 4");
    }
    if (s->sector_length < 256 || s->sector_length > MAX_SIZE ||
        (s->sector_length & (s->sector_length - 1))) {
        return bad_property(error, "sector-length", "a power of two from 256 to 1 GiB");
    }
    if (!s->num_blocks || s->num_blocks > 65536 || s->num_blocks * s->sector_length > MAX_SIZE) {
        return bad_property(error, "num-blocks", "from 1 to 65536, up to 1 GiB in all");
    }
    return true;
}

static void release_drive(void *opaque)
{
    PFlashCFI01 *s = opaque;

    if (s->blk) {
        blk_release(s->blk, s);
        g_clear_pointer(&s->blk, blk_unref);
    }
}

static bool take_drive(PFlashCFI01 *s, GError **error)
{
    if (!s->drive) {
        return true;
    }
    s->blk = blk_claim(qdev_get_machine(s), s->drive, s, error);
    if (!s->blk) {
        return false;
    }
    qdev_on_unrealize(DEVICE(s), release_drive, s);
    s->read_only = blk_is_read_only(s->blk);
    if (!blk_is_inserted(s->blk) || (uint64_t)blk_length(s->blk) != s->size) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "device '%s' requires %" G_GUINT64_FORMAT " bytes, drive '%s' provides "
                    "%" G_GINT64_FORMAT,
                    s->name, s->size, s->drive,
                    blk_is_inserted(s->blk) ? blk_length(s->blk) : (int64_t)0);
        return false;
    }
    return true;
}

static bool read_contents(PFlashCFI01 *s, GError **error)
{
    int ret = s->blk ? blk_pread(s->blk, 0, s->storage, s->size) : 0;

    if (!s->blk) {
        memset(s->storage, 0xff, s->size);
    }
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "drive '%s': cannot be read: %s",
                    s->drive, g_strerror(-ret));
    }
    return ret >= 0;
}

static bool pflash_realize(DeviceState *dev, GError **error)
{
    PFlashCFI01 *s = PFLASH_CFI01(dev);

    if (!check_properties(s, error)) {
        return false;
    }
    s->size = s->num_blocks * s->sector_length;
    if (!take_drive(s, error) || !memory_region_init_rom_device(&s->mem, OBJECT(dev), &pflash_ops,
                                                                s, s->name, s->size, error)) {
        return false;
    }
    s->storage = memory_region_get_ram_ptr(&s->mem);
    if (!read_contents(s, error)) {
        return false;
    }
    s->locks = g_new0(unsigned long, (s->num_blocks + 63) / 64);
    qdev_on_unrealize(dev, g_free, s->locks);
    s->flush_timer = device_timer_new(dev, CLOCK_REALTIME_NS, flush_timeout, s);
    make_query(s);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->mem);
    return true;
}

static void pflash_reset(DeviceState *dev, ResetType type)
{
    PFlashCFI01 *s = PFLASH_CFI01(dev);

    s->next = NEXT_COMMAND;
    s->status = SR_READY;
    clear_locks(s);
    set_mode(s, READ_ARRAY);
}

static const Property pflash_properties[] = {
    DEFINE_PROP_STRING("drive", PFlashCFI01, drive, NULL, "id of the -drive with the contents"),
    DEFINE_PROP_STRING("name", PFlashCFI01, name, NULL, "of the memory region"),
    DEFINE_PROP_UINT32("num-blocks", PFlashCFI01, num_blocks, 0, "erase blocks"),
    DEFINE_PROP_UINT64("sector-length", PFlashCFI01, sector_length, 0, "bytes of a block"),
    DEFINE_PROP_UINT8("width", PFlashCFI01, width, 0, "bytes of the bank: 1, 2 or 4"),
    DEFINE_PROP_UINT8("device-width", PFlashCFI01, device_width, 0,
                      "bytes of each chip in the bank; 0: there is one chip"),
    DEFINE_PROP_UINT8("max-device-width", PFlashCFI01, max_device_width, 0,
                      "bytes that each chip could be used with; 0: as it is used"),
    DEFINE_PROP_BOOL("big-endian", PFlashCFI01, big_endian, false, "order of bytes in the bank"),
    DEFINE_PROP_BOOL("secure", PFlashCFI01, secure, false, "only SMM may write"),
    DEFINE_PROP_UINT16("id0", PFlashCFI01, id[0], 0, "high byte of the manufacturer code"),
    DEFINE_PROP_UINT16("id1", PFlashCFI01, id[1], 0, "manufacturer code"),
    DEFINE_PROP_UINT16("id2", PFlashCFI01, id[2], 0, "high byte of the device code"),
    DEFINE_PROP_UINT16("id3", PFlashCFI01, id[3], 0, "device code"),
    DEFINE_PROP_END,
};

static const StateField pflash_state[] = {
    STATE_FIELD(PFlashCFI01, mode),   STATE_FIELD(PFlashCFI01, next),
    STATE_FIELD(PFlashCFI01, status), STATE_FIELD(PFlashCFI01, block),
    STATE_FIELD(PFlashCFI01, count),  STATE_FIELD(PFlashCFI01, filled),
    STATE_FIELD(PFlashCFI01, buffer), STATE_END,
};

static void pflash_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pflash_realize;
    dc->reset_enter = pflash_reset;
    dc->user_creatable = false;
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = pflash_state;
}

static const TypeInfo pflash_types[] = {
    {
     .name = TYPE_PFLASH_CFI01,
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(PFlashCFI01),
     .class_init = pflash_class_init,
     .properties = pflash_properties,
     .doc = "NOR flash with the Intel command set",
     },
};

DEFINE_TYPES(pflash_types)
