/* SPDX-License-Identifier: MIT
 *
 * The machine's two address spaces (requests M4-M6).
 */
#include "hw/core/memory-map.h"

#include <unistd.h>

#include "hw/core/machine.h"
#include "system/log.h"

static MemTxResult unassigned_read(void *opaque, hwaddr addr, uint64_t *ret_data, unsigned size,
                                   MemTxAttrs attrs)
{
    (void)opaque;
    (void)attrs;
    log_if(LOG_UNIMP, "read of %u bytes at unassigned 0x%" G_GINT64_MODIFIER "x\n", size, addr);
    *ret_data = UINT64_MAX;
    return MEMTX_DECODE_ERROR;
}

static MemTxResult unassigned_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                    MemTxAttrs attrs)
{
    (void)opaque;
    (void)attrs;
    log_if(LOG_UNIMP,
           "write of %u bytes 0x%" G_GINT64_MODIFIER "x at unassigned 0x%" G_GINT64_MODIFIER "x\n",
           size, data, addr);
    return MEMTX_DECODE_ERROR;
}

const MemoryRegionOps unassigned_mem_ops = {
    .read_with_attrs = unassigned_read,
    .write_with_attrs = unassigned_write,
    .valid = {.unaligned = true},
    .impl = {.max_access_size = 8, .unaligned = true},
    .lock = MR_LOCK_NONE,
};

void io_mem_init(MachineState *machine)
{
    memory_region_init_io(&machine->io_mem_unassigned, OBJECT(machine), &unassigned_mem_ops,
                          machine, "io-mem-unassigned", UINT64_MAX);
}

void memory_map_init(MachineState *machine)
{
    machine->system_memory = g_new0(MemoryRegion, 1);
    memory_region_init(machine->system_memory, OBJECT(machine), "system", UINT64_MAX);
    address_space_init(&machine->address_space_memory, machine->system_memory, "memory");

    machine->system_io = g_new0(MemoryRegion, 1);
    memory_region_init_io(machine->system_io, OBJECT(machine), &unassigned_mem_ops, machine, "io",
                          65536);
    address_space_init(&machine->address_space_io, machine->system_io, "I/O");
}

void smm_map_init(MachineState *machine)
{
    MemoryRegion *normal = g_new0(MemoryRegion, 1);

    machine->smram = g_new0(MemoryRegion, 1);
    memory_region_init(machine->smram, OBJECT(machine), "smram", UINT64_MAX);
    machine->smm_root = g_new0(MemoryRegion, 1);
    memory_region_init(machine->smm_root, OBJECT(machine), "smm", UINT64_MAX);
    memory_region_init_alias(normal, OBJECT(machine), "smm-memory", machine->system_memory, 0,
                             UINT64_MAX);
    machine->smm_memory = normal;
    memory_region_add_subregion(machine->smm_root, 0, normal);
    memory_region_add_subregion_overlap(machine->smm_root, 0, machine->smram, 1);
    address_space_init(&machine->address_space_smm, machine->smm_root, "smm");
}

void smm_map_finish(MachineState *machine)
{
    if (machine->smram) {
        address_space_finish(&machine->address_space_smm);
        vmm_call_rcu(g_free, machine->smm_root);
        vmm_call_rcu(g_free, machine->smm_memory);
        vmm_call_rcu(g_free, machine->smram);
    }
}

void cpu_exec_init_all(MachineState *machine)
{
    io_mem_init(machine);
    memory_map_init(machine);
}

size_t page_size_init(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
