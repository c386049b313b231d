/* SPDX-License-Identifier: MIT
 *
 * The map of physical memory that firmware hands to kernels (ACPI 6.5, 15: INT 15h E820h).
 */
#ifndef HW_I386_E820_H
#define HW_I386_E820_H

#include <glib.h>
#include <stdint.h>

enum E820Type {
    E820_RAM = 1,
    E820_RESERVED = 2,
    E820_ACPI = 3,
    E820_NVS = 4,
};

typedef struct __attribute__((packed)) E820Entry {
    uint64_t addr, size;
    uint32_t type; /* E820_* */
} E820Entry;

/* Sorted by address, disjoint; an array of E820Entry. */
typedef GArray E820Map;

E820Map *e820_new(void);
/* What it covers takes the new type, whatever it had. */
void e820_set(E820Map *map, uint64_t addr, uint64_t size, uint32_t type);
void e820_remove(E820Map *map, uint64_t addr, uint64_t size);
static inline const E820Entry *e820_entry(const E820Map *map, guint i)
{
    return &g_array_index(map, E820Entry, i);
}

#endif
