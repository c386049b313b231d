/* SPDX-License-Identifier: MIT
 *
 * Devices that bring something to the machine's ACPI tables, whichever the machine.
 */
#ifndef HW_ACPI_ACPI_DEV_AML_H
#define HW_ACPI_ACPI_DEV_AML_H

#include "hw/acpi/aml.h"
#include "hw/acpi/tables.h"
#include "qom/object.h"

#define TYPE_ACPI_DEV_AML "acpi-dev-aml-interface"

/* Called for realized devices when the tables are made, which may be more than once. */
typedef struct AcpiDevAmlClass {
    InterfaceClass parent_class;
    /* Optional: its device object, in the scope of the bridge to ISA. */
    void (*build_dev_aml)(Object *obj, Aml *a);
    /* Optional: a whole table; returns its offset. */
    uint32_t (*build_table)(Object *obj, AcpiTables *t);
} AcpiDevAmlClass;

/* For class_init of a type that has the interface. */
static inline AcpiDevAmlClass *acpi_dev_aml_class_of(ObjectClass *klass)
{
    return (AcpiDevAmlClass *)object_class_dynamic_cast(klass, TYPE_ACPI_DEV_AML);
}

/* NULL: the object has none. */
static inline AcpiDevAmlClass *acpi_dev_aml_class(Object *obj)
{
    return acpi_dev_aml_class_of(object_get_class(obj));
}

#endif
