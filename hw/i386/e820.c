/* SPDX-License-Identifier: MIT */
#include "hw/i386/e820.h"
#include <stdbool.h>

E820Map *e820_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(E820Entry));
}

static void e820_append(E820Map *map, uint64_t addr, uint64_t end, uint32_t type)
{
    E820Entry *last = map->len ? &g_array_index(map, E820Entry, map->len - 1) : NULL;
    E820Entry entry = {addr, end - addr, type};

    if (addr >= end) {
        return;
    }
    if (last && last->addr + last->size == addr && last->type == type) {
        last->size += entry.size;
        return;
    }
    g_array_append_val(map, entry);
}

static void e820_replace(E820Map *map, uint64_t addr, uint64_t end, bool fill, uint32_t type)
{
    g_autoptr(GArray) old = g_array_copy(map);
    bool placed = !fill;

    g_array_set_size(map, 0);
    for (guint i = 0; i < old->len; i++) {
        const E820Entry *e = e820_entry(old, i);
        e820_append(map, e->addr, MIN(e->addr + e->size, MAX(addr, e->addr)), e->type);
        if (!placed && e->addr + e->size > addr) {
            e820_append(map, addr, end, type);
            placed = true;
        }
        e820_append(map, MAX(e->addr, MIN(end, e->addr + e->size)), e->addr + e->size, e->type);
    }
    if (!placed) {
        e820_append(map, addr, end, type);
    }
}

void e820_set(E820Map *map, uint64_t addr, uint64_t size, uint32_t type)
{
    e820_replace(map, addr, addr + size, true, type);
}

void e820_remove(E820Map *map, uint64_t addr, uint64_t size)
{
    e820_replace(map, addr, addr + size, false, 0);
}
