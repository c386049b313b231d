/* SPDX-License-Identifier: MIT
 *
 * NUMA: which CPUs and how much memory each node has, and how far nodes are apart.
 * Filled from -numa before the board is made.
 */
#ifndef HW_CORE_NUMA_H
#define HW_CORE_NUMA_H

#include "hw/core/machine.h"
#include "system/memory/backend.h"

#define NUMA_MAX_NODES      128u
#define NUMA_DISTANCE_LOCAL 10u
#define NUMA_DISTANCE_FAR   20u /* unless -numa dist says otherwise */

typedef struct NumaNode {
    bool present;
    bool has_mem;           /* mem= was given */
    uint64_t mem;           /* bytes */
    MemoryBackend *backend; /* memdev=; NULL: a part of the machine's one RAM */
    uint8_t distance[NUMA_MAX_NODES]; /* to each node */
} NumaNode;

struct NumaState {
    NumaNode nodes[NUMA_MAX_NODES];
    unsigned nr_nodes;
    bool has_distances; /* there is something for a SLIT to say */
};

/* Carry machine->numa_options out, once: nodes, CPU slots' node IDs, distances. */
bool numa_configure(MachineState *machine, GError **error);
void numa_state_free(NumaState *numa);
/* Whether nodes have memory backends of their own. */
bool numa_has_backends(const NumaState *numa);
unsigned numa_count(const MachineState *machine);

#endif
