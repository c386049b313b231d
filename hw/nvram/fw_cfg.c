/* SPDX-License-Identifier: MIT
 *
 * fw_cfg on I/O ports.  Specification: Linux, Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg
 * and Documentation/devicetree/bindings/firmware/qemu,fw-cfg-mmio.yaml; include/uapi/linux/
 * qemu_fw_cfg.h gives the layouts.
 *
 *   0x510  16 bits, write: selector, little-endian
 *   0x511   8 bits, read: next byte of the selected item (zeros past its end)
 *   0x514  64 bits, big-endian: address of a DMA descriptor; writing the low half
 *          (0x518) starts it; reads as "QEMU CFG"
 *
 * A DMA descriptor is {u32 control, u32 length, u64 address}, big-endian; the
 * device clears control when it is done, or leaves the error bit.
 */
#include "hw/nvram/fw_cfg.h"
#include <string.h>
#include "hw/core/option-text.h"
#include "hw/core/machine.h"
#include "system/memory/memory.h"

#define FW_CFG_DMA_ERROR  0x01u
#define FW_CFG_DMA_READ   0x02u
#define FW_CFG_DMA_SKIP   0x04u
#define FW_CFG_DMA_SELECT 0x08u
#define FW_CFG_DMA_WRITE  0x10u

#define FW_CFG_KEY_MASK  0x3fffu
#define FW_CFG_ARCH_KEY  0x8000u
#define FW_CFG_NO_KEY    0xffffu
#define FW_CFG_KEY_COUNT (FW_CFG_FILE_FIRST + FW_CFG_FILE_SLOTS)
#define FW_CFG_ID_PORTS  1u
#define FW_CFG_ID_DMA    2u
#define FW_CFG_DMA_MAGIC 0x51454d5520434647ull /* "QEMU CFG" */
#define FW_CFG_CHUNK     65536u

typedef struct FWCfgItem {
    GBytes *data;
    FWCfgSelectFunc select;
    void *select_opaque;
    bool writable;
    FWCfgWriteFunc write;
    void *write_opaque;
} FWCfgItem;

/* As the guest reads it; big-endian. */
typedef struct FWCfgFile {
    uint32_t size;
    uint16_t select;
    uint16_t reserved;
    char name[FW_CFG_MAX_FILE_NAME];
} FWCfgFile;

struct FWCfgState {
    DeviceState parent_obj;
    MemoryRegion io, dma_io;
    bool dma_enabled;
    uint32_t iobase;

    FWCfgItem items[2][FW_CFG_KEY_COUNT]; /* [arch-local?][key] */
    FWCfgFile files[FW_CFG_FILE_SLOTS];
    unsigned nr_files;

    uint16_t cur_key;
    uint32_t cur_offset;
    uint64_t dma_addr;
};

#define FW_CFG(obj) OBJECT_CHECK(FWCfgState, (obj), TYPE_FW_CFG_IO)

FWCfgState *fw_cfg_from_device(DeviceState *dev)
{
    return FW_CFG(dev);
}

static FWCfgItem *fw_cfg_item(FWCfgState *s, uint16_t key)
{
    unsigned index = key & FW_CFG_KEY_MASK;

    return index < FW_CFG_KEY_COUNT ? &s->items[!!(key & FW_CFG_ARCH_KEY)][index] : NULL;
}

/* ---- what the board puts in -------------------------------------------------- */

void fw_cfg_set_gbytes(FWCfgState *s, uint16_t key, GBytes *data)
{
    FWCfgItem *item = fw_cfg_item(s, key);

    g_assert(item);
    g_bytes_ref(data);
    g_clear_pointer(&item->data, g_bytes_unref);
    item->data = data;
}

void fw_cfg_set_bytes(FWCfgState *s, uint16_t key, const void *data, size_t len)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, len);

    fw_cfg_set_gbytes(s, key, bytes);
}

void fw_cfg_set_string(FWCfgState *s, uint16_t key, const char *value)
{
    fw_cfg_set_bytes(s, key, value, strlen(value) + 1);
}

void fw_cfg_set_u16(FWCfgState *s, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_set_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_set_u32(FWCfgState *s, uint16_t key, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    fw_cfg_set_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_set_u64(FWCfgState *s, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_set_bytes(s, key, &value, sizeof(value));
}

GBytes *fw_cfg_get(FWCfgState *s, uint16_t key)
{
    FWCfgItem *item = fw_cfg_item(s, key);

    return item ? item->data : NULL;
}

/* ---- files --------------------------------------------------------------------- */

static void fw_cfg_update_directory(FWCfgState *s)
{
    uint32_t count = GUINT32_TO_BE(s->nr_files);
    g_autoptr(GByteArray) dir = g_byte_array_new();

    g_byte_array_append(dir, (uint8_t *)&count, sizeof(count));
    g_byte_array_append(dir, (uint8_t *)s->files, s->nr_files * sizeof(s->files[0]));
    fw_cfg_set_bytes(s, FW_CFG_FILE_DIR, dir->data, dir->len);
}

static int fw_cfg_find_file(FWCfgState *s, const char *name)
{
    for (unsigned i = 0; i < s->nr_files; i++) {
        if (!strcmp(s->files[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static bool fw_cfg_check_new_file(FWCfgState *s, const char *name, gsize size, GError **error)
{
    if (!*name || strlen(name) >= FW_CFG_MAX_FILE_NAME) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "fw_cfg file name '%s' must have 1 to %d characters", name,
                    FW_CFG_MAX_FILE_NAME - 1);
        return false;
    }
    if (fw_cfg_find_file(s, name) >= 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH, "fw_cfg file '%s' exists already",
                    name);
        return false;
    }
    if (s->nr_files == FW_CFG_FILE_SLOTS || size > UINT32_MAX) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "no room for fw_cfg file '%s'", name);
        return false;
    }
    return true;
}

/* The directory is sorted by name, and keys follow it: files behind the new one move up. */
static unsigned fw_cfg_make_room(FWCfgState *s, const char *name)
{
    FWCfgItem *items = &s->items[0][FW_CFG_FILE_FIRST];
    unsigned slot = 0;

    while (slot < s->nr_files && strcmp(s->files[slot].name, name) < 0) {
        slot++;
    }
    memmove(&s->files[slot + 1], &s->files[slot], (s->nr_files - slot) * sizeof(s->files[0]));
    memmove(&items[slot + 1], &items[slot], (s->nr_files - slot) * sizeof(items[0]));
    s->files[slot] = (FWCfgFile){0};
    items[slot] = (FWCfgItem){0};
    s->nr_files++;
    for (unsigned i = slot; i < s->nr_files; i++) {
        s->files[i].select = GUINT16_TO_BE(FW_CFG_FILE_FIRST + i);
    }
    return slot;
}

bool fw_cfg_add_file(FWCfgState *s, const char *name, GBytes *data, GError **error)
{
    if (!fw_cfg_check_new_file(s, name, g_bytes_get_size(data), error)) {
        return false;
    }
    unsigned slot = fw_cfg_make_room(s, name);

    s->files[slot].size = GUINT32_TO_BE((uint32_t)g_bytes_get_size(data));
    g_strlcpy(s->files[slot].name, name, FW_CFG_MAX_FILE_NAME);
    fw_cfg_set_gbytes(s, FW_CFG_FILE_FIRST + slot, data);
    fw_cfg_update_directory(s);
    return true;
}

void fw_cfg_add_board_file(FWCfgState *s, const char *name, const void *data, size_t len)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, len);
    bool ok = fw_cfg_add_file(s, name, bytes, NULL);

    g_assert(ok);
}

void fw_cfg_set_file(FWCfgState *s, const char *name, GBytes *data)
{
    int slot = fw_cfg_find_file(s, name);

    g_assert(slot >= 0);
    fw_cfg_set_gbytes(s, FW_CFG_FILE_FIRST + slot, data);
    s->files[slot].size = GUINT32_TO_BE((uint32_t)g_bytes_get_size(data));
    fw_cfg_update_directory(s);
}

void fw_cfg_set_file_callback(FWCfgState *s, const char *name, FWCfgSelectFunc fn, void *opaque)
{
    int slot = fw_cfg_find_file(s, name);

    g_assert(slot >= 0);
    FWCfgItem *item = fw_cfg_item(s, FW_CFG_FILE_FIRST + slot);
    item->select = fn;
    item->select_opaque = opaque;
}

void fw_cfg_set_file_writable(FWCfgState *s, const char *name, FWCfgWriteFunc fn, void *opaque)
{
    int slot = fw_cfg_find_file(s, name);

    g_assert(slot >= 0);
    FWCfgItem *item = fw_cfg_item(s, FW_CFG_FILE_FIRST + slot);
    item->writable = true;
    item->write = fn;
    item->write_opaque = opaque;
}

void fw_cfg_write_file(FWCfgState *s, const char *name, const void *data, size_t len)
{
    uint16_t key = (uint16_t)(FW_CFG_FILE_FIRST + fw_cfg_find_file(s, name));
    FWCfgItem *item = fw_cfg_item(s, key);

    fw_cfg_set_bytes(s, key, data, len);
    if (item->write) {
        item->write(item->write_opaque, data, len);
    }
}

GBytes *fw_cfg_get_file(FWCfgState *s, const char *name)
{
    int slot = fw_cfg_find_file(s, name);

    return slot < 0 ? NULL : fw_cfg_get(s, FW_CFG_FILE_FIRST + slot);
}

/* ---- -fw_cfg -------------------------------------------------------------------- */

typedef struct FWCfgOption {
    const char *name, *file, *string;
} FWCfgOption;

static bool fw_cfg_parse_part(FWCfgOption *opt, const char *part, bool first, GError **error)
{
    static const struct {
        const char *key;
        size_t offset;
    } keys[] = {
        {"name=",   offsetof(FWCfgOption, name)  },
        {"file=",   offsetof(FWCfgOption, file)  },
        {"string=", offsetof(FWCfgOption, string)},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_has_prefix(part, keys[i].key)) {
            *(const char **)((char *)opt + keys[i].offset) = part + strlen(keys[i].key);
            return true;
        }
    }
    if (first && !strchr(part, '=')) {
        opt->name = part;
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                "-fw_cfg: '%s' is not one of name=, file=, string=", part);
    return false;
}

static GBytes *fw_cfg_option_data(const FWCfgOption *opt, GError **error)
{
    g_autofree char *data = NULL;
    gsize len;

    if (!opt->name || !opt->file == !opt->string) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "-fw_cfg needs name= and one of file= and string=");
        return NULL;
    }
    if (opt->string) {
        return g_bytes_new(opt->string, strlen(opt->string));
    }
    if (!g_file_get_contents(opt->file, &data, &len, error)) {
        g_prefix_error(error, "-fw_cfg %s: ", opt->name);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&data), len);
}

bool fw_cfg_add_option(FWCfgState *s, const char *option, GError **error)
{
    g_auto(GStrv) parts = option_split(option);
    FWCfgOption opt = {0};

    for (int i = 0; parts[i]; i++) {
        if (!fw_cfg_parse_part(&opt, parts[i], i == 0, error)) {
            return false;
        }
    }
    g_autoptr(GBytes) data = fw_cfg_option_data(&opt, error);
    return data && fw_cfg_add_file(s, opt.name, data, error);
}

/* ---- what the guest sees --------------------------------------------------------- */

static void fw_cfg_select(FWCfgState *s, uint16_t key)
{
    FWCfgItem *item = fw_cfg_item(s, key);

    s->cur_key = item ? key : FW_CFG_NO_KEY;
    s->cur_offset = 0;
    if (item && item->select) {
        item->select(item->select_opaque);
    }
}

/* What is left of the selected item. */
static const uint8_t *fw_cfg_rest(FWCfgState *s, gsize *ret_len)
{
    GBytes *data = s->cur_key == FW_CFG_NO_KEY ? NULL : fw_cfg_get(s, s->cur_key);
    gsize size = data ? g_bytes_get_size(data) : 0;

    *ret_len = s->cur_offset < size ? size - s->cur_offset : 0;
    return *ret_len ? (const uint8_t *)g_bytes_get_data(data, NULL) + s->cur_offset : NULL;
}

static void fw_cfg_skip(FWCfgState *s, uint32_t len)
{
    s->cur_offset = len > UINT32_MAX - s->cur_offset ? UINT32_MAX : s->cur_offset + len;
}

static uint64_t fw_cfg_port_read(void *opaque, hwaddr addr, unsigned size)
{
    FWCfgState *s = opaque;
    gsize len;

    if (addr != 1) {
        return 0;
    }
    const uint8_t *rest = fw_cfg_rest(s, &len);
    fw_cfg_skip(s, 1);
    return rest ? *rest : 0;
}

static void fw_cfg_port_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    if (addr == 0 && size == 2) {
        fw_cfg_select(opaque, value);
    }
}

/* Zeros past the item's end; in pieces, so that a bad address ends it early. */
static bool fw_cfg_dma_read(FWCfgState *s, AddressSpace *as, hwaddr addr, uint32_t len)
{
    static const uint8_t zeros[FW_CFG_CHUNK];

    while (len) {
        gsize rest_len;
        const uint8_t *rest = fw_cfg_rest(s, &rest_len);
        uint32_t n = MIN(len, FW_CFG_CHUNK);

        n = rest ? MIN(n, rest_len) : n;
        if (address_space_write(as, addr, MEMTXATTRS_DMA, rest ? rest : zeros, n) != MEMTX_OK) {
            return false;
        }
        fw_cfg_skip(s, n);
        addr += n;
        len -= n;
    }
    return true;
}

/* All of it lies within a writable item, or nothing is written. */
static bool fw_cfg_dma_write(FWCfgState *s, AddressSpace *as, hwaddr addr, uint32_t len)
{
    FWCfgItem *item = s->cur_key == FW_CFG_NO_KEY ? NULL : fw_cfg_item(s, s->cur_key);
    gsize size = item && item->data ? g_bytes_get_size(item->data) : 0;

    if (!item || !item->writable || s->cur_offset > size || len > size - s->cur_offset) {
        return false;
    }
    g_autofree uint8_t *copy = g_memdup2(g_bytes_get_data(item->data, NULL), size);
    if (len && address_space_read(as, addr, MEMTXATTRS_DMA, copy + s->cur_offset, len) != MEMTX_OK) {
        return false;
    }
    fw_cfg_set_bytes(s, s->cur_key, copy, size);
    fw_cfg_skip(s, len);
    if (item->write) {
        item->write(item->write_opaque, copy, size);
    }
    return true;
}

static uint32_t fw_cfg_dma_run(FWCfgState *s, AddressSpace *as, uint32_t control, uint32_t len,
                               hwaddr addr)
{
    if (control & FW_CFG_DMA_SELECT) {
        fw_cfg_select(s, control >> 16);
    }
    if (control & FW_CFG_DMA_READ) {
        return fw_cfg_dma_read(s, as, addr, len) ? 0 : FW_CFG_DMA_ERROR;
    }
    if (control & FW_CFG_DMA_WRITE) {
        return fw_cfg_dma_write(s, as, addr, len) ? 0 : FW_CFG_DMA_ERROR;
    }
    if (control & FW_CFG_DMA_SKIP) {
        fw_cfg_skip(s, len);
    }
    return 0;
}

static void fw_cfg_dma_start(FWCfgState *s)
{
    AddressSpace *as = &qdev_get_machine(s)->address_space_memory;
    struct {
        uint32_t control, length;
        uint64_t address;
    } d;
    hwaddr at = s->dma_addr;

    s->dma_addr = 0;
    if (address_space_read(as, at, MEMTXATTRS_DMA, &d, sizeof(d)) != MEMTX_OK) {
        return;
    }
    uint32_t result = fw_cfg_dma_run(s, as, GUINT32_FROM_BE(d.control), GUINT32_FROM_BE(d.length),
                                     GUINT64_FROM_BE(d.address));
    result = GUINT32_TO_BE(result);
    address_space_write(as, at, MEMTXATTRS_DMA, &result, sizeof(result));
}

static uint64_t fw_cfg_dma_port_read(void *opaque, hwaddr addr, unsigned size)
{
    uint64_t be = GUINT64_TO_BE(FW_CFG_DMA_MAGIC);
    uint64_t value = 0;

    memcpy(&value, (uint8_t *)&be + addr, MIN(size, sizeof(be) - addr));
    return GUINT64_FROM_LE(value);
}

static void fw_cfg_dma_port_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    FWCfgState *s = opaque;

    if (size == 4 && addr == 0) {
        s->dma_addr = (uint64_t)GUINT32_SWAP_LE_BE((uint32_t)value) << 32;
    } else if (size == 4 && addr == 4) {
        s->dma_addr |= GUINT32_SWAP_LE_BE((uint32_t)value);
        fw_cfg_dma_start(s);
    } else if (size == 8 && addr == 0) {
        s->dma_addr = GUINT64_SWAP_LE_BE(value);
        fw_cfg_dma_start(s);
    }
}

static const MemoryRegionOps fw_cfg_port_ops = {
    .read = fw_cfg_port_read,
    .write = fw_cfg_port_write,
    .valid = {.min_access_size = 1, .max_access_size = 2},
    .impl = {.min_access_size = 1, .max_access_size = 2},
};

static const MemoryRegionOps fw_cfg_dma_ops = {
    .read = fw_cfg_dma_port_read,
    .write = fw_cfg_dma_port_write,
    .valid = {.min_access_size = 1, .max_access_size = 8},
    .impl = {.min_access_size = 1, .max_access_size = 8},
};

/* ---- the device -------------------------------------------------------------------- */

static bool fw_cfg_realize(DeviceState *dev, GError **error)
{
    FWCfgState *s = FW_CFG(dev);
    MemoryRegion *ports = qdev_get_machine(dev)->system_io;

    memory_region_init_io(&s->io, OBJECT(dev), &fw_cfg_port_ops, s, "fwcfg", 2);
    memory_region_add_subregion(ports, s->iobase, &s->io);
    if (s->dma_enabled) {
        memory_region_init_io(&s->dma_io, OBJECT(dev), &fw_cfg_dma_ops, s, "fwcfg.dma", 8);
        memory_region_add_subregion(ports, s->iobase + 4, &s->dma_io);
    }
    fw_cfg_set_bytes(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_set_u32(s, FW_CFG_ID, FW_CFG_ID_PORTS | (s->dma_enabled ? FW_CFG_ID_DMA : 0));
    fw_cfg_update_directory(s);
    return true;
}

static void fw_cfg_reset(DeviceState *dev, ResetType type)
{
    FWCfgState *s = FW_CFG(dev);

    s->cur_key = FW_CFG_SIGNATURE;
    s->cur_offset = 0;
    s->dma_addr = 0;
}

static void fw_cfg_finalize(Object *obj)
{
    FWCfgState *s = FW_CFG(obj);

    for (unsigned i = 0; i < FW_CFG_KEY_COUNT; i++) {
        g_clear_pointer(&s->items[0][i].data, g_bytes_unref);
        g_clear_pointer(&s->items[1][i].data, g_bytes_unref);
    }
}

static const Property fw_cfg_properties[] = {
    DEFINE_PROP_BOOL("dma_enabled", FWCfgState, dma_enabled, true, "offer the DMA interface"),
    DEFINE_PROP_UINT32("iobase", FWCfgState, iobase, 0x510, "first I/O port", .max = 0xfff0),
    DEFINE_PROP_END,
};

static const StateField fw_cfg_state[] = {
    STATE_FIELD(FWCfgState, cur_key),
    STATE_FIELD(FWCfgState, cur_offset),
    STATE_FIELD(FWCfgState, dma_addr),
    STATE_END,
};

static void fw_cfg_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = fw_cfg_realize;
    dc->reset_enter = fw_cfg_reset;
    dc->user_creatable = false;
    dc->state = fw_cfg_state;
}

static const TypeInfo fw_cfg_types[] = {
    {
     .name = TYPE_FW_CFG_IO,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(FWCfgState),
     .instance_finalize = fw_cfg_finalize,
     .class_init = fw_cfg_class_init,
     .properties = fw_cfg_properties,
     .doc = "firmware configuration on I/O ports",
     },
};

DEFINE_TYPES(fw_cfg_types)
