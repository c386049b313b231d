/* SPDX-License-Identifier: MIT
 *
 * KVM for other components: lines and messages that devices can have delivered
 * in the kernel.  All functions may be called from any thread.
 */
#ifndef ACCEL_KVM_KVM_H
#define ACCEL_KVM_KVM_H

#include "accel/accel.h"

OBJECT_DECLARE_SIMPLE(KVMState, KVM_STATE, TYPE_KVM_ACCEL)

/* The machine's accelerator, if it is KVM; NULL otherwise. */
KVMState *kvm_state_of(MachineState *machine);

/*
 * irqfd: an eventfd that a device signals from any thread (or process) becomes an
 * interrupt with no exit to us.  GSIs from kvm_msi_route_add() carry an MSI; the
 * machine's own carry a line.  resample_fd, or -1: signalled when a level-triggered one ends.
 * False: the kernel has no interrupt controller here (kernel-irqchip=off), or no room.
 */
bool kvm_irqfd_add(KVMState *s, int gsi, int fd, int resample_fd, GError **error);
void kvm_irqfd_del(KVMState *s, int gsi, int fd);
/* A GSI that stands for this message; -1 and *error. */
int kvm_msi_route_add(KVMState *s, uint64_t address, uint32_t data, GError **error);
bool kvm_msi_route_update(KVMState *s, int gsi, uint64_t address, uint32_t data, GError **error);
void kvm_msi_route_del(KVMState *s, int gsi);

/* Names of KVM_EXIT_* and of the sub-errors of KVM_EXIT_INTERNAL_ERROR. */
const char *kvm_exit_name(uint32_t reason);
const char *kvm_suberror_name(uint32_t suberror);

#endif
