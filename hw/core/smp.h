/* SPDX-License-Identifier: MIT
 *
 * -smp: how many CPUs, in which sockets, dies, cores and threads.
 */
#ifndef HW_CORE_SMP_H
#define HW_CORE_SMP_H

#include "hw/core/machine.h"

/* "4" or "cpus=4,sockets=2,cores=2,threads=1,maxcpus=4" into machine->smp; what is left out fits.
 */
bool smp_parse(MachineState *machine, const char *text, GError **error);

#endif
