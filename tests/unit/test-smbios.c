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

static bool find_pci(void *opaque, const char *id, uint8_t *ret_bus, uint8_t *ret_devfn)
{
    *ret_bus = 1;
    *ret_devfn = 0x12;
    return !strcmp(id, opaque);
}

static GByteArray *build(SmbiosConfig *config, bool firmware, bool wide, GByteArray **entry)
{
    const SmbiosMachine machine = {.firmware = firmware,
                                   .entry_point_64 = wide,
                                   .below_4g = 3ull << 30,
                                   .above_4g = 29ull << 30,
                                   .sockets = 2,
                                   .cores_per_socket = 4,
                                   .threads_per_socket = 8,
                                   .cpu_signature = 0x60fb1,
                                   .cpu_features = 0x78bfbfd,
                                   .find_pci = find_pci,
                                   .opaque = (void *)"nic0"};

    return smbios_build(config, &machine, entry, NULL);
}

static void test_structures(void)
{
    static const uint8_t types[] = {0, 1, 3, 4, 16, 17, 19, 32, 127};
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    g_autoptr(GByteArray) entry = NULL;
    g_autoptr(GByteArray) t = build(config, false, false, &entry);
    unsigned count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_cmpuint(find(t, types[i]), <, t->len);
    }
    for (size_t at = 0; at < t->len; at = next(t, at)) {
        count++;
    }
    g_assert_cmpuint(entry->len, ==, SMBIOS_ENTRY_SIZE);
    g_assert_cmpuint(count, ==, entry->data[0x1c] | entry->data[0x1d] << 8);
    g_assert_cmpuint(t->len, ==, entry->data[0x16] | entry->data[0x17] << 8);
    smbios_entry_locate(entry, 0x1ffe1234);
    g_assert_cmpint(sum(entry->data, SMBIOS_ENTRY_SIZE), ==, 0);
    g_assert_cmpint(sum(entry->data + 16, 15), ==, 0);
    g_assert_cmpint(memcmp(entry->data + 0x18, "\x34\x12\xfe\x1f", 4), ==, 0);
}

/* 5.2.2 of version 3.0. */
static void test_entry_point_64(void)
{
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    g_autoptr(GByteArray) entry = NULL;
    g_autoptr(GByteArray) t = build(config, true, true, &entry);

    smbios_entry_locate(entry, 0x1ffe1234);
    g_assert_cmpuint(entry->len, ==, SMBIOS_ENTRY64_SIZE);
    g_assert_cmpint(memcmp(entry->data, "_SM3_", 5), ==, 0);
    g_assert_cmpuint(sum(entry->data, entry->len), ==, 0);
    g_assert_cmpuint(entry->data[0xc] | entry->data[0xd] << 8, ==, t->len);
    g_assert_cmpint(memcmp(entry->data + 0x10, "\x34\x12\xfe\x1f\0\0\0\0", 8), ==, 0);
}

static void test_firmware_brings_type_0(void)
{
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    g_autoptr(GByteArray) entry = NULL, again = NULL;
    g_autoptr(GByteArray) t = build(config, true, false, &entry);

    g_assert_cmpuint(find(t, 0), ==, t->len);
    g_assert_true(smbios_config_option(config, "type=0,vendor=V", NULL));
    g_autoptr(GByteArray) u = build(config, true, false, &again);
    g_assert_cmpuint(find(u, 0), <, u->len);
}

static void test_bad_options(void)
{
    static const char *const bad[] = {
        "type=1,foo=1",   "type=300",          "serial=1",       "type",
        "file=/none",     "type=1,uuid=12",    "type=9",         "type=0,release=x",
        "type=0,uefi=so", "type=17,speed=x",   "type=2,speed=1", "type=4,max-speed=65536",
        "type=11,path=/", "type=8,port_type=", "type=41,kind=x", "type=41,instance=256",
        "type=11,value=", "type=3,uuid=1",     "file=/x,type=1",
    };
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(smbios_config_option(config, bad[i], &error));
        g_assert_nonnull(strstr(error->message, "-smbios"));
    }
    g_autoptr(SmbiosConfig) other = smbios_config_new("product", "version");
    g_assert_true(smbios_config_option(other, "type=41,pcidev=ghost", NULL));
    GByteArray *entry = NULL;
    g_assert_null(build(other, true, false, &entry));
}

static bool has_text(const GByteArray *t, uint8_t type, const char *text)
{
    size_t at = find(t, type);

    return at < t->len && memmem(t->data + at, next(t, at) - at, text, strlen(text) + 1);
}

static void test_options(void)
{
    static const char *const options[] = {
        "type=0,vendor=V0,version=W0,date=01/02/2003,release=3.4,uefi=on",
        "type=1,serial=S1,uuid=00112233-4455-6677-8899-aabbccddeeff,family=a,,b",
        "type=2,manufacturer=M2,location=L2",
        "type=3,sku=K3",
        "type=4,sock_pfx=SP,part=P4,max-speed=4000,current-speed=3000",
        "internal_reference=ir,external_reference=er,type=8,connector_type=1,port_type=2",
        "type=11,value=one,value=two",
        "type=17,bank=B17,speed=2400",
        "type=41,designation=onb,kind=ethernet,instance=2,pcidev=nic0",
    };
    static const struct {
        uint8_t type;
        const char *text;
    } texts[] = {
        {0, "V0"}, {1, "S1"},  {1, "a,b"}, {2, "M2"},  {2, "L2"},  {3, "K3"},   {4, "SP 0"},
        {4, "P4"}, {8, "ir"},  {8, "er"},  {11, "one"}, {11, "two"}, {17, "B17"}, {41, "onb"},
    };
    static const uint8_t uuid[16] = {0x33, 0x22, 0x11, 0,    0x55, 0x44, 0x77, 0x66,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    g_autoptr(SmbiosConfig) config = smbios_config_new("product", "version");
    g_autoptr(GByteArray) entry = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        GError *error = NULL;
        smbios_config_option(config, options[i], &error);
        g_assert_no_error(error);
    }
    g_autoptr(GByteArray) t = build(config, true, false, &entry);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(has_text(t, texts[i].type, texts[i].text));
    }
    g_assert_cmpint(memcmp(t->data + find(t, 1) + 8, uuid, 16), ==, 0);
    const uint8_t *bios = t->data + find(t, 0), *cpu = t->data + find(t, 4);
    const uint8_t *onboard = t->data + find(t, 41);
    g_assert_cmphex(bios[0x13] & 0x08, ==, 0x08);
    g_assert_cmpuint(bios[0x14] * 10 + bios[0x15], ==, 34);
    g_assert_cmpuint(cpu[0x14] | cpu[0x15] << 8, ==, 4000);
    g_assert_cmphex(onboard[5], ==, 0x85);
    g_assert_cmphex(onboard[9] << 8 | onboard[10], ==, 0x0112);
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
    g_test_add_func("/smbios/bad-options", test_bad_options);
    g_test_add_func("/smbios/entry-point-64", test_entry_point_64);
    return g_test_run();
}
