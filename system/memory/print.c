/* SPDX-License-Identifier: MIT
 *
 * Memory maps for people.
 */
#include "system/memory/memory-internal.h"

#define HEX "%016" G_GINT64_MODIFIER "x"

static const char *region_kind(const MemoryRegion *mr)
{
    if (mr->alias) {
        return "alias";
    }
    if (mr->rom_device) {
        return "romd";
    }
    if (mr->ram) {
        return mr->readonly ? "rom" : "ram";
    }
    return mr->ops ? "i/o" : "container";
}

static void print_region(const MemoryRegion *mr, hwaddr base, unsigned depth, GString *out)
{
    hwaddr start = base + mr->addr;
    hwaddr last = start + (mr->size == UINT64_MAX ? UINT64_MAX : mr->size - 1);

    g_string_append_printf(out, "%*s" HEX "-" HEX " (prio %d, %s): %s", (int)depth * 2, "", start,
                           last, mr->priority, region_kind(mr), mr->name);
    if (mr->alias) {
        g_string_append_printf(out, " -> %s @" HEX, mr->alias->name, mr->alias_offset);
    }
    g_string_append(out, mr->enabled ? "\n" : " [disabled]\n");
    for (GList *l = mr->subregions; l; l = l->next) {
        print_region(l->data, start, depth + 1, out);
    }
}

void memory_print_tree(AddressSpace *as, GString *out)
{
    memory_topology_lock();
    g_string_append_printf(out, "address-space: %s\n", as->name);
    print_region(as->root, 0, 1, out);
    memory_topology_unlock();
}

void memory_print_flat(AddressSpace *as, GString *out)
{
    memory_read_lock();
    const FlatView *view = address_space_view(as);
    g_string_append_printf(out, "flat view of %s:\n", as->name);
    for (unsigned i = 0; i < view->nr; i++) {
        const FlatRange *r = &view->ranges[i];
        g_string_append_printf(out, "  " HEX "-" HEX " (%s%s): %s @" HEX "\n", r->start, r->last,
                               region_kind(r->mr), r->readonly && !r->mr->readonly ? ", ro" : "",
                               r->mr->name, r->offset_in_region);
    }
    memory_read_unlock();
}
