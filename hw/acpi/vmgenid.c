/* SPDX-License-Identifier: MIT
 *
 * Virtual Machine Generation ID (Microsoft, "Virtual Machine Generation ID", 2012): 16 bytes in
 * guest memory that change when the VM is another one than before, and a notification.  The page
 * that holds them is fw_cfg file "etc/vmgenid_guid"; firmware leaves its address in
 * "etc/vmgenid_addr" (the "Virtual Machine Generation ID device" page of QEMU's specifications).
 * The identifier is at offset 40, so that what scans memory for tables by their headers (OVMF)
 * finds a header of zeros.
 */
#include "hw/acpi/vmgenid.h"
#include <string.h>
#include "hw/acpi/acpi-dev-aml.h"
#include "hw/core/machine.h"
#include "hw/nvram/fw_cfg.h"
#include "qom/object.h"

OBJECT_DECLARE_SIMPLE(VmGenIdState, VMGENID, TYPE_VMGENID)

#define VMGENID_GUID_FILE    "etc/vmgenid_guid"
#define VMGENID_ADDRESS_FILE "etc/vmgenid_addr"
#define VMGENID_PAGE         4096u
#define VMGENID_OFFSET       40u
#define VMGENID_GUID_SIZE    16u
#define VMGENID_GPE          5u

struct VmGenIdState {
    DeviceState parent_obj;
    char *guid;       /* as text; NULL until the device is there, or "auto" */
    uint64_t address; /* of the page in guest memory; 0: not yet known */
};

/* ---- the identifier ------------------------------------------------------------------------- */

/* The first three fields of a UUID's text are little-endian in a GUID (UEFI 2.10, appendix A). */
static bool guid_parse(const char *text, uint8_t guid[VMGENID_GUID_SIZE])
{
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned n = 0;

    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (*p != '-') {
            guid[order[n++]] =
                (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
            p++;
        }
    }
    return true;
}

static GBytes *vmgenid_page(const VmGenIdState *s)
{
    uint8_t *page = g_malloc0(VMGENID_PAGE);

    guid_parse(s->guid, page + VMGENID_OFFSET);
    return g_bytes_new_take(page, VMGENID_PAGE);
}

/* It changed while the guest runs: change what the guest sees, then tell it. */
static void vmgenid_update(VmGenIdState *s)
{
    MachineState *machine = qdev_get_machine(s);
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    g_autoptr(GBytes) page = vmgenid_page(s);
    const uint8_t *bytes = g_bytes_get_data(page, NULL);

    fw_cfg_set_file(machine->fw_cfg, VMGENID_GUID_FILE, page);
    if (s->address) {
        address_space_write(&machine->address_space_memory, s->address + VMGENID_OFFSET,
                            MEMTXATTRS_NONE, bytes + VMGENID_OFFSET, VMGENID_GUID_SIZE);
        if (mc->acpi_raise_gpe) {
            mc->acpi_raise_gpe(machine, VMGENID_GPE);
        }
    }
}

static bool vmgenid_set_guid(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    VmGenIdState *s = VMGENID(obj);
    const char *text = g_variant_get_string(value, NULL);
    uint8_t guid[VMGENID_GUID_SIZE];

    if (!g_str_equal(text, "auto") && !guid_parse(text, guid)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "guid=%s: expected auto, or a UUID such as "
                    "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
                    text);
        return false;
    }
    g_free(s->guid);
    s->guid = g_str_equal(text, "auto") ? g_uuid_string_random() : g_ascii_strdown(text, -1);
    if (DEVICE(s)->realized) {
        vmgenid_update(s);
    }
    return true;
}

static GVariant *vmgenid_get_guid(Object *obj, const Property *prop)
{
    return g_variant_new_string(VMGENID(obj)->guid);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* ADDR: where the identifier is, as two halves. */
static void put_device(Aml *a)
{
    aml_scope(a, "\\_SB");
    aml_device(a, "VGEN");
    aml_name(a, "_HID");
    aml_string(a, "QEMUVGID");
    aml_name(a, "_CID");
    aml_string(a, "VM_Gen_Counter");
    aml_name(a, "_DDN");
    aml_string(a, "VM_Gen_Counter");
    aml_method(a, "_STA", 0, false);
    aml_if(a);
    aml_equal(a);
    aml_ref(a, "VGIA");
    aml_int(a, 0);
    aml_return(a);
    aml_int(a, 0);
    aml_end(a);
    aml_return(a);
    aml_int(a, 0xf);
    aml_end(a);
    aml_method(a, "ADDR", 0, true);
    aml_name(a, "LPKG");
    aml_package(a, 2);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_end(a);
    aml_store(a);
    aml_add(a);
    aml_ref(a, "VGIA");
    aml_int(a, VMGENID_OFFSET);
    aml_nothing(a);
    aml_index(a);
    aml_ref(a, "LPKG");
    aml_int(a, 0);
    aml_nothing(a);
    aml_return(a);
    aml_ref(a, "LPKG");
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

static void put_event(Aml *a)
{
    aml_scope(a, "\\_GPE");
    aml_method(a, "_E05", 0, false);
    aml_notify(a);
    aml_ref(a, "\\_SB.VGEN");
    aml_int(a, 0x80);
    aml_end(a);
    aml_end(a);
}

/* Its first term is Name(VGIA, address), which programs find by its place. */
static uint32_t vmgenid_build_table(Object *obj, AcpiTables *t)
{
    g_autoptr(GBytes) page = vmgenid_page(VMGENID(obj));
    unsigned blob = acpi_add_blob(t, VMGENID_GUID_FILE, VMGENID_ADDRESS_FILE, page, VMGENID_PAGE);
    uint32_t table = acpi_table_begin(t, "SSDT", 1);
    Aml *a = aml_new();
    g_autoptr(GByteArray) code = NULL;

    acpi_table_set_id(t, table, "VMGENID");
    acpi_put(t, 0x08, 1); /* NameOp */
    acpi_put_bytes(t, "VGIA", 4);
    acpi_put(t, 0x0c, 1); /* DWordPrefix */
    acpi_put_blob_pointer(t, blob, 4);
    put_device(a);
    put_event(a);
    code = aml_free(a);
    acpi_put_bytes(t, code->data, code->len);
    acpi_table_end(t, table);
    return table;
}

/* ---- the device ----------------------------------------------------------------------------- */

static void vmgenid_placed(void *opaque, const uint8_t *data, size_t size)
{
    VmGenIdState *s = opaque;

    memcpy(&s->address, data, sizeof(s->address));
    s->address = GUINT64_FROM_LE(s->address);
}

static bool vmgenid_realize(DeviceState *dev, GError **error)
{
    static const uint64_t nowhere;
    VmGenIdState *s = VMGENID(dev);
    MachineState *machine = qdev_get_machine(dev);
    FWCfgState *fw_cfg = machine->fw_cfg;
    g_autoptr(GBytes) page = vmgenid_page(s), address = g_bytes_new(&nowhere, sizeof(nowhere));

    if (!fw_cfg) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "the machine has no fw_cfg");
        return false;
    }
    if (fw_cfg_get_file(fw_cfg, VMGENID_GUID_FILE)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "there is a vmgenid already: a VM has one");
        return false;
    }
    if (!fw_cfg_add_file(fw_cfg, VMGENID_GUID_FILE, page, error) ||
        !fw_cfg_add_file(fw_cfg, VMGENID_ADDRESS_FILE, address, error)) {
        return false;
    }
    fw_cfg_set_file_writable(fw_cfg, VMGENID_ADDRESS_FILE, vmgenid_placed, s);
    return true;
}

static bool is_vmgenid(Object *obj, const char *name, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_VMGENID)) {
        *(VmGenIdState **)opaque = VMGENID(obj);
    }
    return *(void **)opaque;
}

char *vmgenid_get(MachineState *machine)
{
    VmGenIdState *s = NULL;

    object_child_foreach_recursive(OBJECT(machine), is_vmgenid, &s);
    return s ? g_strdup(s->guid) : NULL;
}

static void vmgenid_instance_init(Object *obj)
{
    VMGENID(obj)->guid = g_uuid_string_random();
}

static void vmgenid_finalize(Object *obj)
{
    g_free(VMGENID(obj)->guid);
}

static const Property vmgenid_properties[] = {
    DEFINE_PROP_CUSTOM("guid", "s", vmgenid_get_guid, vmgenid_set_guid, PROP_RUNTIME,
                       "the identifier, or auto for a random one"),
    DEFINE_PROP_END,
};

static const StateField vmgenid_state[] = {STATE_FIELD(VmGenIdState, address), STATE_END};

static void vmgenid_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = vmgenid_realize;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_MISC;
    dc->state = vmgenid_state;
    acpi_dev_aml_class_of(klass)->build_table = vmgenid_build_table;
}

static const TypeInfo vmgenid_types[] = {
    {.name = TYPE_VMGENID,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(VmGenIdState),
     .instance_init = vmgenid_instance_init,
     .instance_finalize = vmgenid_finalize,
     .class_init = vmgenid_class_init,
     .properties = vmgenid_properties,
     .interfaces = (const InterfaceInfo[]){{TYPE_ACPI_DEV_AML}, {NULL}},
     .doc = "tells the guest when it has become another VM"},
};
DEFINE_TYPES(vmgenid_types)
