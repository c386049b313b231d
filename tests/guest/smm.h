/* SPDX-License-Identifier: MIT
 * What the SMI handler and the program share: 32-bit words of smm_block, by their offsets.
 */
#ifndef SMM_H
#define SMM_H

#define SMM_COUNT        0
#define SMM_CS           4
#define SMM_DS           8
#define SMM_CR0          12
#define SMM_CR4          16
#define SMM_EFER         20
#define SMM_REVISION     24
#define SMM_RAX          28
#define SMM_RIP          32
#define SMM_SAVED_EFER   36
#define SMM_HALT         40
#define SMM_PORT         44
#define SMM_COMMAND      48
#define SMM_NEW_BASE     52
#define SMM_NMIS         56
#define SMM_NMIS_INSIDE  60
#define SMM_COUNT_INSIDE 64
#define SMM_SIZE        68

#endif
