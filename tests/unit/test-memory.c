/* SPDX-License-Identifier: MIT
 *
 * Regions, flat views, listeners, access sizes.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "system/memory/memory.h"

typedef struct Device {
    uint8_t reg[64];
    unsigned reads, writes, last_size;
    hwaddr last_addr;
} Device;

static uint64_t dev_read(void *opaque, hwaddr addr, unsigned size)
{
    Device *d = opaque;
    uint64_t v = 0;

    d->reads++;
    d->last_size = size;
    d->last_addr = addr;
    memcpy(&v, d->reg + addr, size);
    return v;
}

static void dev_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Device *d = opaque;

    d->writes++;
    d->last_size = size;
    d->last_addr = addr;
    memcpy(d->reg + addr, &data, size);
}

static const MemoryRegionOps any_ops = {.read = dev_read, .write = dev_write};
static const MemoryRegionOps word_ops = {
    .read = dev_read,
    .write = dev_write,
    .valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
    .impl = {.min_access_size = 4, .max_access_size = 4},
};
static const MemoryRegionOps byte_only_ops = {
    .read = dev_read,
    .write = dev_write,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

typedef struct Map {
    MemoryRegion root;
    AddressSpace as;
} Map;

static void map_init(Map *m)
{
    memory_region_init(&m->root, NULL, "root", UINT64_MAX);
    address_space_init(&m->as, &m->root, "test");
}

static void map_finish(Map *m)
{
    address_space_finish(&m->as);
    memory_region_finish(&m->root);
}

static uint64_t load(Map *m, hwaddr addr, unsigned size)
{
    uint64_t v = 0;

    address_space_load(&m->as, addr, &v, size, MEMTXATTRS_NONE);
    return v;
}

static void test_overlap(void)
{
    Map m;
    MemoryRegion ram, over, alias, hole;
    Device dev = {0};

    map_init(&m);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x10000, NULL));
    memory_region_init_io(&over, NULL, &any_ops, &dev, "over", 16);
    memory_region_init_alias(&alias, NULL, "alias", &ram, 0x8000, 0x1000);
    memory_region_init(&hole, NULL, "container", 0x1000);
    memory_region_add_subregion(&m.root, 0, &ram);
    memory_region_add_subregion_overlap(&m.root, 0x4008, &over, 1);
    memory_region_add_subregion(&m.root, 0x100000, &alias);
    memory_region_add_subregion_overlap(&m.root, 0x2000, &hole, 9); /* hides nothing */

    address_space_store(&m.as, 0x8010, 0x1122334455667788, 8, MEMTXATTRS_NONE);
    g_assert_cmphex(load(&m, 0x100010, 8), ==, 0x1122334455667788);
    g_assert_cmphex(load(&m, 0x100014, 4), ==, 0x11223344);
    dev.reg[0] = 0xab;
    g_assert_cmphex(load(&m, 0x4008, 1), ==, 0xab);
    g_assert_cmphex(load(&m, 0x4007, 1), ==, 0);
    g_assert_cmphex(load(&m, 0x2000, 4), ==, 0);
    memory_region_set_enabled(&over, false);
    g_assert_cmphex(load(&m, 0x4008, 1), ==, 0);
    memory_region_set_alias_offset(&alias, 0x4000);
    g_assert_cmphex(load(&m, 0x100010, 8), ==, 0);
    g_assert_cmphex(load(&m, 0x7fffffffffff, 2), ==, 0xffff);
    uint64_t v;
    g_assert_cmpuint(address_space_load(&m.as, 1ull << 40, &v, 4, MEMTXATTRS_NONE), ==,
                     MEMTX_DECODE_ERROR);

    /* A transfer that crosses from RAM into nothing. */
    uint8_t buf[32] = {0};
    g_assert_cmpuint(address_space_read(&m.as, 0xfff0, MEMTXATTRS_NONE, buf, 32), ==,
                     MEMTX_DECODE_ERROR);
    g_assert_cmphex(buf[31], ==, 0xff);
    map_finish(&m);
    memory_region_finish(&alias);
    memory_region_finish(&over);
    memory_region_finish(&hole);
    memory_region_finish(&ram);
}

static void test_sizes(void)
{
    Map m;
    MemoryRegion word, byte;
    Device dev = {0}, bdev = {0};

    map_init(&m);
    memory_region_init_io(&word, NULL, &word_ops, &dev, "word", 64);
    memory_region_init_io(&byte, NULL, &byte_only_ops, &bdev, "byte", 64);
    memory_region_add_subregion(&m.root, 0x1000, &word);
    memory_region_add_subregion(&m.root, 0x2000, &byte);
    for (int i = 0; i < 64; i++) {
        dev.reg[i] = bdev.reg[i] = (uint8_t)i;
    }
    g_assert_cmphex(load(&m, 0x1001, 1), ==, 0x01);
    g_assert_true(dev.last_size == 4 && dev.last_addr == 0 && dev.reads == 1);
    g_assert_cmphex(load(&m, 0x1002, 2), ==, 0x0302);
    g_assert_cmphex(load(&m, 0x1008, 8), ==, 0x0f0e0d0c0b0a0908);
    g_assert_cmphex(load(&m, 0x1003, 4), ==, 0x06050403);
    uint64_t v;
    g_assert_cmpuint(address_space_load(&m.as, 0x2000, &v, 2, MEMTXATTRS_NONE), ==,
                     MEMTX_DECODE_ERROR);
    g_assert_cmpuint(bdev.reads, ==, 0);
    uint8_t buf[4];
    g_assert_cmpuint(address_space_read(&m.as, 0x2003, MEMTXATTRS_NONE, buf, 4), ==, MEMTX_OK);
    g_assert_true(buf[0] == 3 && buf[3] == 6 && bdev.reads == 4);
    map_finish(&m);
    memory_region_finish(&word);
    memory_region_finish(&byte);
}

static void test_rom(void)
{
    Map m;
    MemoryRegion rom, flash;
    Device dev = {0};

    map_init(&m);
    g_assert_true(memory_region_init_rom(&rom, NULL, "rom", 0x1000, NULL));
    g_assert_true(
        memory_region_init_rom_device(&flash, NULL, &any_ops, &dev, "flash", 0x1000, NULL));
    memory_region_add_subregion(&m.root, 0, &rom);
    memory_region_add_subregion(&m.root, 0x1000, &flash);
    address_space_store(&m.as, 8, 0x55, 1, MEMTXATTRS_NONE);
    g_assert_cmphex(load(&m, 8, 1), ==, 0);
    address_space_write_rom(&m.as, 8, "\x66", 1);
    g_assert_cmphex(load(&m, 8, 1), ==, 0x66);
    address_space_write_rom(&m.as, 0x1008, "\x77", 1);
    g_assert_cmphex(load(&m, 0x1008, 1), ==, 0x77);
    address_space_store(&m.as, 0x1008, 0x55, 1, MEMTXATTRS_NONE);
    g_assert_true(dev.writes == 1 && dev.reg[8] == 0x55);
    g_assert_cmphex(load(&m, 0x1008, 1), ==, 0x77);
    memory_region_rom_device_set_romd(&flash, false);
    g_assert_cmphex(load(&m, 0x1008, 1), ==, 0x55);
    map_finish(&m);
    memory_region_finish(&rom);
    memory_region_finish(&flash);
}

typedef struct Recorder {
    MemoryListener l;
    GString *log;
    int fds;
} Recorder;

static void rec_add(MemoryListener *l, const FlatRange *r)
{
    g_string_append_printf(((Recorder *)l)->log, "+%x-%x ", (unsigned)r->start, (unsigned)r->last);
}

static void rec_del(MemoryListener *l, const FlatRange *r)
{
    g_string_append_printf(((Recorder *)l)->log, "-%x-%x ", (unsigned)r->start, (unsigned)r->last);
}

static void rec_reset(MemoryListener *l)
{
    ((Recorder *)l)->fds = 0;
}

static void rec_fd(MemoryListener *l, const FlatRange *r, hwaddr addr, unsigned size, bool match,
                   uint64_t data, int fd)
{
    (void)r, (void)size, (void)match, (void)data, (void)fd;
    g_assert_cmphex(addr, ==, 0x3004);
    ((Recorder *)l)->fds++;
}

static void rec_expect(Recorder *r, const char *log)
{
    g_assert_cmpstr(r->log->str, ==, log);
    g_string_truncate(r->log, 0);
}

static void test_listener(void)
{
    Map m;
    MemoryRegion ram, io;
    Device dev = {0};
    Recorder r = {.l = {.region_add = rec_add, .region_del = rec_del,
                        .eventfds_reset = rec_reset, .eventfd_add = rec_fd},
                  .log = g_string_new(NULL)};
    int fd = eventfd(0, EFD_NONBLOCK);

    map_init(&m);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x4000, NULL));
    memory_region_init_io(&io, NULL, &any_ops, &dev, "io", 0x1000);
    memory_region_add_subregion(&m.root, 0, &ram);
    memory_listener_register(&r.l, &m.as);
    rec_expect(&r, "+0-3fff ");
    memory_region_add_subregion_overlap(&m.root, 0x1000, &io, 1);
    rec_expect(&r, "-0-3fff +0-fff +1000-1fff +2000-3fff ");
    memory_region_transaction_begin();
    memory_region_set_address(&io, 0x2000);
    memory_region_set_address(&io, 0x3000);
    memory_region_transaction_commit();
    rec_expect(&r, "-0-fff -1000-1fff -2000-3fff +0-2fff +3000-3fff ");
    memory_region_add_eventfd(&io, 4, 2, true, 9, fd);
    g_assert_cmpint(r.fds, ==, 1);
    address_space_store(&m.as, 0x3004, 9, 2, MEMTXATTRS_NONE);
    uint64_t count = 0;
    g_assert_cmpint(read(fd, &count, 8), ==, 8);
    g_assert_true(count == 1 && dev.writes == 0);
    address_space_store(&m.as, 0x3004, 8, 2, MEMTXATTRS_NONE);
    g_assert_cmpuint(dev.writes, ==, 1);
    memory_region_del_eventfd(&io, 4, 2, true, 9, fd);
    g_assert_cmpint(r.fds, ==, 0);
    memory_listener_unregister(&r.l);
    rec_expect(&r, "-0-2fff -3000-3fff ");
    map_finish(&m);
    memory_region_finish(&io);
    memory_region_finish(&ram);
    g_string_free(r.log, TRUE);
    close(fd);
}

static void test_top(void)
{
    Map m;
    MemoryRegion high;
    Device dev = {0};

    map_init(&m);
    memory_region_init_io(&high, NULL, &any_ops, &dev, "high", 64);
    memory_region_add_subregion(&m.root, UINT64_MAX - 63, &high);
    dev.reg[63] = 0x42;
    g_assert_cmphex(load(&m, UINT64_MAX, 1), ==, 0x42);
    map_finish(&m);
    memory_region_finish(&high);
}

/* What was written since it was last asked, by page, through an alias too. */
static void test_dirty(void)
{
    Map m;
    MemoryRegion ram, window;
    uint64_t dirty[DIRTY_WORDS(0x100000)];
    uint8_t bytes[0x3000] = {0};

    map_init(&m);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x100000, NULL));
    memory_region_init_alias(&window, NULL, "window", &ram, 0x10000, 0x20000);
    memory_region_add_subregion(&m.root, 0xa0000, &window);
    g_assert_false(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));
    memory_region_set_log(&ram, true);
    g_assert_true(memory_region_fetch_dirty(&ram, 0, 0x80000, dirty));
    g_assert_cmphex(dirty[0], ==, UINT64_MAX);
    g_assert_cmphex(dirty[1], ==, UINT64_MAX);
    g_assert_true(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));
    g_assert_false(dirty_test(dirty, 0, 0, 0x80000));
    g_assert_true(dirty_test(dirty, 0, 0x7ffff, 2));
    g_assert_false(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));

    address_space_write(&m.as, 0xa1fff, MEMTXATTRS_NONE, bytes, 2);
    address_space_store(&m.as, 0xa4000, 0, 4, MEMTXATTRS_NONE);
    g_assert_true(memory_region_fetch_dirty(&window, 0x1000, 0x8000, dirty));
    g_assert_cmphex(dirty[0], ==, 0xb);
    g_assert_true(dirty_test(dirty, 0x1000, 0x4800, 1));
    g_assert_false(dirty_test(dirty, 0x1000, 0x3000, 0x1000));
    g_assert_false(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));

    memory_region_set_dirty(&ram, 0xff000, 0x1000);
    size_t len = sizeof(bytes);
    void *host = address_space_map(&m.as, 0xa0800, &len, true);
    address_space_unmap(&m.as, host, len, true, 0x1000);
    g_assert_true(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));
    g_assert_cmphex(dirty[0], ==, 0x30000);
    g_assert_cmphex(dirty[3], ==, 1ull << 63);
    memory_region_set_log(&ram, false);
    g_assert_false(memory_region_fetch_dirty(&ram, 0, 0x100000, dirty));
    memory_region_del_subregion(&m.root, &window);
    map_finish(&m);
    memory_region_finish(&window);
    memory_region_finish(&ram);
}

typedef struct Race {
    Map *m;
    gint stop;
} Race;

static gpointer race_reader(gpointer opaque)
{
    Race *race = opaque;

    vmm_thread_register();
    while (!g_atomic_int_get(&race->stop)) {
        uint64_t v = load(race->m, 0x1000, 4);
        g_assert_true(v == 0x01010101 || v == 0xffffffff);
    }
    vmm_thread_unregister();
    return NULL;
}

static void test_race(void)
{
    Map m;
    MemoryRegion ram;
    Race race = {.m = &m};

    map_init(&m);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x4000, NULL));
    memset(memory_region_get_ram_ptr(&ram), 1, 0x4000);
    memory_region_add_subregion(&m.root, 0, &ram);
    GThread *reader = g_thread_new("reader", race_reader, &race);
    for (int i = 0; i < 2000; i++) {
        memory_region_set_enabled(&ram, i & 1);
    }
    g_atomic_int_set(&race.stop, 1);
    g_thread_join(reader);
    map_finish(&m);
    memory_region_finish(&ram);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/overlap", test_overlap);
    g_test_add_func("/memory/sizes", test_sizes);
    g_test_add_func("/memory/rom", test_rom);
    g_test_add_func("/memory/listener", test_listener);
    g_test_add_func("/memory/top", test_top);
    g_test_add_func("/memory/dirty", test_dirty);
    g_test_add_func("/memory/race", test_race);
    return g_test_run();
}
