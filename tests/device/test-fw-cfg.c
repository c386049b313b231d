/* SPDX-License-Identifier: MIT */
#include "hw/nvram/fw_cfg.h"
#include <string.h>
#include "device-test.h"
#include "hw/acpi/smi-features.h"

#define PORT_SELECT 0x510
#define PORT_DATA   0x511
#define PORT_DMA    0x514
#define DESCRIPTOR  0x1000
#define BUFFER      0x2000

typedef struct Fixture {
    DeviceTest *t;
    FWCfgState *s;
    MemoryRegion ram;
} Fixture;

static void fixture_set_up(Fixture *f, gconstpointer data)
{
    f->t = device_test_new();
    memory_region_init_ram(&f->ram, OBJECT(f->t->machine), "ram", 0x100000, NULL);
    memory_region_add_subregion(f->t->machine->system_memory, 0, &f->ram);
    f->s = fw_cfg_from_device(device_test_add(f->t, TYPE_FW_CFG_IO));
}

static void fixture_tear_down(Fixture *f, gconstpointer data)
{
    memory_region_del_subregion(f->t->machine->system_memory, &f->ram);
    memory_region_finish(&f->ram);
    device_test_free(f->t);
}

static void test_signature(Fixture *f, gconstpointer data)
{
    static const char expect[] = "QEMU";

    test_outw(f->t, PORT_SELECT, FW_CFG_SIGNATURE);
    for (int i = 0; i < 4; i++) {
        g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, (uint8_t)expect[i]);
    }
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 0);
    test_outw(f->t, PORT_SELECT, FW_CFG_ID);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 3);
    g_assert_cmphex(test_inl(f->t, PORT_DMA), ==, 0x554d4551); /* "QEMU" */
    g_assert_cmphex(test_inl(f->t, PORT_DMA + 4), ==, 0x47464320);
    g_assert_cmphex(test_inb(f->t, PORT_DMA + 1), ==, 'E');
}

static void test_items(Fixture *f, gconstpointer data)
{
    fw_cfg_set_u16(f->s, FW_CFG_NB_CPUS, 0x1234);
    fw_cfg_set_u16(f->s, FW_CFG_NB_CPUS, 0x0201); /* replaced */
    fw_cfg_set_u32(f->s, FW_CFG_IRQ0_OVERRIDE, 1);
    test_outw(f->t, PORT_SELECT, FW_CFG_NB_CPUS);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 1);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 2);
    test_outw(f->t, PORT_SELECT, FW_CFG_IRQ0_OVERRIDE);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 1);
    /* Keys that do not exist read zeros. */
    test_outw(f->t, PORT_SELECT, 0x3fff);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 0);
    test_outw(f->t, PORT_SELECT, FW_CFG_KERNEL_DATA);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 0);
}

/* What a guest gets for a name in the directory. */
static uint16_t find_file(Fixture *f, const char *name, uint32_t *ret_size)
{
    uint32_t count = 0;

    test_outw(f->t, PORT_SELECT, FW_CFG_FILE_DIR);
    for (int i = 0; i < 4; i++) {
        count = count << 8 | test_inb(f->t, PORT_DATA);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t e[64];
        for (int j = 0; j < 64; j++) {
            e[j] = test_inb(f->t, PORT_DATA);
        }
        if (!strcmp((char *)e + 8, name)) {
            *ret_size = (uint32_t)e[0] << 24 | e[1] << 16 | e[2] << 8 | e[3];
            return (uint16_t)(e[4] << 8 | e[5]);
        }
    }
    return 0;
}

static void test_files(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) bytes = g_bytes_new("hello", 5);
    g_autofree char *long_name = g_strnfill(56, 'n');
    g_autoptr(GError) error = NULL;
    uint32_t size;

    g_assert_true(fw_cfg_add_file(f->s, "etc/one", bytes, NULL));
    g_assert_true(fw_cfg_add_file(f->s, "etc/two", bytes, NULL));
    g_assert_false(fw_cfg_add_file(f->s, "etc/two", bytes, &error));
    g_clear_error(&error);
    g_assert_false(fw_cfg_add_file(f->s, long_name, bytes, &error));
    g_clear_error(&error);
    uint16_t key = find_file(f, "etc/two", &size);
    g_assert_cmpuint(key, ==, FW_CFG_FILE_FIRST + 1);
    g_assert_cmpuint(size, ==, 5);
    test_outw(f->t, PORT_SELECT, key);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 'h');
    /* The directory is sorted: keys of what stands behind move up. */
    g_autoptr(GBytes) other = g_bytes_new("other", 5);
    g_assert_true(fw_cfg_add_file(f->s, "etc/a", other, NULL));
    g_assert_cmpuint(find_file(f, "etc/a", &size), ==, FW_CFG_FILE_FIRST);
    g_assert_cmpuint(find_file(f, "etc/two", &size), ==, FW_CFG_FILE_FIRST + 2);
    test_outw(f->t, PORT_SELECT, FW_CFG_FILE_FIRST);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 'o');
    test_outw(f->t, PORT_SELECT, FW_CFG_FILE_FIRST + 2);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 'h');
    for (int i = 3; i < FW_CFG_FILE_SLOTS; i++) {
        g_autofree char *name = g_strdup_printf("file%d", i);
        g_assert_true(fw_cfg_add_file(f->s, name, bytes, NULL));
    }
    g_assert_false(fw_cfg_add_file(f->s, "one more", bytes, &error));
}

static void count_select(void *opaque)
{
    ++*(int *)opaque;
}

static void test_callback(Fixture *f, gconstpointer data)
{
    uint32_t size;
    int count = 0;

    fw_cfg_add_board_file(f->s, "etc/made", "x", 1);
    fw_cfg_set_file_callback(f->s, "etc/made", count_select, &count);
    test_outw(f->t, PORT_SELECT, find_file(f, "etc/made", &size));
    g_assert_cmpint(count, ==, 1);
    test_inb(f->t, PORT_DATA);
    g_assert_cmpint(count, ==, 1);
}

static uint32_t run_dma(Fixture *f, uint32_t control, uint32_t length, uint64_t address)
{
    test_write(f->t, DESCRIPTOR, GUINT32_TO_BE(control), 4);
    test_write(f->t, DESCRIPTOR + 4, GUINT32_TO_BE(length), 4);
    test_write(f->t, DESCRIPTOR + 8, GUINT64_TO_BE(address), 8);
    test_outl(f->t, PORT_DMA, 0);
    test_outl(f->t, PORT_DMA + 4, GUINT32_TO_BE(DESCRIPTOR));
    return GUINT32_FROM_BE((uint32_t)test_read(f->t, DESCRIPTOR, 4));
}

static void test_dma(Fixture *f, gconstpointer data)
{
    fw_cfg_set_bytes(f->s, FW_CFG_KERNEL_DATA, "abcdefgh", 8);
    /* Select, skip 2, read 4: then past the end, zeros. */
    g_assert_cmphex(run_dma(f, FW_CFG_KERNEL_DATA << 16 | 8 | 4, 2, 0), ==, 0);
    g_assert_cmphex(run_dma(f, 2, 4, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 4), ==, 0x66656463);
    test_write(f->t, BUFFER, UINT64_MAX, 8);
    g_assert_cmphex(run_dma(f, 2, 8, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 8), ==, 0x6867);
    /* Nothing takes writes; nothing is at 1 GiB. */
    g_assert_cmphex(run_dma(f, FW_CFG_KERNEL_DATA << 16 | 8 | 16, 4, BUFFER), ==, 1);
    g_assert_cmphex(run_dma(f, FW_CFG_KERNEL_DATA << 16 | 8 | 2, UINT32_MAX, 0x40000000), ==, 1);
}

static void note_write(void *opaque, const uint8_t *data, size_t size)
{
    *(uint64_t *)opaque = data[0] | (uint64_t)size << 32;
}

static void test_writable(Fixture *f, gconstpointer data)
{
    uint64_t seen = 0;
    uint32_t size;
    uint16_t key;

    fw_cfg_add_board_file(f->s, "etc/written", "abcd", 4);
    fw_cfg_set_file_writable(f->s, "etc/written", note_write, &seen);
    key = find_file(f, "etc/written", &size);
    test_write(f->t, BUFFER, 0x5655, 2);
    g_assert_cmphex(run_dma(f, (uint32_t)key << 16 | 8 | 4, 1, 0), ==, 0);
    g_assert_cmphex(run_dma(f, 16, 2, BUFFER), ==, 0);
    g_assert_cmphex(seen, ==, 4ull << 32 | 'a');
    g_assert_cmphex(run_dma(f, 16, 2, BUFFER), ==, 1); /* beyond its end */
    g_assert_cmphex(run_dma(f, (uint32_t)key << 16 | 8 | 2, 4, BUFFER), ==, 0);
    g_assert_cmphex(test_read(f->t, BUFFER, 4), ==, 0x64565561);
}

static uint32_t write_u64(Fixture *f, const char *name, uint64_t value)
{
    uint32_t size;

    test_write(f->t, BUFFER, value, 8);
    return run_dma(f, (uint32_t)find_file(f, name, &size) << 16 | 8 | 16, 8, BUFFER);
}

static uint64_t read_file(Fixture *f, const char *name)
{
    uint32_t size;
    uint16_t key = find_file(f, name, &size);

    test_write(f->t, BUFFER, 0, 8);
    g_assert_cmphex(run_dma(f, (uint32_t)key << 16 | 8 | 2, size, BUFFER), ==, 0);
    return test_read(f->t, BUFFER, 8);
}

static void test_smi_features(Fixture *f, gconstpointer data)
{
    SMIFeatures features = {0};

    smi_features_init(&features, f->s, SMI_FEATURE_BROADCAST | SMI_FEATURE_CPU_HOTPLUG);
    g_assert_cmphex(read_file(f, "etc/smi/supported-features"), ==, 3);
    g_assert_cmphex(write_u64(f, "etc/smi/supported-features", 1), ==, 1);
    write_u64(f, "etc/smi/requested-features", 4);
    g_assert_cmphex(read_file(f, "etc/smi/features-ok"), ==, 0); /* not supported */
    write_u64(f, "etc/smi/requested-features", 2);
    g_assert_cmphex(read_file(f, "etc/smi/features-ok"), ==, 0); /* hot-plug needs broadcast */
    g_assert_false(smi_features_has(&features, SMI_FEATURE_CPU_HOTPLUG));
    write_u64(f, "etc/smi/requested-features", 3);
    g_assert_cmphex(read_file(f, "etc/smi/features-ok"), ==, 1);
    g_assert_true(smi_features_has(&features, SMI_FEATURE_BROADCAST));
    write_u64(f, "etc/smi/requested-features", 0);
    g_assert_cmphex(read_file(f, "etc/smi/requested-features"), ==, 3);
    g_assert_cmphex(read_file(f, "etc/smi/features-ok"), ==, 1);
    smi_features_reset(&features);
    g_assert_cmphex(read_file(f, "etc/smi/requested-features"), ==, 0);
    g_assert_false(smi_features_has(&features, SMI_FEATURE_BROADCAST));
}

static void test_options(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {
        "name=x", "string=x", "name=x,string=a,file=b", "x,foo=1", "name=x,file=/nonexistent", ""};
    uint32_t size;

    g_assert_true(fw_cfg_add_option(f->s, "name=opt/a,string=b,,c", NULL));
    g_assert_true(fw_cfg_add_option(f->s, "opt/d,string=", NULL));
    test_outw(f->t, PORT_SELECT, find_file(f, "opt/a", &size));
    g_assert_cmpuint(size, ==, 3);
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, 'b');
    g_assert_cmphex(test_inb(f->t, PORT_DATA), ==, ',');
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(fw_cfg_add_option(f->s, bad[i], &error));
        g_assert_nonnull(error);
    }
}

static void test_noise(Fixture *f, gconstpointer data)
{
    test_poke_ports(f->t, PORT_SELECT, 12, 20000);
    test_reset(f->t);
    test_signature(f, NULL);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/fw_cfg/signature", test_signature);
    ADD("/fw_cfg/items", test_items);
    ADD("/fw_cfg/files", test_files);
    ADD("/fw_cfg/callback", test_callback);
    ADD("/fw_cfg/dma", test_dma);
    ADD("/fw_cfg/writable", test_writable);
    ADD("/fw_cfg/smi-features", test_smi_features);
    ADD("/fw_cfg/options", test_options);
    ADD("/fw_cfg/noise", test_noise);
    return g_test_run();
}
