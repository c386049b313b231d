/* SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <string.h>
#include "hw/acpi/aml.h"
#include "hw/i386/acpi-build.h"

static void check_aml(Aml *a, const char *hex)
{
    g_autoptr(GByteArray) code = aml_free(a);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < code->len; i++) {
        g_string_append_printf(text, "%02x", code->data[i]);
    }
    g_assert_cmpstr(text->str, ==, hex);
}

/* Encodings worked out by hand from ACPI 6.5, 20.2. */
static void test_aml_data(void)
{
    Aml *a = aml_new();

    aml_int(a, 0);
    aml_int(a, 1);
    aml_int(a, 2);
    aml_int(a, 0x1234);
    aml_int(a, 0x12345678);
    aml_int(a, 0x123456789abcdef0);
    aml_string(a, "ab");
    aml_eisaid(a, "PNP0A03");
    aml_bytes(a, "\x55", 1);
    check_aml(a, "00010a020b34120c785634120ef0debc9a785634120d6162000c41d00a0311030155");
}

static void test_aml_names(void)
{
    Aml *a = aml_new();

    aml_ref(a, "A");
    aml_ref(a, "\\_SB.PCI0");
    aml_ref(a, "\\_SB.PCI0.ISA");
    aml_ref(a, "^FOO");
    aml_ref(a, "\\");
    check_aml(a, "415f5f5f5c2e5f53425f504349305c2f035f53425f504349304953415f5e464f4f5f5c00");
}

static void test_aml_package_length(void)
{
    static const struct {
        size_t content;
        const char *length;
    } rows[] = {
        {0x3a,  "3f"    },
        {0x3b,  "4104"  },
        {0xff9, "4fff"  },
        {0xffa, "810001"}
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Aml *a = aml_new();

        aml_scope(a, "ABCD");
        for (size_t n = 0; n < rows[i].content - 1; n++) {
            aml_int(a, 0);
        }
        aml_int(a, 1);
        aml_end(a);
        g_autoptr(GByteArray) code = aml_free(a);
        for (size_t n = 0; n < strlen(rows[i].length) / 2; n++) {
            g_autofree char *byte = g_strdup_printf("%02x", code->data[1 + n]);
            g_assert_cmpint(strncmp(byte, rows[i].length + 2 * n, 2), ==, 0);
        }
        g_assert_cmpuint(code->len, ==, 1 + strlen(rows[i].length) / 2 + 4 + rows[i].content);
    }
}

static void test_aml_resources(void)
{
    Aml *a = aml_new();

    aml_resources(a);
    aml_res_io(a, 0x3f8, 0, 8);
    aml_res_irq(a, 4);
    aml_end(a);
    check_aml(a, "11100a0d4701f803f80300082210007900");
}

/* ---- tables ------------------------------------------------------------------------ */

#define BASE 0x1ffe0000u

static const AcpiPcConfig *pc_config(unsigned nr_cpus, unsigned max_cpus)
{
    static uint32_t ids[300];
    static AcpiPcConfig c;

    for (uint32_t i = 0; i < 300; i++) {
        ids[i] = i;
    }
    c = (AcpiPcConfig){
        .chipset = &acpi_chipset_i440fx,
        .apic_ids = ids,
        .nr_cpus = nr_cpus,
        .max_cpus = max_cpus,
        .pm_base = 0x600,
        .gpe_base = 0xafe0,
        .sleep_types = {0, 0, 0, 1, 2, 0},
        .hpet = true,
        .i8042 = true,
        .rtc = true,
        .fw_cfg = true,
        .ioapic = true,
        .serial_ports = 3,
        .hole_start = 0x20000000,
        .hole_end = 0xfebfffff,
        .hole64_start = 1ull << 32,
        .hole64_end = 0x17fffffff
    };
    return &c;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, 4);
    return value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;

    while (len--) {
        s += *p++;
    }
    return s;
}

static const uint8_t *table_at(const AcpiTables *t, uint32_t address)
{
    g_assert_cmpuint(address, >=, BASE);
    g_assert_cmpuint(address - BASE + 36, <=, t->data->len);
    return t->data->data + (address - BASE);
}

/* As a kernel finds it: RSDP -> RSDT -> table. */
static const uint8_t *find_table(const AcpiTables *t, const char *signature)
{
    uint8_t rsdp[ACPI_RSDP_SIZE];

    acpi_rsdp_resolved(t, BASE, rsdp);
    g_assert_cmpint(sum(rsdp, sizeof(rsdp)), ==, 0);
    g_assert_cmpint(memcmp(rsdp, "RSD PTR ", 8), ==, 0);
    const uint8_t *rsdt = table_at(t, get32(rsdp + 16));
    g_assert_cmpint(sum(rsdt, get32(rsdt + 4)), ==, 0);
    for (uint32_t i = 36; i < get32(rsdt + 4); i += 4) {
        const uint8_t *table = table_at(t, get32(rsdt + i));
        g_assert_cmpint(sum(table, get32(table + 4)), ==, 0);
        if (!memcmp(table, signature, 4)) {
            return table;
        }
    }
    return NULL;
}

static void test_tables_found(void)
{
    static const char *const names[] = {"FACP", "APIC", "HPET", "WAET"};
    g_autoptr(AcpiTables) t = acpi_build_pc(pc_config(2, 2));

    acpi_tables_resolve(t, BASE);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_nonnull(find_table(t, names[i]));
    }
    const uint8_t *fadt = find_table(t, "FACP");
    g_assert_cmpuint(get32(fadt + 4), ==, 244);
    g_assert_cmpint(memcmp(t->data->data + (get32(fadt + 36) - BASE), "FACS", 4), ==, 0);
    g_assert_cmpint(memcmp(table_at(t, get32(fadt + 40)), "DSDT", 4), ==, 0);
    g_assert_cmpuint(get32(fadt + 36) % 64, ==, 0);
    g_assert_cmpuint(get32(fadt + 140), ==, get32(fadt + 40)); /* X_DSDT */
    g_assert_cmpuint(get32(fadt + 56), ==, 0x600);
}

static void test_no_hpet(void)
{
    AcpiPcConfig c = *pc_config(1, 1);

    c.hpet = false;
    g_autoptr(AcpiTables) t = acpi_build_pc(&c);
    acpi_tables_resolve(t, BASE);
    g_assert_null(find_table(t, "HPET"));
}

static unsigned count_madt(const uint8_t *madt, uint8_t type)
{
    unsigned n = 0;

    for (uint32_t i = 44; i < get32(madt + 4); i += madt[i + 1]) {
        g_assert_cmpuint(madt[i + 1], >=, 6);
        n += madt[i] == type;
    }
    return n;
}

static void test_madt(void)
{
    g_autoptr(AcpiTables) small = acpi_build_pc(pc_config(2, 4));
    g_autoptr(AcpiTables) large = acpi_build_pc(pc_config(300, 300));

    acpi_tables_resolve(small, BASE);
    acpi_tables_resolve(large, BASE);
    const uint8_t *madt = find_table(small, "APIC");
    g_assert_cmpuint(count_madt(madt, 0), ==, 4);
    g_assert_cmpuint(count_madt(madt, 2), ==, 5);
    g_assert_cmpuint(get32(madt + 44 + 8 + 4), ==, 1);     /* CPU 1 is there */
    g_assert_cmpuint(get32(madt + 44 + 2 * 8 + 4), ==, 0); /* CPU 2 is not */
    madt = find_table(large, "APIC");
    g_assert_cmpuint(count_madt(madt, 0), ==, 255);
    g_assert_cmpuint(count_madt(madt, 9), ==, 45);
    g_assert_cmpuint(count_madt(madt, 10), ==, 1);
}

/* What firmware does with the commands gives what we resolve ourselves. */
static void apply_script(GBytes *script, GByteArray *tables, uint8_t *rsdp)
{
    gsize len;
    const uint8_t *c = g_bytes_get_data(script, &len);

    g_assert_cmpuint(len % 128, ==, 0);
    for (; len; c += 128, len -= 128) {
        uint8_t *file = !strcmp((const char *)c + 4, ACPI_RSDP_FILE) ? rsdp : tables->data;
        if (get32(c) == 2) {
            uint64_t value = 0;
            uint32_t offset = get32(c + 4 + 112);
            uint8_t bytes = c[4 + 116];
            g_assert_cmpstr((const char *)c + 60, ==, ACPI_TABLES_FILE);
            memcpy(&value, file + offset, bytes);
            value += BASE;
            memcpy(file + offset, &value, bytes);
        } else if (get32(c) == 3) {
            uint32_t offset = get32(c + 60), start = get32(c + 64), length = get32(c + 68);
            file[offset] -= sum(file + start, length);
        } else {
            g_assert_cmpuint(get32(c), ==, 1);
        }
    }
}

static void test_loader_script(void)
{
    g_autoptr(AcpiTables) a = acpi_build_pc(pc_config(2, 2));
    g_autoptr(AcpiTables) b = acpi_build_pc(pc_config(2, 2));
    g_autoptr(GBytes) script = acpi_loader_script(a);
    g_autoptr(GBytes) template = acpi_rsdp_template(a);
    uint8_t rsdp[ACPI_RSDP_SIZE], expect[ACPI_RSDP_SIZE];

    memcpy(rsdp, g_bytes_get_data(template, NULL), sizeof(rsdp));
    apply_script(script, a->data, rsdp);
    acpi_tables_resolve(b, BASE);
    acpi_rsdp_resolved(b, BASE, expect);
    g_assert_cmpmem(a->data->data, a->data->len, b->data->data, b->data->len);
    g_assert_cmpmem(rsdp, sizeof(rsdp), expect, sizeof(expect));
}

/* Intel's compiler reads every table without complaint. */
static bool disassemble(const char *dir, const char *name, const uint8_t *data)
{
    g_autofree char *file = g_build_filename(dir, name, NULL);
    g_autofree char *out = NULL;
    const char *argv[] = {"iasl", "-d", file, NULL};
    int status;

    g_assert_true(g_file_set_contents(file, (const char *)data, get32(data + 4), NULL));
    if (!g_spawn_sync(dir, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, &out, NULL, &status, NULL)) {
        return false;
    }
    g_assert_cmpint(status, ==, 0);
    return true;
}

static void test_iasl(void)
{
    g_autoptr(AcpiTables) t = acpi_build_pc(pc_config(2, 300));
    g_autofree char *dir = g_dir_make_tmp("acpi-XXXXXX", NULL);
    g_autofree char *program = g_find_program_in_path("iasl");
    g_autofree char *clean = g_strdup_printf("rm -rf '%s'", dir);

    if (!program) {
        g_test_skip("no iasl here");
    } else {
        acpi_tables_resolve(t, BASE);
        const uint8_t *fadt = find_table(t, "FACP");
        g_assert_true(disassemble(dir, "facp.aml", fadt));
        g_assert_true(disassemble(dir, "apic.aml", find_table(t, "APIC")));
        g_assert_true(disassemble(dir, "dsdt.aml", table_at(t, get32(fadt + 40))));
    }
    g_assert_cmpint(g_spawn_command_line_sync(clean, NULL, NULL, NULL, NULL), ==, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aml/data", test_aml_data);
    g_test_add_func("/aml/names", test_aml_names);
    g_test_add_func("/aml/package-length", test_aml_package_length);
    g_test_add_func("/aml/resources", test_aml_resources);
    g_test_add_func("/acpi/found", test_tables_found);
    g_test_add_func("/acpi/no-hpet", test_no_hpet);
    g_test_add_func("/acpi/madt", test_madt);
    g_test_add_func("/acpi/loader-script", test_loader_script);
    g_test_add_func("/acpi/iasl", test_iasl);
    return g_test_run();
}
