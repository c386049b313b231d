/* SPDX-License-Identifier: MIT */
#include "hw/acpi/smi-features.h"
#include <string.h>

#define FILE_SUPPORTED "etc/smi/supported-features"
#define FILE_REQUESTED "etc/smi/requested-features"
#define FILE_OK        "etc/smi/features-ok"

static void set_u64(SMIFeatures *f, const char *name, uint64_t value)
{
    uint64_t le = GUINT64_TO_LE(value);
    g_autoptr(GBytes) bytes = g_bytes_new(&le, sizeof(le));

    fw_cfg_set_file(f->fw_cfg, name, bytes);
}

static void set_ok(SMIFeatures *f, uint8_t ok)
{
    g_autoptr(GBytes) bytes = g_bytes_new(&ok, 1);

    fw_cfg_set_file(f->fw_cfg, FILE_OK, bytes);
}

/* What is agreed stays; the guest reads back what is in force. */
static void requested(void *opaque, const uint8_t *data, size_t size)
{
    SMIFeatures *f = opaque;
    uint64_t le;

    memcpy(&le, data, sizeof(le));
    if (f->agreed) {
        set_u64(f, FILE_REQUESTED, f->negotiated);
    } else {
        f->requested = GUINT64_FROM_LE(le);
    }
}

/* Hot-plug without broadcast makes no sense, nor unplug without plug. */
static bool consistent(uint64_t wanted)
{
    if ((wanted & SMI_FEATURE_CPU_HOTPLUG) && !(wanted & SMI_FEATURE_BROADCAST)) {
        return false;
    }
    return !(wanted & SMI_FEATURE_CPU_HOTUNPLUG) || (wanted & SMI_FEATURE_CPU_HOTPLUG);
}

static void asked(void *opaque)
{
    SMIFeatures *f = opaque;

    if (f->agreed) {
        return;
    }
    if ((f->requested & ~f->supported) || !consistent(f->requested)) {
        set_ok(f, 0);
        return;
    }
    f->negotiated = f->requested;
    f->agreed = true;
    set_ok(f, 1);
}

void smi_features_init(SMIFeatures *f, FWCfgState *fw_cfg, uint64_t supported)
{
    uint64_t none = 0, le = GUINT64_TO_LE(supported);

    f->fw_cfg = fw_cfg;
    f->supported = supported;
    f->requested = f->negotiated = 0;
    f->agreed = false;
    fw_cfg_add_board_file(fw_cfg, FILE_SUPPORTED, &le, sizeof(le));
    fw_cfg_add_board_file(fw_cfg, FILE_REQUESTED, &none, sizeof(none));
    fw_cfg_set_file_writable(fw_cfg, FILE_REQUESTED, requested, f);
    fw_cfg_add_board_file(fw_cfg, FILE_OK, &none, 1);
    fw_cfg_set_file_callback(fw_cfg, FILE_OK, asked, f);
}

void smi_features_reset(SMIFeatures *f)
{
    if (f->fw_cfg) {
        f->requested = f->negotiated = 0;
        f->agreed = false;
        set_u64(f, FILE_REQUESTED, 0);
        set_ok(f, 0);
    }
}
