/* SPDX-License-Identifier: MIT */
#include "hw/acpi/acpi-dev-aml.h"

static const TypeInfo acpi_dev_aml_types[] = {
    {.name = TYPE_ACPI_DEV_AML,
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(AcpiDevAmlClass),
     .abstract = true,
     .doc = "what brings something to the ACPI tables"},
};
DEFINE_TYPES(acpi_dev_aml_types)
