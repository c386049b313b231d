/* SPDX-License-Identifier: MIT
 *
 * Memory regions: their making and their places in the tree.
 */
#include <string.h>

#include "system/memory/memory-internal.h"
#include "system/memory/owner.h"

static GRecMutex topology_mutex;
static unsigned transaction_depth;
static bool transaction_dirty;

void memory_topology_lock(void)
{
    g_rec_mutex_lock(&topology_mutex);
}

void memory_topology_unlock(void)
{
    g_rec_mutex_unlock(&topology_mutex);
}

void memory_region_transaction_begin(void)
{
    memory_topology_lock();
    transaction_depth++;
}

void memory_region_transaction_commit(void)
{
    g_assert(transaction_depth);
    if (transaction_depth == 1 && transaction_dirty) {
        transaction_dirty = false;
        for (GSList *l = address_spaces; l; l = l->next) {
            address_space_update(l->data);
        }
    }
    transaction_depth--;
    memory_topology_unlock();
}

/* ---- making ---------------------------------------------------------------------- */

static void region_adopt(MemoryRegion *mr, Object *owner, const char *name)
{
    g_autofree char *child = g_strdup_printf("%s[*]", name);

    for (char *p = child; *p; p++) {
        *p = *p == '/' ? '|' : *p;
    }
    object_initialize_child(owner, child, mr, TYPE_MEMORY_REGION);
    mr->owner = owner;
    MemoryOwnerClass *moc = (MemoryOwnerClass *)object_class_dynamic_cast(
        object_get_class(owner), TYPE_MEMORY_OWNER);
    if (moc) {
        mr->lock = moc->get_lock(owner);
        if (moc->region_made) {
            moc->region_made(owner, mr);
        }
    }
}

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size)
{
    memset(mr, 0, sizeof(*mr));
    if (owner) {
        region_adopt(mr, owner, name);
    } else {
        Object *holder = object_new("memory-region-holder", NULL);
        object_initialize_child(holder, "region", mr, TYPE_MEMORY_REGION);
    }
    mr->name = g_strdup(name);
    mr->size = size;
    mr->enabled = true;
}

void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->ops = ops;
    mr->opaque = opaque;
    mr->terminates = true;
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **error)
{
    memory_region_init(mr, owner, name, size);
    mr->ram_block = ram_block_new(mr, name, size, error);
    mr->ram = mr->terminates = mr->ram_block;
    return mr->ram_block;
}

bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            GError **error)
{
    bool ok = memory_region_init_ram(mr, owner, name, size, error);

    mr->readonly = true;
    return ok;
}

bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                                   void *opaque, const char *name, uint64_t size, GError **error)
{
    bool ok = memory_region_init_ram(mr, owner, name, size, error);

    mr->ram = false;
    mr->rom_device = mr->romd_mode = ok;
    mr->ops = ops;
    mr->opaque = opaque;
    return ok;
}

void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                void *host, int fd)
{
    memory_region_init(mr, owner, name, size);
    mr->ram_block = ram_block_new_from_ptr(mr, name, size, host, fd);
    mr->ram = mr->terminates = true;
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
}

void memory_region_finish(MemoryRegion *mr)
{
    Object *parent = OBJECT(mr)->parent;

    if (!parent) {
        return;
    }
    if (mr->owner) {
        object_unparent(OBJECT(mr));
    } else {
        object_unref(parent);
    }
}

static void region_finalize(Object *obj)
{
    MemoryRegion *mr = MEMORY_REGION(obj);

    memory_region_transaction_begin();
    if (mr->container) {
        memory_region_del_subregion(mr->container, mr);
    }
    while (mr->subregions) {
        memory_region_del_subregion(mr, mr->subregions->data);
    }
    memory_region_transaction_commit();
    g_clear_pointer(&mr->ram_block, ram_block_free);
    g_slist_free_full(g_steal_pointer(&mr->ioeventfds), g_free);
    g_clear_pointer(&mr->name, g_free);
}

/* ---- places ----------------------------------------------------------------------- */

static gint priority_compare(gconstpointer a, gconstpointer b)
{
    const MemoryRegion *x = a, *y = b;

    return x->priority >= y->priority ? -1 : 1; /* the later one of equals goes first */
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                         int priority)
{
    g_assert(!sub->container);
    memory_region_transaction_begin();
    sub->container = mr;
    sub->addr = offset;
    sub->priority = priority;
    mr->subregions = g_list_insert_sorted(mr->subregions, sub, priority_compare);
    transaction_dirty = true;
    memory_region_transaction_commit();
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub)
{
    memory_region_add_subregion_overlap(mr, offset, sub, 0);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    g_assert(sub->container == mr);
    memory_region_transaction_begin();
    mr->subregions = g_list_remove(mr->subregions, sub);
    sub->container = NULL;
    transaction_dirty = true;
    memory_region_transaction_commit();
}

#define DEFINE_REGION_SETTER(function, T, field)                                                   \
    void function(MemoryRegion *mr, T value)                                                       \
    {                                                                                              \
        memory_region_transaction_begin();                                                         \
        if (mr->field != value) {                                                                  \
            mr->field = value;                                                                     \
            transaction_dirty = true;                                                              \
        }                                                                                          \
        memory_region_transaction_commit();                                                        \
    }

DEFINE_REGION_SETTER(memory_region_set_enabled, bool, enabled)
DEFINE_REGION_SETTER(memory_region_set_alias_offset, hwaddr, alias_offset)
DEFINE_REGION_SETTER(memory_region_set_size, uint64_t, size)
DEFINE_REGION_SETTER(memory_region_set_readonly, bool, readonly)
DEFINE_REGION_SETTER(memory_region_rom_device_set_romd, bool, romd_mode)

/* Moving also puts it in front of others of its priority, as adding it anew would. */
void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    MemoryRegion *container = mr->container;

    if (mr->addr == addr) {
        return;
    }
    memory_region_transaction_begin();
    mr->addr = addr;
    if (container) {
        int priority = mr->priority;
        memory_region_del_subregion(container, mr);
        memory_region_add_subregion_overlap(container, addr, mr, priority);
    }
    memory_region_transaction_commit();
}

/* ---- looking --------------------------------------------------------------------- */

void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    hwaddr offset = 0;

    while (mr->alias) {
        offset += mr->alias_offset;
        mr = mr->alias;
    }
    g_assert(mr->ram_block);
    return mr->ram_block->host + offset;
}

uint64_t memory_region_size(const MemoryRegion *mr)
{
    return mr->size;
}

const char *memory_region_name(const MemoryRegion *mr)
{
    return mr->name;
}

/* ---- eventfds --------------------------------------------------------------------- */

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match,
                               uint64_t data, int fd)
{
    IOEventFD *e = g_new(IOEventFD, 1);

    *e = (IOEventFD){addr, size, match, data, fd};
    memory_region_transaction_begin();
    mr->ioeventfds = g_slist_prepend(mr->ioeventfds, e);
    transaction_dirty = true;
    memory_region_transaction_commit();
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match,
                               uint64_t data, int fd)
{
    memory_region_transaction_begin();
    for (GSList *l = mr->ioeventfds; l; l = l->next) {
        IOEventFD *e = l->data;
        if (e->addr == addr && e->size == size && e->match == match && e->fd == fd &&
            (!match || e->data == data)) {
            mr->ioeventfds = g_slist_delete_link(mr->ioeventfds, l);
            g_free(e);
            transaction_dirty = true;
            break;
        }
    }
    memory_region_transaction_commit();
}

static GVariant *region_get_addr(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_uint64(MEMORY_REGION(obj)->addr);
}

static GVariant *region_get_size(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_uint64(MEMORY_REGION(obj)->size);
}

static GVariant *region_get_priority(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_int32(MEMORY_REGION(obj)->priority);
}

static const Property region_properties[] = {
    DEFINE_PROP_CUSTOM("addr", "t", region_get_addr, NULL, PROP_TELEMETRY,
                       "Address in its container"),
    DEFINE_PROP_CUSTOM("size", "t", region_get_size, NULL, PROP_TELEMETRY, "Bytes"),
    DEFINE_PROP_CUSTOM("priority", "i", region_get_priority, NULL, PROP_TELEMETRY,
                       "Higher hides lower"),
    DEFINE_PROP_END,
};

static const TypeInfo region_types[] = {
    {.name = TYPE_MEMORY_REGION,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(MemoryRegion),
     .instance_finalize = region_finalize,
     .properties = region_properties,
     .doc = "Piece of a guest address space"},
    {.name = "memory-region-holder",
     .parent = TYPE_OBJECT,
     .doc = "Owner of a region that has no other"},
};
DEFINE_TYPES(region_types)
