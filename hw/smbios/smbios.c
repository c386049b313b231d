/* SPDX-License-Identifier: MIT
 *
 * DMTF DSP0134, System Management BIOS Reference Specification 2.8 and 3.0: 5.2.1, 5.2.2 (entry
 * points), 6.1 (structures), 7.1 to 7.5, 7.9, 7.12, 7.17, 7.18, 7.20, 7.33, 7.42, 7.45 (types 0 to
 * 4, 8, 11, 16, 17, 19, 32, 41, 127).
 */
#include <string.h>
#include "hw/smbios/smbios-internal.h"

#define MIB              (1024ull * 1024)
#define GIB              (1024ull * MIB)
#define DIMM_MAX         (16 * GIB)
#define UNKNOWN_SIZE_KIB 0x80000000u /* "in the extended field" */

/* Structure handles: one range a type, as the firmware of a pc has them. */
#define HANDLE_BIOS      0x0000u
#define HANDLE_SYSTEM    0x0100u
#define HANDLE_BOARD     0x0200u
#define HANDLE_CHASSIS   0x0300u
#define HANDLE_PROCESSOR 0x0400u
#define HANDLE_PORT      0x0800u
#define HANDLE_OEM       0x0e00u
#define HANDLE_ARRAY     0x1000u
#define HANDLE_DIMM      0x1100u
#define HANDLE_MAPPING   0x1300u
#define HANDLE_BOOT      0x2000u
#define HANDLE_ONBOARD   0x2900u
#define HANDLE_END       0x7f00u
#define HANDLE_NONE      0xfffeu

/* ---- structures --------------------------------------------------------------------- */

typedef struct Builder {
    const SmbiosConfig *config;
    const SmbiosMachine *machine;
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

static void add_string(Builder *b, const char *text)
{
    g_string_append(b->strings, text);
    g_string_append_c(b->strings, 0);
    b->nr_strings++;
}

/* The number of a string in this structure's list; 0: none (6.1.3). */
static void put_text(Builder *b, const char *text)
{
    if (!text || !*text) {
        put(b, 0, 1);
        return;
    }
    add_string(b, text);
    put(b, b->nr_strings, 1);
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
    put(b, b->config->uefi ? 0x1c : 0x14, 1); /* targeted distribution, (UEFI,) virtual machine */
    put(b, b->config->release[0], 1);
    put(b, b->config->release[1], 1);
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

static void put_board(Builder *b)
{
    begin(b, 2, HANDLE_BOARD);
    put_config_text(b, BOARD_VENDOR);
    put_config_text(b, BOARD_PRODUCT);
    put_config_text(b, BOARD_VERSION);
    put_config_text(b, BOARD_SERIAL);
    put_config_text(b, BOARD_ASSET);
    put(b, 1, 1); /* a hosting board */
    put_config_text(b, BOARD_LOCATION);
    put(b, HANDLE_CHASSIS, 2);
    put(b, 0x0a, 1); /* motherboard */
    put(b, 0, 1);    /* contained objects */
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
    put(b, 0x02030303, 4); /* boot, power, thermal: safe; security: unknown */
    put(b, 0, 4);
    put(b, 0, 1); /* height, cords, contained elements */
    put(b, 0, 1);
    put(b, 0, 1);
    put(b, 0, 1);
    put_config_text(b, CHASSIS_SKU);
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
    put(b, 0, 1); /* voltage */
    put(b, 0, 2); /* external clock: unknown */
    put(b, b->config->number[CPU_MAX_SPEED], 2);
    put(b, b->config->number[CPU_CURRENT_SPEED], 2);
    put(b, 0x41, 1);   /* populated, enabled */
    put(b, 1, 1);      /* upgrade: other */
    put(b, 0xffff, 2); /* caches: not described */
    put(b, 0xffff, 2);
    put(b, 0xffff, 2);
    put_config_text(b, CPU_SERIAL);
    put_config_text(b, CPU_ASSET);
    put_config_text(b, CPU_PART);
    put(b, cores, 1);
    put(b, cores, 1);
    put(b, threads, 1);
    put(b, 2, 2);            /* characteristics: unknown */
    put(b, 1, 2);            /* family 2: other */
    if (m->entry_point_64) { /* since 3.0 */
        put(b, m->cores_per_socket, 2);
        put(b, m->cores_per_socket, 2);
        put(b, m->threads_per_socket, 2);
    }
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
    put_config_text(b, DIMM_BANK);
    put(b, 7, 1); /* RAM, other detail */
    put(b, 2, 2);
    put(b, b->config->number[DIMM_SPEED], 2);
    put_config_text(b, DIMM_VENDOR);
    put_config_text(b, DIMM_SERIAL);
    put_config_text(b, DIMM_ASSET);
    put_config_text(b, DIMM_PART);
    put(b, 0, 1); /* attributes */
    put(b, mib > 0x7fff ? mib : 0, 4);
    put(b, b->config->number[DIMM_SPEED], 2); /* configured; then voltages */
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

static void put_memory(Builder *b)
{
    const SmbiosMachine *m = b->machine;
    uint64_t size = m->below_4g + m->above_4g;
    unsigned dimms = (unsigned)((size + DIMM_MAX - 1) / DIMM_MAX);

    put_memory_array(b, size, dimms);
    for (unsigned n = 0; n < dimms; n++) {
        put_dimm(b, n, MIN(DIMM_MAX, size - n * DIMM_MAX));
    }
    put_mapping(b, 0, 0, m->below_4g);
    put_mapping(b, 1, 4 * GIB, m->above_4g);
}

static void put_ports(Builder *b)
{
    for (guint i = 0; i < b->config->ports->len; i++) {
        const SmbiosPort *port = g_ptr_array_index(b->config->ports, i);
        begin(b, 8, HANDLE_PORT + i);
        put_text(b, port->internal);
        put(b, 0, 1); /* no connector inside */
        put_text(b, port->external);
        put(b, port->connector, 1);
        put(b, port->port, 1);
        end(b);
    }
}

static void put_oem_strings(Builder *b)
{
    GPtrArray *strings = b->config->oem_strings;

    if (!strings->len) {
        return;
    }
    begin(b, 11, HANDLE_OEM);
    put(b, strings->len, 1);
    for (guint i = 0; i < strings->len; i++) {
        add_string(b, g_ptr_array_index(strings, i));
    }
    end(b);
}

static bool put_onboard(Builder *b, GError **error)
{
    for (guint i = 0; i < b->config->onboard->len; i++) {
        const SmbiosOnboard *dev = g_ptr_array_index(b->config->onboard, i);
        uint8_t bus = 0, devfn = 0;
        if (dev->pcidev && !(b->machine->find_pci &&
                             b->machine->find_pci(b->machine->opaque, dev->pcidev, &bus, &devfn))) {
            g_set_error(error, SMBIOS_ERROR, SMBIOS_ERROR_OPTION,
                        "-smbios: type=41: no PCI device has the id '%s'", dev->pcidev);
            return false;
        }
        begin(b, 41, HANDLE_ONBOARD + i);
        put_text(b, dev->designation);
        put(b, dev->kind | 0x80, 1); /* enabled */
        put(b, dev->instance, 1);
        put(b, 0, 2); /* segment */
        put(b, bus, 1);
        put(b, devfn, 1);
        end(b);
    }
    return true;
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

static void smbios_entry_set_address(uint8_t entry[SMBIOS_ENTRY_SIZE], uint32_t address)
{
    address = GUINT32_TO_LE(address);
    memcpy(entry + 0x18, &address, sizeof(address));
    entry[0x15] = entry[4] = 0;
    entry[0x15] = checksum(entry + 0x10, 15);
    entry[4] = checksum(entry, SMBIOS_ENTRY_SIZE);
}

static void smbios_entry64_set_address(uint8_t entry[SMBIOS_ENTRY64_SIZE], uint64_t address)
{
    address = GUINT64_TO_LE(address);
    memcpy(entry + 0x10, &address, sizeof(address));
    entry[5] = 0;
    entry[5] = checksum(entry, SMBIOS_ENTRY64_SIZE);
}

void smbios_entry_locate(GByteArray *entry, uint64_t address)
{
    if (entry->len == SMBIOS_ENTRY64_SIZE) {
        smbios_entry64_set_address(entry->data, address);
    } else {
        smbios_entry_set_address(entry->data, (uint32_t)address);
    }
}

static void put_entry32(const Builder *b, uint8_t entry[SMBIOS_ENTRY_SIZE])
{
    uint16_t length = GUINT16_TO_LE((uint16_t)b->out->len);
    uint16_t count = GUINT16_TO_LE((uint16_t)b->count);
    uint16_t largest = GUINT16_TO_LE((uint16_t)b->largest);

    memcpy(entry, "_SM_", 4);
    entry[5] = SMBIOS_ENTRY_SIZE;
    entry[6] = 2; /* version 2.8 */
    entry[7] = 8;
    memcpy(entry + 8, &largest, 2);
    memcpy(entry + 0x10, "_DMI_", 5);
    memcpy(entry + 0x16, &length, 2);
    memcpy(entry + 0x1c, &count, 2);
    entry[0x1e] = 0x28;
}

static void put_entry64(const Builder *b, uint8_t entry[SMBIOS_ENTRY64_SIZE])
{
    uint32_t length = GUINT32_TO_LE(b->out->len);

    memcpy(entry, "_SM3_", 5);
    entry[6] = SMBIOS_ENTRY64_SIZE;
    entry[7] = 3; /* version 3.0 */
    entry[0xa] = 1;
    memcpy(entry + 0xc, &length, 4);
}

static GByteArray *make_entry(const Builder *b)
{
    bool wide = b->machine->entry_point_64;
    GByteArray *entry = g_byte_array_new();

    g_byte_array_set_size(entry, wide ? SMBIOS_ENTRY64_SIZE : SMBIOS_ENTRY_SIZE);
    memset(entry->data, 0, entry->len);
    if (wide) {
        put_entry64(b, entry->data);
    } else {
        put_entry32(b, entry->data);
    }
    smbios_entry_locate(entry, 0);
    return entry;
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* -smbios file= brings structures of that type in place of ours. */
static bool is_ours(const Builder *b, uint8_t type)
{
    for (guint i = 0; i < b->config->files->len; i++) {
        const uint8_t *data = g_bytes_get_data(g_ptr_array_index(b->config->files, i), NULL);
        if (data[0] == type) {
            return false;
        }
    }
    return true;
}

static void put_processors(Builder *b)
{
    for (unsigned n = 0; n < b->machine->sockets; n++) {
        put_processor(b, b->machine, n);
    }
}

static bool put_all(Builder *b, GError **error)
{
    static const struct {
        uint8_t type;
        void (*put)(Builder *b);
    } rows[] = {
        {0,  put_bios       },
        {1,  put_system     },
        {2,  put_board      },
        {3,  put_chassis    },
        {4,  put_processors },
        {8,  put_ports      },
        {11, put_oem_strings},
        {16, put_memory     },
        {32, put_boot_status},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool wanted = rows[i].type == 0   ? b->config->bios || !b->machine->firmware
                      : rows[i].type == 2 ? b->config->board
                                          : true;
        if (wanted && is_ours(b, rows[i].type)) {
            rows[i].put(b);
        }
    }
    if (!put_onboard(b, error)) {
        return false;
    }
    put_files(b);
    begin(b, 127, HANDLE_END);
    end(b);
    return true;
}

static bool check_size(const Builder *b, GError **error)
{
    if (!b->machine->entry_point_64 && b->out->len > UINT16_MAX) {
        g_set_error(error, SMBIOS_ERROR, SMBIOS_ERROR_OPTION,
                    "-smbios: %u bytes of structures are more than a 32-bit entry point can say "
                    "(-machine smbios-entry-point-type=64)",
                    b->out->len);
        return false;
    }
    return true;
}

GByteArray *smbios_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         GByteArray **ret_entry, GError **error)
{
    g_autoptr(GString) strings = g_string_new(NULL);
    g_autoptr(GByteArray) out = g_byte_array_new();
    Builder b = {.config = config, .machine = machine, .out = out, .strings = strings};

    if (!put_all(&b, error) || !check_size(&b, error)) {
        return NULL;
    }
    *ret_entry = make_entry(&b);
    return g_steal_pointer(&out);
}
