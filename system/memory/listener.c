/* SPDX-License-Identifier: MIT
 *
 * Address spaces, and telling listeners what changed in them.
 */
#include "system/memory/memory-internal.h"

#define _LGPL_SOURCE /* the MIT licence is compatible: short functions inline */
#include <urcu.h>

GSList *address_spaces;

static void listener_regions(MemoryListener *l, const FlatView *from, const FlatView *to,
                             void (*fn)(MemoryListener *, const FlatRange *))
{
    if (!fn) {
        return;
    }
    for (unsigned i = 0; i < from->nr; i++) {
        const FlatRange *r = &from->ranges[i];
        const FlatRange *same = flatview_lookup(to, r->start);
        if (!same || !flat_range_equal(r, same)) {
            fn(l, r);
        }
    }
}

typedef void (*EventFDFunc)(MemoryListener *l, const FlatRange *range, hwaddr addr, unsigned size,
                            bool match, uint64_t data, int fd);

static void listener_eventfds(MemoryListener *l, const FlatView *view, EventFDFunc fn)
{
    for (unsigned i = 0; fn && i < view->nr; i++) {
        const FlatRange *r = &view->ranges[i];
        for (GSList *e = r->mr->ioeventfds; e; e = e->next) {
            const IOEventFD *fd = e->data;
            hwaddr at = r->start + (fd->addr - r->offset_in_region);
            if (fd->addr >= r->offset_in_region && at <= r->last) {
                fn(l, r, at, fd->size, fd->match, fd->data, fd->fd);
            }
        }
    }
}

static const FlatView empty_view;

static void listener_update(MemoryListener *l, const FlatView *old, const FlatView *new)
{
    if (l->begin) {
        l->begin(l);
    }
    listener_regions(l, old, new, l->region_del);
    listener_regions(l, new, old, l->region_add);
}

static bool flatview_equal(const FlatView *a, const FlatView *b)
{
    bool equal = a->nr == b->nr;

    for (unsigned i = 0; equal && i < a->nr; i++) {
        equal = flat_range_equal(&a->ranges[i], &b->ranges[i]);
    }
    return equal;
}

static bool view_has_eventfds(const FlatView *view)
{
    for (unsigned i = 0; i < view->nr; i++) {
        if (view->ranges[i].mr->ioeventfds) {
            return true;
        }
    }
    return false;
}

/*
 * Event descriptors hang off regions that may already be gone from the tree, so listeners
 * that care about them keep their own table: each update replaces the whole set.
 */
void address_space_update(AddressSpace *as)
{
    FlatView *old = as->current;
    FlatView *new = flatview_render(as->root);
    bool same = flatview_equal(old, new);

    if (same && !view_has_eventfds(new) && !as->had_eventfds) {
        flatview_free(new);
        return;
    }
    for (GSList *l = as->listeners; l; l = l->next) {
        listener_update(l->data, old, new);
    }
    rcu_happens_before();
    rcu_set_pointer(&as->current, new);
    as->had_eventfds = view_has_eventfds(new);
    __atomic_add_fetch(&as->generation, 1, __ATOMIC_RELEASE);
    for (GSList *i = as->listeners; i; i = i->next) {
        MemoryListener *l = i->data;
        if (l->eventfds_reset) {
            l->eventfds_reset(l);
            listener_eventfds(l, new, l->eventfd_add);
        }
        if (l->commit) {
            l->commit(l);
        }
    }
    vmm_call_rcu(flatview_free, old);
}

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    memory_topology_lock();
    *as = (AddressSpace){.name = g_strdup(name), .root = root, .current = g_new0(FlatView, 1)};
    address_spaces = g_slist_append(address_spaces, as);
    address_space_update(as);
    memory_topology_unlock();
}

void address_space_finish(AddressSpace *as)
{
    if (!as->current) {
        return;
    }
    memory_topology_lock();
    address_spaces = g_slist_remove(address_spaces, as);
    while (as->listeners) {
        memory_listener_unregister(as->listeners->data);
    }
    FlatView *old = as->current;
    rcu_set_pointer(&as->current, NULL);
    vmm_call_rcu(flatview_free, old);
    g_clear_pointer(&as->name, g_free);
    memory_topology_unlock();
}

FlatView *address_space_view(AddressSpace *as)
{
    FlatView *view = rcu_dereference(as->current);

    rcu_happens_after();
    return view;
}

void memory_listener_register(MemoryListener *l, AddressSpace *as)
{
    memory_topology_lock();
    l->as = as;
    as->listeners = g_slist_append(as->listeners, l);
    listener_update(l, &empty_view, as->current);
    if (l->eventfds_reset) {
        l->eventfds_reset(l);
        listener_eventfds(l, as->current, l->eventfd_add);
    }
    if (l->commit) {
        l->commit(l);
    }
    memory_topology_unlock();
}

void memory_listener_unregister(MemoryListener *l)
{
    if (!l->as) {
        return;
    }
    memory_topology_lock();
    listener_update(l, l->as->current, &empty_view);
    l->as->listeners = g_slist_remove(l->as->listeners, l);
    l->as = NULL;
    memory_topology_unlock();
}
