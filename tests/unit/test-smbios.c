/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "hw/i386/mptable.h"
#include "hw/smbios/smbios.h"

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;

    while (len--) {
        s += *p++;
    }
    return s;
}

/* The structure after the one at `at` (6.1.1, 6.1.3). */
static size_t next(const GByteArray *t, size_t at)
{
    at += t->data[at + 1];
    while (t->data[at] || t->data[at + 1]) {
        at++;
    }
    return at + 2;
}

static size_t find(const GByteArray *t, uint8_t type)
{
    size_t at = 0;

    while (at < t->len && t->data[at] != type) {
        at = next(t, at);
    }
    return at;
}

static GByteArray *build(SmbiosConfig *config, bool firmware, uint8_t entry[SMBIOS_ENTRY_SIZE])
{
    const SmbiosMachine machine = {firmware, 3ull << 30, 29ull << 30, 2, 4, 8, 0x60fb1, 0x78bfbfd};

    return smbios_build(config, &machine, entry);
}

static void test_structures(void)
{
    static const uint8_t types[] = {0, 1, 3, 4, 16, 17, 19, 32, 127};
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    uint8_t entry[SMBIOS_ENTRY_SIZE];
    g_autoptr(GByteArray) t = build(config, false, entry);
    unsigned count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_cmpuint(find(t, types[i]), <, t->len);
    }
    for (size_t at = 0; at < t->len; at = next(t, at)) {
        count++;
    }
    g_assert_cmpuint(count, ==, entry[0x1c] | entry[0x1d] << 8);
    g_assert_cmpuint(t->len, ==, entry[0x16] | entry[0x17] << 8);
    smbios_entry_set_address(entry, 0x1ffe1234);
    g_assert_cmpint(sum(entry, SMBIOS_ENTRY_SIZE), ==, 0);
    g_assert_cmpint(sum(entry + 16, 15), ==, 0);
    g_assert_cmpint(memcmp(entry + 0x18, "\x34\x12\xfe\x1f", 4), ==, 0);
}

static void test_firmware_brings_type_0(void)
{
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    uint8_t entry[SMBIOS_ENTRY_SIZE];
    g_autoptr(GByteArray) t = build(config, true, entry);

    g_assert_cmpuint(find(t, 0), ==, t->len);
}

static void test_options(void)
{
    static const char *const bad[] = {"type=1,foo=1", "type=300",       "serial=1",        "type",
                                      "file=/none",   "type=1,uuid=12", "type=2,product=x"};
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    uint8_t entry[SMBIOS_ENTRY_SIZE];
    static const uint8_t uuid[16] = {0x33, 0x22, 0x11, 0,    0x55, 0x44, 0x77, 0x66,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

    g_assert_true(smbios_config_option(
        config, "type=1,serial=S1,uuid=00112233-4455-6677-8899-aabbccddeeff", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(smbios_config_option(config, bad[i], &error));
        g_assert_nonnull(strstr(error->message, "-smbios"));
    }
    g_autoptr(GByteArray) t = build(config, false, entry);
    size_t at = find(t, 1);
    g_assert_cmpint(memcmp(t->data + at + 8, uuid, 16), ==, 0);
    g_assert_nonnull(memmem(t->data + at, next(t, at) - at, "S1", 3));
}

static uint8_t pci_pin(unsigned slot, unsigned pin)
{
    return (uint8_t)(slot == 1 && pin == 0 ? 9 : 16 + (slot + pin) % 4);
}

/* Lengths of the entries by type (MP 1.4, 4.3). */
static void test_mptable(void)
{
    static const uint8_t lengths[] = {20, 8, 8, 8, 8};
    static const uint32_t ids[] = {0, 1, 2, 255};
    const MPTableConfig config = {ids, 4, 0x60fb1, 0x78bfbfd, pci_pin};
    g_autoptr(GByteArray) t = mptable_build(&config, 0xf6000);
    const uint8_t *header = t->data + 16;
    unsigned counts[5] = {0}, total = 0;

    g_assert_cmpint(memcmp(t->data, "_MP_\x10\x60\x0f\0\x01\x04", 10), ==, 0);
    g_assert_cmpuint(sum(t->data, 16), ==, 0);
    g_assert_cmpuint(header[4] | header[5] << 8, ==, t->len - 16);
    g_assert_cmpuint(sum(header, t->len - 16), ==, 0);
    for (size_t i = 16 + 44; i < t->len; i += lengths[t->data[i]]) {
        g_assert_cmpuint(t->data[i], <=, 4);
        counts[t->data[i]]++;
        total++;
    }
    g_assert_cmpuint(total, ==, header[34] | header[35] << 8);
    g_assert_cmpuint(counts[0], ==, 3); /* APIC ID 255 cannot be said */
    g_assert_cmpuint(counts[1], ==, 2);
    g_assert_cmpuint(counts[3], ==, 31 * 4 + 14); /* ISA has all but 2 and 9 */
    g_assert_cmpuint(counts[4], ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smbios/structures", test_structures);
    g_test_add_func("/smbios/firmware", test_firmware_brings_type_0);
    g_test_add_func("/mptable", test_mptable);
    g_test_add_func("/smbios/options", test_options);
    return g_test_run();
}
