/* SPDX-License-Identifier: MIT
 *
 * DMTF DSP0134, System Management BIOS Reference Specification 2.8: 5.2.1 (entry point), 6.1
 * (structures), 7.1, 7.2, 7.4, 7.5, 7.17, 7.18, 7.20, 7.33, 7.45 (types 0, 1, 3, 4, 16, 17, 19,
 * 32, 127).
 */
#include "hw/smbios/smbios.h"
#include <string.h>

G_DEFINE_QUARK(smbios - error, smbios_error)

#define MIB              (1024ull * 1024)
#define GIB              (1024ull * MIB)
#define DIMM_MAX         (16 * GIB)
#define UNKNOWN_SIZE_KIB 0x80000000u /* "in the extended field" */

/* Structure handles: one range a type, as the firmware of a pc has them. */
#define HANDLE_BIOS      0x0000u
#define HANDLE_SYSTEM    0x0100u
#define HANDLE_CHASSIS   0x0300u
#define HANDLE_PROCESSOR 0x0400u
#define HANDLE_ARRAY     0x1000u
#define HANDLE_DIMM      0x1100u
#define HANDLE_MAPPING   0x1300u
#define HANDLE_BOOT      0x2000u
#define HANDLE_END       0x7f00u
#define HANDLE_NONE      0xfffeu

typedef enum SmbiosText {
    BIOS_VENDOR,
    BIOS_VERSION,
    BIOS_DATE,
    SYSTEM_VENDOR,
    SYSTEM_PRODUCT,
    SYSTEM_VERSION,
    SYSTEM_SERIAL,
    SYSTEM_SKU,
    SYSTEM_FAMILY,
    CHASSIS_VENDOR,
    CHASSIS_VERSION,
    CHASSIS_SERIAL,
    CHASSIS_ASSET,
    CPU_SOCKET,
    CPU_VENDOR,
    CPU_VERSION,
    DIMM_LOCATOR,
    DIMM_VENDOR,
    TEXT_COUNT,
} SmbiosText;

typedef struct TextRow {
    uint8_t type;
    const char *key;
} TextRow;

static const TextRow text_rows[TEXT_COUNT] = {
    [BIOS_VENDOR] = {0,  "vendor"      },
      [BIOS_VERSION] = {0,  "version"     },
    [BIOS_DATE] = {0,  "date"        },
      [SYSTEM_VENDOR] = {1,  "manufacturer"},
    [SYSTEM_PRODUCT] = {1,  "product"     },
      [SYSTEM_VERSION] = {1,  "version"     },
    [SYSTEM_SERIAL] = {1,  "serial"      },
      [SYSTEM_SKU] = {1,  "sku"         },
    [SYSTEM_FAMILY] = {1,  "family"      },
      [CHASSIS_VENDOR] = {3,  "manufacturer"},
    [CHASSIS_VERSION] = {3,  "version"     },
      [CHASSIS_SERIAL] = {3,  "serial"      },
    [CHASSIS_ASSET] = {3,  "asset"       },
      [CPU_SOCKET] = {4,  "sock_pfx"    },
    [CPU_VENDOR] = {4,  "manufacturer"},
      [CPU_VERSION] = {4,  "version"     },
    [DIMM_LOCATOR] = {17, "loc_pfx"     },
      [DIMM_VENDOR] = {17, "manufacturer"},
};

struct SmbiosConfig {
    char *text[TEXT_COUNT]; /* NULL: not given */
    uint8_t uuid[16];
    GPtrArray *files; /* of GBytes */
};

/* ---- configuration -------------------------------------------------------------- */

static void set_text(SmbiosConfig *config, SmbiosText which, const char *value)
{
    g_free(config->text[which]);
    config->text[which] = g_strdup(value);
}

SmbiosConfig *smbios_config_new(const char *product, const char *version)
{
    static const SmbiosText vendors[] = {SYSTEM_VENDOR, CHASSIS_VENDOR, CPU_VENDOR, DIMM_VENDOR};
    static const SmbiosText versions[] = {SYSTEM_VERSION, CHASSIS_VERSION, CPU_VERSION};
    SmbiosConfig *config = g_new0(SmbiosConfig, 1);

    config->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (size_t i = 0; i < G_N_ELEMENTS(vendors); i++) {
        set_text(config, vendors[i], "Quoin");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        set_text(config, versions[i], version);
    }
    set_text(config, BIOS_VENDOR, "Quoin");
    set_text(config, BIOS_VERSION, "1");
    set_text(config, BIOS_DATE, "04/01/2014");
    set_text(config, SYSTEM_PRODUCT, product);
    set_text(config, CPU_SOCKET, "CPU");
    set_text(config, DIMM_LOCATOR, "DIMM");
    return config;
}

void smbios_config_free(SmbiosConfig *config)
{
    if (config) {
        for (int i = 0; i < TEXT_COUNT; i++) {
            g_free(config->text[i]);
        }
        g_ptr_array_unref(config->files);
        g_free(config);
    }
}

/* The first three fields are little-endian since 2.6 (7.2.1). */
void smbios_config_set_uuid(SmbiosConfig *config, const uint8_t uuid[16])
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (int i = 0; i < 16; i++) {
        config->uuid[i] = uuid[order[i]];
    }
}

static bool option_error(GError **error, const char *what, const char *text)
{
    g_set_error(error, SMBIOS_ERROR, SMBIOS_ERROR_OPTION, "-smbios: %s '%s'", what, text);
    return false;
}

bool smbios_parse_uuid(const char *text, uint8_t uuid[16])
{
    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (int i = 0; i < 16; text++) {
        if (*text != '-') {
            uuid[i++] =
                (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
            text++;
        }
    }
    return true;
}

static bool option_set(SmbiosConfig *config, uint64_t type, const char *key, const char *value,
                       GError **error)
{
    uint8_t uuid[16];

    if (type == 1 && !strcmp(key, "uuid")) {
        if (!smbios_parse_uuid(value, uuid)) {
            return option_error(error, "not a UUID:", value);
        }
        smbios_config_set_uuid(config, uuid);
        return true;
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        if (text_rows[i].type == type && !strcmp(text_rows[i].key, key)) {
            set_text(config, i, value);
            return true;
        }
    }
    return option_error(error, "this type has no field", key);
}

static bool option_file(SmbiosConfig *config, const char *path, GError **error)
{
    char *data;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, error)) {
        g_prefix_error(error, "-smbios: ");
        return false;
    }
    if (len < 4 || len > UINT16_MAX || (uint8_t)data[1] < 4 || (uint8_t)data[1] > len) {
        g_free(data);
        return option_error(error, "not a structure:", path);
    }
    g_ptr_array_add(config->files, g_bytes_new_take(data, len));
    return true;
}

bool smbios_config_option(SmbiosConfig *config, const char *option, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(option, ",", -1);
    guint64 type = G_MAXUINT64;

    for (int i = 0; parts[i]; i++) {
        g_auto(GStrv) kv = g_strsplit(parts[i], "=", 2);
        if (!kv[0] || !kv[1]) {
            return option_error(error, "expected key=value, not", parts[i]);
        }
        if (!strcmp(kv[0], "file")) {
            return option_file(config, kv[1], error);
        }
        if (!strcmp(kv[0], "type")) {
            if (!g_ascii_string_to_unsigned(kv[1], 10, 0, 255, &type, NULL)) {
                return option_error(error, "type is a number from 0 to 255, not", kv[1]);
            }
        } else if (type == G_MAXUINT64) {
            return option_error(error, "type= must come before", parts[i]);
        } else if (!option_set(config, type, kv[0], kv[1], error)) {
            return false;
        }
    }
    return true;
}

/* ---- structures --------------------------------------------------------------------- */

typedef struct Builder {
    const SmbiosConfig *config;
    GByteArray *out;
    guint start;      /* of the open structure */
    GString *strings; /* of the open structure */
    unsigned nr_strings, count, largest;
} Builder;

static void put(Builder *b, uint64_t value, unsigned bytes)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(b->out, (uint8_t *)&value, bytes);
}

static void begin(Builder *b, uint8_t type, uint16_t handle)
{
    b->start = b->out->len;
    b->nr_strings = 0;
    g_string_truncate(b->strings, 0);
    put(b, type, 1);
    put(b, 0, 1); /* length */
    put(b, handle, 2);
}

/* The number of a string in this structure's list; 0: none (6.1.3). */
static void put_text(Builder *b, const char *text)
{
    if (!text || !*text) {
        put(b, 0, 1);
        return;
    }
    g_string_append(b->strings, text);
    g_string_append_c(b->strings, 0);
    put(b, ++b->nr_strings, 1);
}

static void put_config_text(Builder *b, SmbiosText which)
{
    put_text(b, b->config->text[which]);
}

static void put_numbered_text(Builder *b, SmbiosText which, unsigned n)
{
    g_autofree char *text = g_strdup_printf("%s %u", b->config->text[which], n);

    put_text(b, text);
}

static void note_size(Builder *b)
{
    b->largest = MAX(b->largest, b->out->len - b->start);
    b->count++;
}

static void end(Builder *b)
{
    b->out->data[b->start + 1] = (uint8_t)(b->out->len - b->start);
    g_byte_array_append(b->out, (uint8_t *)b->strings->str, b->strings->len);
    put(b, 0, b->nr_strings ? 1 : 2);
    note_size(b);
}

static void put_bios(Builder *b)
{
    begin(b, 0, HANDLE_BIOS);
    put_config_text(b, BIOS_VENDOR);
    put_config_text(b, BIOS_VERSION);
    put(b, 0xe800, 2); /* segment */
    put_config_text(b, BIOS_DATE);
    put(b, 0, 1);      /* ROM size: 64 KiB */
    put(b, 1 << 3, 8); /* characteristics are not supported */
    put(b, 0, 1);
    put(b, 0x14, 1); /* targeted content distribution, a virtual machine */
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, 0xffff, 2); /* no embedded controller */
    end(b);
}

static void put_system(Builder *b)
{
    begin(b, 1, HANDLE_SYSTEM);
    put_config_text(b, SYSTEM_VENDOR);
    put_config_text(b, SYSTEM_PRODUCT);
    put_config_text(b, SYSTEM_VERSION);
    put_config_text(b, SYSTEM_SERIAL);
    g_byte_array_append(b->out, b->config->uuid, 16);
    put(b, 6, 1); /* woken by the power switch */
    put_config_text(b, SYSTEM_SKU);
    put_config_text(b, SYSTEM_FAMILY);
    end(b);
}

static void put_chassis(Builder *b)
{
    begin(b, 3, HANDLE_CHASSIS);
    put_config_text(b, CHASSIS_VENDOR);
    put(b, 1, 1); /* other */
    put_config_text(b, CHASSIS_VERSION);
    put_config_text(b, CHASSIS_SERIAL);
    put_config_text(b, CHASSIS_ASSET);
    put(b, 0x03030303, 4); /* boot, power, thermal: safe; security: none */
    put(b, 0, 4);
    put(b, 0, 1); /* height, cords, contained elements */
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, 0, 1); /* SKU */
    end(b);
}

static void put_processor(Builder *b, const SmbiosMachine *m, unsigned n)
{
    uint8_t cores = MIN(m->cores_per_socket, 255), threads = MIN(m->threads_per_socket, 255);

    begin(b, 4, HANDLE_PROCESSOR + n);
    put_numbered_text(b, CPU_SOCKET, n);
    put(b, 3, 1); /* central processor */
    put(b, 1, 1); /* family: other */
    put_config_text(b, CPU_VENDOR);
    put(b, m->cpu_signature, 4);
    put(b, m->cpu_features, 4);
    put_config_text(b, CPU_VERSION);
    put(b, 0, 1);    /* voltage */
    put(b, 0, 2);    /* external clock: unknown */
    put(b, 2000, 2); /* MHz */
    put(b, 2000, 2);
    put(b, 0x41, 1);   /* populated, enabled */
    put(b, 1, 1);      /* upgrade: other */
    put(b, 0xffff, 2); /* caches: not described */
    put(b, 0xffff, 2);
    put(b, 0xffff, 2);
    put(b, 0, 1); /* serial, asset, part */
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, cores, 1);
    put(b, cores, 1);
    put(b, threads, 1);
    put(b, 2, 2); /* characteristics: unknown */
    put(b, 1, 2); /* family 2: other */
    put(b, m->cores_per_socket, 2);
    put(b, m->cores_per_socket, 2);
    put(b, m->threads_per_socket, 2);
    end(b);
}

static void put_memory_array(Builder *b, uint64_t size, unsigned dimms)
{
    uint64_t kib = size / 1024;
    bool extended = kib >= UNKNOWN_SIZE_KIB;

    begin(b, 16, HANDLE_ARRAY);
    put(b, 1, 1); /* other location, system memory, multi-bit ECC */
    put(b, 3, 1);
    put(b, 6, 1);
    put(b, extended ? UNKNOWN_SIZE_KIB : kib, 4);
    put(b, HANDLE_NONE, 2);
    put(b, dimms, 2);
    put(b, extended ? size : 0, 8);
    end(b);
}

static void put_dimm(Builder *b, unsigned n, uint64_t size)
{
    uint64_t mib = size / MIB;

    begin(b, 17, HANDLE_DIMM + n);
    put(b, HANDLE_ARRAY, 2);
    put(b, HANDLE_NONE, 2);
    put(b, 0xffff, 2); /* widths: unknown */
    put(b, 0xffff, 2);
    put(b, MIN(mib, 0x7fff), 2);
    put(b, 9, 1); /* DIMM, in no set */
    put(b, 0, 1);
    put_numbered_text(b, DIMM_LOCATOR, n);
    put(b, 0, 1);
    put(b, 7, 1); /* RAM, other detail */
    put(b, 2, 2);
    put(b, 0, 2); /* speed */
    put_config_text(b, DIMM_VENDOR);
    put(b, 0, 1); /* serial, asset, part, attributes */
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, mib > 0x7fff ? mib : 0, 4);
    put(b, 0, 2); /* configured speed and voltages */
    put(b, 0, 2);
    put(b, 0, 2);
    put(b, 0, 2);
    end(b);
}

static void put_mapping(Builder *b, unsigned n, uint64_t start, uint64_t size)
{
    uint64_t last = start + size - 1;
    bool extended = last / 1024 >= UINT32_MAX;

    if (!size) {
        return;
    }
    begin(b, 19, HANDLE_MAPPING + n);
    put(b, extended ? UINT32_MAX : start / 1024, 4);
    put(b, extended ? UINT32_MAX : last / 1024, 4);
    put(b, HANDLE_ARRAY, 2);
    put(b, 1, 1);
    put(b, extended ? start : 0, 8);
    put(b, extended ? last : 0, 8);
    end(b);
}

static void put_memory(Builder *b, const SmbiosMachine *m)
{
    uint64_t size = m->below_4g + m->above_4g;
    unsigned dimms = (unsigned)((size + DIMM_MAX - 1) / DIMM_MAX);

    put_memory_array(b, size, dimms);
    for (unsigned n = 0; n < dimms; n++) {
        put_dimm(b, n, MIN(DIMM_MAX, size - n * DIMM_MAX));
    }
    put_mapping(b, 0, 0, m->below_4g);
    put_mapping(b, 1, 4 * GIB, m->above_4g);
}

static void put_boot_status(Builder *b)
{
    begin(b, 32, HANDLE_BOOT);
    put(b, 0, 6);
    put(b, 0, 1); /* no errors */
    end(b);
}

static void put_files(Builder *b)
{
    for (guint i = 0; i < b->config->files->len; i++) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(g_ptr_array_index(b->config->files, i), &len);

        b->start = b->out->len;
        g_byte_array_append(b->out, data, (guint)len);
        /* It ends in two zeros, whether the file has them or not. */
        while (len < 2 || b->out->len - b->start < data[1] + 2u || b->out->data[b->out->len - 1] ||
               b->out->data[b->out->len - 2]) {
            put(b, 0, 1);
        }
        note_size(b);
    }
}

/* ---- the entry point --------------------------------------------------------------------- */

static uint8_t checksum(const uint8_t *data, size_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *data++;
    }
    return -sum;
}

void smbios_entry_set_address(uint8_t entry[SMBIOS_ENTRY_SIZE], uint32_t address)
{
    address = GUINT32_TO_LE(address);
    memcpy(entry + 0x18, &address, sizeof(address));
    entry[0x15] = entry[4] = 0;
    entry[0x15] = checksum(entry + 0x10, 15);
    entry[4] = checksum(entry, SMBIOS_ENTRY_SIZE);
}

static void put_entry(const Builder *b, uint8_t entry[SMBIOS_ENTRY_SIZE])
{
    uint16_t length = GUINT16_TO_LE((uint16_t)b->out->len);
    uint16_t count = GUINT16_TO_LE((uint16_t)b->count);
    uint16_t largest = GUINT16_TO_LE((uint16_t)b->largest);

    memset(entry, 0, SMBIOS_ENTRY_SIZE);
    memcpy(entry, "_SM_", 4);
    entry[5] = SMBIOS_ENTRY_SIZE;
    entry[6] = 2; /* version 2.8 */
    entry[7] = 8;
    memcpy(entry + 8, &largest, 2);
    memcpy(entry + 0x10, "_DMI_", 5);
    memcpy(entry + 0x16, &length, 2);
    memcpy(entry + 0x1c, &count, 2);
    entry[0x1e] = 0x28;
    smbios_entry_set_address(entry, 0);
}

GByteArray *smbios_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         uint8_t ret_entry[SMBIOS_ENTRY_SIZE])
{
    g_autoptr(GString) strings = g_string_new(NULL);
    Builder b = {.config = config, .out = g_byte_array_new(), .strings = strings};

    if (!machine->firmware) {
        put_bios(&b);
    }
    put_system(&b);
    put_chassis(&b);
    for (unsigned n = 0; n < machine->sockets; n++) {
        put_processor(&b, machine, n);
    }
    put_memory(&b, machine);
    put_boot_status(&b);
    put_files(&b);
    begin(&b, 127, HANDLE_END);
    end(&b);
    put_entry(&b, ret_entry);
    return b.out;
}
