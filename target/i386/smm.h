/* SPDX-License-Identifier: MIT
 *
 * System management mode (SDM vol. 3, ch. 31; AMD APM vol. 2, ch. 10): what a CPU does at
 * an SMI and at RSM.  vCPU thread, or a stopped CPU.
 */
#ifndef TARGET_I386_SMM_H
#define TARGET_I386_SMM_H

#include "target/i386/cpu.h"

/* Into and out of the address space of SMM, with hflags, A20 and the TLB; saves and loads nothing. */
void x86_set_smm(CPUX86State *env, bool smm);
/* Take an SMI: save the state at SMBASE and go to SMBASE + 8000h. */
void x86_enter_smm(CPUX86State *env);
/* RSM: false where the saved state is one that no CPU can be in: the answer is a shutdown. */
bool x86_leave_smm(CPUX86State *env);

/* Whether an SMI may be taken now; it stays pending otherwise (SDM vol. 3, 31.3.1, 31.9). */
static inline bool x86_smi_deliverable(const CPUX86State *env)
{
    return !env->smm && !env->wait_for_sipi && !env->shadow;
}

/* INIT is held off in SMM (SDM vol. 3, 31.8). */
static inline bool x86_init_deliverable(const CPUX86State *env)
{
    return !env->smm;
}

/* The gate of A20; in SMM it is always open. */
void x86_set_a20(CPUX86State *env, bool open);

#endif
