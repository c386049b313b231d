/* SPDX-License-Identifier: MIT
 *
 * -smbios, and what is said without it.  DMTF DSP0134 2.8, 7.1 to 7.42, has the values.
 */
#include <string.h>
#include "hw/core/option-text.h"
#include "hw/smbios/smbios-internal.h"

G_DEFINE_QUARK(smbios - error, smbios_error)

#define DEFAULT_MHZ 2000

static const struct {
    uint8_t type;
    const char *key;
} text_rows[TEXT_COUNT] = {
    [BIOS_VENDOR] = {0,  "vendor"      },
    [BIOS_VERSION] = {0,  "version"     },
    [BIOS_DATE] = {0,  "date"        },
    [SYSTEM_VENDOR] = {1,  "manufacturer"},
    [SYSTEM_PRODUCT] = {1,  "product"     },
    [SYSTEM_VERSION] = {1,  "version"     },
    [SYSTEM_SERIAL] = {1,  "serial"      },
    [SYSTEM_SKU] = {1,  "sku"         },
    [SYSTEM_FAMILY] = {1,  "family"      },
    [BOARD_VENDOR] = {2,  "manufacturer"},
    [BOARD_PRODUCT] = {2,  "product"     },
    [BOARD_VERSION] = {2,  "version"     },
    [BOARD_SERIAL] = {2,  "serial"      },
    [BOARD_ASSET] = {2,  "asset"       },
    [BOARD_LOCATION] = {2,  "location"    },
    [CHASSIS_VENDOR] = {3,  "manufacturer"},
    [CHASSIS_VERSION] = {3,  "version"     },
    [CHASSIS_SERIAL] = {3,  "serial"      },
    [CHASSIS_ASSET] = {3,  "asset"       },
    [CHASSIS_SKU] = {3,  "sku"         },
    [CPU_SOCKET] = {4,  "sock_pfx"    },
    [CPU_VENDOR] = {4,  "manufacturer"},
    [CPU_VERSION] = {4,  "version"     },
    [CPU_SERIAL] = {4,  "serial"      },
    [CPU_ASSET] = {4,  "asset"       },
    [CPU_PART] = {4,  "part"        },
    [DIMM_LOCATOR] = {17, "loc_pfx"     },
    [DIMM_BANK] = {17, "bank"        },
    [DIMM_VENDOR] = {17, "manufacturer"},
    [DIMM_SERIAL] = {17, "serial"      },
    [DIMM_ASSET] = {17, "asset"       },
    [DIMM_PART] = {17, "part"        },
};

static const struct {
    uint8_t type;
    const char *key;
} number_rows[NUMBER_COUNT] = {
    [CPU_MAX_SPEED] = {4,  "max-speed"    },
    [CPU_CURRENT_SPEED] = {4,  "current-speed"},
    [DIMM_SPEED] = {17, "speed"        },
};

/* ---- making ------------------------------------------------------------------------- */

static void set_text(SmbiosConfig *config, SmbiosText which, const char *value)
{
    g_free(config->text[which]);
    config->text[which] = g_strdup(value);
}

static void port_free(gpointer data)
{
    SmbiosPort *port = data;

    g_free(port->internal);
    g_free(port->external);
    g_free(port);
}

static void onboard_free(gpointer data)
{
    SmbiosOnboard *dev = data;

    g_free(dev->designation);
    g_free(dev->pcidev);
    g_free(dev);
}

SmbiosConfig *smbios_config_new(const char *product, const char *version)
{
    static const SmbiosText vendors[] = {BIOS_VENDOR,    SYSTEM_VENDOR, BOARD_VENDOR,
                                         CHASSIS_VENDOR, CPU_VENDOR,    DIMM_VENDOR};
    static const SmbiosText versions[] = {SYSTEM_VERSION, BOARD_VERSION, CHASSIS_VERSION,
                                          CPU_VERSION};
    SmbiosConfig *config = g_new0(SmbiosConfig, 1);

    config->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    config->oem_strings = g_ptr_array_new_with_free_func(g_free);
    config->ports = g_ptr_array_new_with_free_func(port_free);
    config->onboard = g_ptr_array_new_with_free_func(onboard_free);
    config->number[CPU_MAX_SPEED] = config->number[CPU_CURRENT_SPEED] = DEFAULT_MHZ;
    for (size_t i = 0; i < G_N_ELEMENTS(vendors); i++) {
        set_text(config, vendors[i], "Quoin");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        set_text(config, versions[i], version);
    }
    set_text(config, BIOS_VERSION, "1");
    set_text(config, BIOS_DATE, "04/01/2014");
    set_text(config, SYSTEM_PRODUCT, product);
    set_text(config, BOARD_PRODUCT, product);
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
        g_ptr_array_unref(config->oem_strings);
        g_ptr_array_unref(config->ports);
        g_ptr_array_unref(config->onboard);
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

/* ---- values ------------------------------------------------------------------------- */

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

static bool set_number(const char *key, const char *value, unsigned max, uint64_t *ret,
                       GError **error)
{
    if (!g_ascii_string_to_unsigned(value, 10, 0, max, ret, NULL)) {
        g_set_error(error, SMBIOS_ERROR, SMBIOS_ERROR_OPTION,
                    "-smbios: %s=%s: expected a number from 0 to %u", key, value, max);
        return false;
    }
    return true;
}

static bool set_byte(const char *key, const char *value, uint8_t *ret, GError **error)
{
    uint64_t number;

    if (!set_number(key, value, UINT8_MAX, &number, error)) {
        return false;
    }
    *ret = (uint8_t)number;
    return true;
}

static void replace_text(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ---- the types with more than texts -------------------------------------------------------- */

static bool set_release(SmbiosConfig *config, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ".", 2);
    uint64_t major, minor;

    if (!parts[0] || !parts[1] ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, UINT8_MAX, &major, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, UINT8_MAX, &minor, NULL)) {
        return option_error(error, "release= is MAJOR.MINOR, each up to 255, not", value);
    }
    config->release[0] = (uint8_t)major;
    config->release[1] = (uint8_t)minor;
    return true;
}

static bool set_bios(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    if (!strcmp(key, "release")) {
        return set_release(config, value, error);
    }
    if (strcmp(key, "uefi") != 0) {
        return option_error(error, "type 0 has no field", key);
    }
    config->uefi = !strcmp(value, "on");
    return config->uefi || !strcmp(value, "off") ||
           option_error(error, "uefi= is on or off, not", value);
}

static bool set_system(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    uint8_t uuid[16];

    if (strcmp(key, "uuid") != 0) {
        return option_error(error, "type 1 has no field", key);
    }
    if (!smbios_parse_uuid(value, uuid)) {
        return option_error(error, "not a UUID:", value);
    }
    smbios_config_set_uuid(config, uuid);
    return true;
}

static SmbiosPort *last_port(SmbiosConfig *config)
{
    return g_ptr_array_index(config->ports, config->ports->len - 1);
}

static bool set_port(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    SmbiosPort *port = last_port(config);

    if (!strcmp(key, "internal_reference")) {
        replace_text(&port->internal, value);
    } else if (!strcmp(key, "external_reference")) {
        replace_text(&port->external, value);
    } else if (!strcmp(key, "connector_type")) {
        return set_byte(key, value, &port->connector, error);
    } else if (!strcmp(key, "port_type")) {
        return set_byte(key, value, &port->port, error);
    } else {
        return option_error(error, "type 8 has no field", key);
    }
    return true;
}

static bool add_oem_file(SmbiosConfig *config, const char *path, GError **error)
{
    char *data;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, error)) {
        g_prefix_error(error, "-smbios: ");
        return false;
    }
    g_ptr_array_add(config->oem_strings, data);
    return (len && strlen(data) == len) ||
           option_error(error, "not a text of one character or more:", path);
}

static bool set_oem_string(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    if (!strcmp(key, "path")) {
        return add_oem_file(config, value, error);
    }
    if (strcmp(key, "value") != 0) {
        return option_error(error, "type 11 has no field", key);
    }
    g_ptr_array_add(config->oem_strings, g_strdup(value));
    return *value || option_error(error, "value= is empty:", value);
}

/* 7.42.2 */
static bool set_onboard_kind(SmbiosOnboard *dev, const char *value, GError **error)
{
    static const char *const kinds[] = {"other",     "unknown", "video", "scsi", "ethernet",
                                        "tokenring", "sound",   "pata",  "sata", "sas"};

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!strcmp(kinds[i], value)) {
            dev->kind = (uint8_t)(i + 1);
            return true;
        }
    }
    return option_error(error,
                        "kind= is other, unknown, video, scsi, ethernet, tokenring, sound, pata, "
                        "sata or sas, not",
                        value);
}

static bool set_onboard(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    SmbiosOnboard *dev = g_ptr_array_index(config->onboard, config->onboard->len - 1);

    if (!strcmp(key, "designation")) {
        replace_text(&dev->designation, value);
    } else if (!strcmp(key, "pcidev")) {
        replace_text(&dev->pcidev, value);
    } else if (!strcmp(key, "instance")) {
        return set_byte(key, value, &dev->instance, error);
    } else if (!strcmp(key, "kind")) {
        return set_onboard_kind(dev, value, error);
    } else {
        return option_error(error, "type 41 has no field", key);
    }
    return true;
}

static bool set_nothing(SmbiosConfig *config, const char *key, const char *value, GError **error)
{
    return option_error(error, "this type has no field", key);
}

/* ---- options -------------------------------------------------------------------------------- */

static void begin_bios(SmbiosConfig *config)
{
    config->bios = true;
}

static void begin_board(SmbiosConfig *config)
{
    config->board = true;
}

static void begin_port(SmbiosConfig *config)
{
    g_ptr_array_add(config->ports, g_new0(SmbiosPort, 1));
}

static void begin_onboard(SmbiosConfig *config)
{
    SmbiosOnboard *dev = g_new0(SmbiosOnboard, 1);

    dev->kind = 1;
    g_ptr_array_add(config->onboard, dev);
}

/* The types that have fields; `set` takes those that are no plain texts and numbers. */
static const struct SmbiosType {
    uint8_t type;
    void (*begin)(SmbiosConfig *config); /* may be NULL */
    bool (*set)(SmbiosConfig *config, const char *key, const char *value, GError **error);
} types[] = {
    {0,  begin_bios,    set_bios      },
    {1,  NULL,          set_system    },
    {2,  begin_board,   set_nothing   },
    {3,  NULL,          set_nothing   },
    {4,  NULL,          set_nothing   },
    {8,  begin_port,    set_port      },
    {11, NULL,          set_oem_string},
    {17, NULL,          set_nothing   },
    {41, begin_onboard, set_onboard   },
};

static const struct SmbiosType *find_type(const char *text, GError **error)
{
    uint64_t type;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_string_to_unsigned(text, 10, types[i].type, types[i].type, &type, NULL)) {
            return &types[i];
        }
    }
    option_error(error, "type= is one of 0, 1, 2, 3, 4, 8, 11, 17, 41, not", text);
    return NULL;
}

static bool option_set(SmbiosConfig *config, const struct SmbiosType *type, const char *key,
                       const char *value, GError **error)
{
    for (int i = 0; i < TEXT_COUNT; i++) {
        if (text_rows[i].type == type->type && !strcmp(text_rows[i].key, key)) {
            set_text(config, i, value);
            return true;
        }
    }
    for (int i = 0; i < NUMBER_COUNT; i++) {
        uint64_t number;
        if (number_rows[i].type == type->type && !strcmp(number_rows[i].key, key)) {
            if (!set_number(key, value, UINT16_MAX, &number, error)) {
                return false;
            }
            config->number[i] = (uint16_t)number;
            return true;
        }
    }
    return type->set(config, key, value, error);
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

/* The value of the first part with that key, or NULL. */
static const char *part_value(GStrv parts, const char *key)
{
    size_t len = strlen(key);

    for (int i = 0; parts[i]; i++) {
        if (!strncmp(parts[i], key, len) && parts[i][len] == '=') {
            return parts[i] + len + 1;
        }
    }
    return NULL;
}

bool smbios_config_option(SmbiosConfig *config, const char *option, GError **error)
{
    g_auto(GStrv) parts = option_split(option);
    const char *file = part_value(parts, "file"), *number = part_value(parts, "type");

    if (file) {
        return !parts[1] ? option_file(config, file, error)
                         : option_error(error, "file= stands alone, not in", option);
    }
    if (!number) {
        return option_error(error, "expected type= or file= in", option);
    }
    const struct SmbiosType *type = find_type(number, error);
    if (!type) {
        return false;
    }
    if (type->begin) {
        type->begin(config);
    }
    for (int i = 0; parts[i]; i++) {
        g_auto(GStrv) kv = g_strsplit(parts[i], "=", 2);
        if (!kv[0] || !kv[1]) {
            return option_error(error, "expected key=value, not", parts[i]);
        }
        if (strcmp(kv[0], "type") != 0 && !option_set(config, type, kv[0], kv[1], error)) {
            return false;
        }
    }
    return true;
}
