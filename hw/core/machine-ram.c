/* SPDX-License-Identifier: MIT
 *
 * The memory backend that becomes a machine's RAM.
 */
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "system/memory/backend.h"

static MemoryBackend *find_ram_backend(MachineState *machine, GError **error)
{
    Object *objects = container_get(object_get_root(OBJECT(machine)), "objects");
    Object *obj = object_resolve_path_component(objects, machine->memory_backend_id);

    if (!obj || !object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH,
                    "memory-backend=%s: no memory backend with that id; make it with "
                    "-object memory-backend-ram,id=%s,size=...",
                    machine->memory_backend_id, machine->memory_backend_id);
        return NULL;
    }
    if (MEMORY_BACKEND(obj)->size != machine->ram_size) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "memory-backend=%s has %" G_GUINT64_FORMAT
                    " bytes, but -m says %" G_GUINT64_FORMAT,
                    machine->memory_backend_id, MEMORY_BACKEND(obj)->size, machine->ram_size);
        return NULL;
    }
    return MEMORY_BACKEND(obj);
}

static MemoryBackend *new_ram_backend(MachineState *machine, GError **error)
{
    const char *name = MACHINE_GET_CLASS(machine)->default_ram_id;
    const char *type = machine->mem_path ? TYPE_MEMORY_BACKEND_FILE : MEMORY_BACKEND_DEFAULT;
    Object *obj = object_new_child(OBJECT(machine), name ? name : "ram", type, error);

    if (!obj ||
        (machine->mem_path &&
         !object_property_set_str(obj, "mem-path", machine->mem_path, error)) ||
        !object_property_set_bool(obj, "prealloc", machine->mem_prealloc, error) ||
        !object_property_set_uint(obj, "size", machine->ram_size, error) ||
        !object_property_set_bool(obj, "merge", machine->mem_merge, error) ||
        !object_property_set_bool(obj, "dump", machine->dump_guest_core, error) ||
        !user_creatable_complete(obj, error)) {
        return NULL;
    }
    return MEMORY_BACKEND(obj);
}

/* The nodes' backends, one after the other. */
static MemoryRegion *join_node_backends(MachineState *machine, GError **error)
{
    uint64_t at = 0;

    if (machine->memory_backend_id) {
        g_set_error(
            error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
            "'-machine memory-backend' and '-numa memdev' properties are mutually exclusive");
        return NULL;
    }
    memory_region_init(&machine->numa_ram, OBJECT(machine), "ram", machine->ram_size);
    for (unsigned i = 0; i < machine->numa->nr_nodes; i++) {
        MemoryBackend *backend = machine->numa->nodes[i].backend;
        MemoryRegion *mr = backend ? memory_backend_claim(backend, error) : NULL;

        if (backend && !mr) {
            return NULL;
        }
        if (mr) {
            memory_region_add_subregion(&machine->numa_ram, at, mr);
            at += backend->size;
        }
    }
    return &machine->numa_ram;
}

bool machine_create_ram(MachineState *machine, GError **error)
{
    MemoryBackend *backend;

    if (machine->ram_size == 0) {
        return true;
    }
    if (!machine_configure_cpus(machine, error)) {
        return false;
    }
    if (numa_has_backends(machine->numa)) {
        machine->ram = join_node_backends(machine, error);
        return machine->ram;
    }
    backend = machine->memory_backend_id ? find_ram_backend(machine, error)
                                         : new_ram_backend(machine, error);
    machine->ram = backend ? memory_backend_claim(backend, error) : NULL;
    return machine->ram;
}
