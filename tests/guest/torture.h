/* SPDX-License-Identifier: MIT
 * What the files of the torture program share.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "lib/guest.h"

#define MAX_CPUS   8
#define TRAMPOLINE 0x9000u
#define VECTOR_IPI 0x90

extern unsigned nr_cpus, rounds;
extern volatile uint32_t ap_count;
extern volatile uint32_t taken[MAX_CPUS], taken_nmi[MAX_CPUS]; /* interrupts, by processor */
extern bool quiet; /* only say what is wrong */

static inline volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(0xfee00000ul + reg);
}

void pause_loop(unsigned n);
/* All processors get here before one goes on. */
void barrier(void);
void run_on_all(void (*fn)(unsigned cpu));
/* Write the interrupt command register. */
void send(unsigned cpu, uint32_t low);
/* Start a processor, and wait until it has come to life. */
void start(unsigned cpu);
/* A line for what was looked at; wrong: how often it was not as it must be. */
void show(const char *what, unsigned wrong);

void torture_round(void);
void locked_round(void);
void order_round(void);
void ipi_round(void);
void change_round(void);

#endif
