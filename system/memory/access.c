/* SPDX-License-Identifier: MIT
 *
 * Access to an address space: RAM by copy, devices in the sizes they take.
 */
#include <string.h>

#include "system/memory/memory-internal.h"

/* What an access of up to `len` bytes at addr meets first. */
typedef struct Target {
    MemoryRegion *mr; /* NULL: nothing is mapped */
    hwaddr offset;    /* in mr */
    size_t len;       /* bytes of it that lie there */
    uint8_t *host;    /* RAM that may be accessed this way, or NULL */
    bool ignored;     /* a write to ROM */
} Target;

static Target resolve(AddressSpace *as, hwaddr addr, size_t len, bool is_write, bool rom_too)
{
    const FlatView *view = address_space_view(as);
    const FlatRange *r = flatview_lookup(view, addr);
    Target t = {.len = len};

    if (!r) {
        t.len = MIN(len, 4096 - (size_t)(addr & 4095));
        return t;
    }
    hwaddr room = r->last - addr;
    t.mr = r->mr;
    t.offset = r->offset_in_region + (addr - r->start);
    t.len = room < len ? (size_t)room + 1 : len;
    bool to_ram = r->mr->ram && (!is_write || !r->readonly || rom_too);
    bool to_romd = r->mr->rom_device && (rom_too || (!is_write && r->romd));
    if (to_ram || to_romd) {
        t.host = r->mr->ram_block->host + t.offset;
    }
    t.ignored = is_write && !t.host && (r->mr->ram || (r->readonly && !r->mr->ops));
    return t;
}

/* The largest access of a device, aligned, within what is left. */
static unsigned piece_size(const Target *t)
{
    unsigned max = t->mr && t->mr->ops && t->mr->ops->valid.max_access_size
                       ? t->mr->ops->valid.max_access_size
                       : 4;
    unsigned size = MIN(max, 8);

    while (size > t->len || (t->offset & (size - 1))) {
        size >>= 1;
    }
    return size;
}

static MemTxResult read_device(const Target *t, uint8_t *buf, unsigned size, MemTxAttrs attrs)
{
    uint64_t data = UINT64_MAX;
    MemTxResult result = MEMTX_DECODE_ERROR;

    if (t->mr) {
        result = memory_region_dispatch_read(t->mr, t->offset, &data, size, attrs);
    }
    memcpy(buf, &data, size);
    return result;
}

static MemTxResult write_device(const Target *t, const uint8_t *buf, unsigned size,
                                MemTxAttrs attrs)
{
    uint64_t data = 0;

    memcpy(&data, buf, size);
    return t->mr ? memory_region_dispatch_write(t->mr, t->offset, data, size, attrs)
                 : MEMTX_DECODE_ERROR;
}

static void write_ram(const Target *t, const void *buf, size_t len)
{
    memcpy(t->host, buf, len);
    ram_block_written(t->mr->ram_block, t->offset, len);
}

static MemTxResult read_some(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, uint8_t *buf,
                             size_t len, size_t *done)
{
    Target t = resolve(as, addr, len, false, false);

    if (t.host) {
        memcpy(buf, t.host, t.len);
        *done = t.len;
        return MEMTX_OK;
    }
    *done = piece_size(&t);
    return read_device(&t, buf, (unsigned)*done, attrs);
}

static MemTxResult write_some(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const uint8_t *buf,
                              size_t len, bool rom_too, size_t *done)
{
    Target t = resolve(as, addr, len, true, rom_too);

    *done = t.len;
    if (t.host) {
        write_ram(&t, buf, t.len);
        return MEMTX_OK;
    }
    if (t.ignored || rom_too) {
        return MEMTX_OK;
    }
    *done = piece_size(&t);
    return write_device(&t, buf, (unsigned)*done, attrs);
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf,
                               size_t len)
{
    MemTxResult result = MEMTX_OK;
    size_t done;

    memory_read_lock();
    for (size_t at = 0; at < len; at += done) {
        result |= read_some(as, addr + at, attrs, (uint8_t *)buf + at, len - at, &done);
    }
    memory_read_unlock();
    return result;
}

static MemTxResult write_all(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                             size_t len, bool rom_too)
{
    MemTxResult result = MEMTX_OK;
    size_t done;

    memory_read_lock();
    for (size_t at = 0; at < len; at += done) {
        result |= write_some(as, addr + at, attrs, (const uint8_t *)buf + at, len - at, rom_too,
                             &done);
    }
    memory_read_unlock();
    return result;
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                                size_t len)
{
    return write_all(as, addr, attrs, buf, len, false);
}

MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, const void *buf, size_t len)
{
    return write_all(as, addr, MEMTXATTRS_NONE, buf, len, true);
}

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c, size_t len,
                              MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    uint8_t chunk[4096];

    memset(chunk, c, sizeof(chunk));
    for (size_t at = 0; at < len; at += sizeof(chunk)) {
        result |= address_space_write(as, addr + at, attrs, chunk, MIN(len - at, sizeof(chunk)));
    }
    return result;
}

/* A guest may misalign; the host's ISA is the guest's and takes it. */
typedef uint16_t __attribute__((aligned(1))) Unaligned16;
typedef uint32_t __attribute__((aligned(1))) Unaligned32;
typedef uint64_t __attribute__((aligned(1))) Unaligned64;

/* RAM of one size is read and written as one: other vCPUs see all of it or nothing. */
static uint64_t load_host(const void *host, unsigned size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)host;
    case 2:
        return *(const volatile Unaligned16 *)host;
    case 4:
        return *(const volatile Unaligned32 *)host;
    default:
        return *(const volatile Unaligned64 *)host;
    }
}

static void store_host(void *host, uint64_t data, unsigned size)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)host = (uint8_t)data;
        break;
    case 2:
        *(volatile Unaligned16 *)host = (uint16_t)data;
        break;
    case 4:
        *(volatile Unaligned32 *)host = (uint32_t)data;
        break;
    default:
        *(volatile Unaligned64 *)host = data;
        break;
    }
}

MemTxResult address_space_load(AddressSpace *as, hwaddr addr, uint64_t *ret_data, unsigned size,
                               MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;

    memory_read_lock();
    Target t = resolve(as, addr, size, false, false);
    if (t.len < size) {
        *ret_data = 0;
        result = address_space_read(as, addr, attrs, ret_data, size);
    } else if (t.host) {
        *ret_data = load_host(t.host, size);
    } else if (t.mr) {
        result = memory_region_dispatch_read(t.mr, t.offset, ret_data, size, attrs);
    } else {
        *ret_data = size == 8 ? UINT64_MAX : (1ull << size * 8) - 1;
        result = MEMTX_DECODE_ERROR;
    }
    memory_read_unlock();
    return result;
}

MemTxResult address_space_store(AddressSpace *as, hwaddr addr, uint64_t data, unsigned size,
                                MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;

    memory_read_lock();
    Target t = resolve(as, addr, size, true, false);
    if (t.len < size) {
        result = address_space_write(as, addr, attrs, &data, size);
    } else if (t.host) {
        store_host(t.host, data, size);
        ram_block_written(t.mr->ram_block, t.offset, size);
    } else if (t.mr && !t.ignored) {
        result = memory_region_dispatch_write(t.mr, t.offset, data, size, attrs);
    } else if (!t.mr) {
        result = MEMTX_DECODE_ERROR;
    }
    memory_read_unlock();
    return result;
}

void *address_space_map(AddressSpace *as, hwaddr addr, size_t *len, bool is_write)
{
    memory_read_lock();
    Target t = resolve(as, addr, *len, is_write, false);
    if (!t.host) {
        memory_read_unlock();
        return NULL;
    }
    *len = t.len;
    memory_read_unlock();
    return t.host;
}

void address_space_unmap(AddressSpace *as, void *host, size_t len, bool is_write,
                         size_t access_len)
{
    size_t offset;

    (void)as;
    (void)len;
    if (is_write && access_len) {
        RAMBlock *block = ram_block_from_host(host, &offset);
        ram_block_written(block, offset, access_len);
    }
}
