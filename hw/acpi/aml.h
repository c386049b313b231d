/* SPDX-License-Identifier: MIT
 *
 * Writes ACPI Machine Language.  Terms are appended in the order in which they are encoded:
 * an operator, then its operands, then its target.  What has a length (Scope, Device, Method,
 * If, Package, a resource template ...) is opened by its function and closed by aml_end().
 *
 *     aml_device(a, "COM1");
 *     aml_name(a, "_HID");
 *     aml_eisaid(a, "PNP0501");
 *     aml_end(a);
 */
#ifndef HW_ACPI_AML_H
#define HW_ACPI_AML_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Aml Aml;

Aml *aml_new(void);
/* The code; every block must be closed. */
GByteArray *aml_free(Aml *a);

/* ---- data (ACPI 6.5, 20.2.3) ------------------------------------------------- */

void aml_int(Aml *a, uint64_t value);
void aml_string(Aml *a, const char *text);
/* A name used as a value or target: "PRQ0", "\\_SB.PCI0.BLCK", "^FOO". */
void aml_ref(Aml *a, const char *path);
void aml_eisaid(Aml *a, const char *id);              /* "PNP0A03" */
void aml_bytes(Aml *a, const void *data, size_t len); /* Buffer */
void aml_arg(Aml *a, unsigned n);
void aml_local(Aml *a, unsigned n);
void aml_nothing(Aml *a); /* no target */

/* ---- named objects (20.2.5) ------------------------------------------------------ */

void aml_scope(Aml *a, const char *path);
void aml_device(Aml *a, const char *name);
void aml_method(Aml *a, const char *name, unsigned args, bool serialized);
void aml_processor(Aml *a, const char *name, uint8_t id);
void aml_name(Aml *a, const char *name); /* its value follows */
void aml_mutex(Aml *a, const char *name);

typedef enum AmlSpace {
    AML_SYSTEM_MEMORY = 0,
    AML_SYSTEM_IO = 1,
    AML_PCI_CONFIG = 2,
} AmlSpace;
void aml_operation_region(Aml *a, const char *name, AmlSpace space, uint64_t offset, uint64_t len);

typedef enum AmlAccess { AML_ACC_ANY, AML_ACC_BYTE, AML_ACC_WORD, AML_ACC_DWORD } AmlAccess;
typedef enum AmlUpdate { AML_PRESERVE = 0, AML_ONES = 1 << 5, AML_ZEROS = 2 << 5 } AmlUpdate;
void aml_field(Aml *a, const char *region, AmlAccess access, AmlUpdate update);
void aml_field_unit(Aml *a, const char *name, unsigned bits); /* NULL: reserved */

/* ---- statements and operators (20.2.5.3, 20.2.5.4) --------------------------------- */

void aml_if(Aml *a); /* the predicate follows, then the body */
void aml_else(Aml *a);
void aml_while(Aml *a); /* the predicate, then the body */
void aml_package(Aml *a, uint8_t elements);
void aml_return(Aml *a);
void aml_call(Aml *a, const char *method); /* its arguments follow */
void aml_store(Aml *a);                    /* source, target */
void aml_and(Aml *a);                      /* x, y, target */
void aml_or(Aml *a);
void aml_add(Aml *a);
void aml_index(Aml *a); /* object, index, target */
void aml_shift_left(Aml *a);
void aml_shift_right(Aml *a);
void aml_equal(Aml *a); /* x, y */
void aml_less(Aml *a);
void aml_lor(Aml *a);
void aml_notify(Aml *a); /* object, value */
void aml_acquire(Aml *a, const char *mutex);
void aml_release(Aml *a, const char *mutex);
/* CreateDWordField (source, offset, name): the source follows; then aml_int, aml_name_string. */
void aml_create_dword_field(Aml *a);
void aml_name_string(Aml *a, const char *name);

/* ---- resource templates (6.4) ------------------------------------------------------- */

void aml_resources(Aml *a); /* descriptors follow, then aml_end() */
void aml_res_io(Aml *a, uint16_t base, uint8_t align, uint8_t len);
void aml_res_irq(Aml *a, uint8_t irq);                           /* edge, active high, exclusive */
void aml_res_dma(Aml *a, uint8_t channel);                       /* 8 bits, compatible timing */
void aml_res_interrupt(Aml *a, const uint32_t *irqs, uint8_t n); /* level, active high, shared */
void aml_res_memory32(Aml *a, uint32_t base, uint32_t len, bool writable);
void aml_res_bus_numbers(Aml *a, uint16_t min, uint16_t max);
void aml_res_io_window(Aml *a, uint16_t min, uint16_t max);
void aml_res_memory_window32(Aml *a, uint32_t min, uint32_t max, bool cacheable);
void aml_res_memory_window64(Aml *a, uint64_t min, uint64_t max, bool cacheable);

/* Close the innermost open block. */
void aml_end(Aml *a);

#endif
