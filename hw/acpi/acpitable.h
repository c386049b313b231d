/* SPDX-License-Identifier: MIT
 *
 * -acpitable: tables that the user brings.
 */
#ifndef HW_ACPI_ACPITABLE_H
#define HW_ACPI_ACPITABLE_H

#include "qom/object.h"

/*
 * file=PATH (a table with its header), or data=PATH[:PATH] (bodies) with sig=, rev=, oem_id=,
 * oem_table_id=, oem_rev=, asl_compiler_id=, asl_compiler_rev=.  The whole table, its length and
 * checksum right; NULL and an error that names -acpitable.
 */
GBytes *acpitable_load(const char *option, GError **error);

#endif
