/* SPDX-License-Identifier: MIT
 *
 * The memory side of a machine's birth (requests M4-M6).
 */
#ifndef HW_CORE_MEMORY_MAP_H
#define HW_CORE_MEMORY_MAP_H

#include "system/memory/memory.h"

typedef struct MachineState MachineState;

/* M4: io_mem_unassigned, what answers where nothing is mapped: reads ones, drops writes. */
extern const MemoryRegionOps unassigned_mem_ops;
void io_mem_init(MachineState *machine);
/* M5: machine->address_space_memory and machine->address_space_io. */
void memory_map_init(MachineState *machine);
void cpu_exec_init_all(MachineState *machine);
/*
 * machine->smram and machine->address_space_smm, by a board whose CPUs have SMM, before it makes
 * them; finish is the machine's.
 */
void smm_map_init(MachineState *machine);
void smm_map_finish(MachineState *machine);
/* M6: the host's page size; returns it. */
size_t page_size_init(void);

#endif
