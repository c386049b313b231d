/* SPDX-License-Identifier: MIT
 * Page-table bits (SDM vol. 3, table 4-6 and following).
 */
#ifndef PAGE32_H
#define PAGE32_H

#define PTE_P  0x001u
#define PTE_W  0x002u
#define PTE_U  0x004u
#define PTE_A  0x020u
#define PTE_D  0x040u
#define PTE_PS 0x080u
#define PTE_G  0x100u
#define PTE_NX (1ull << 63)

#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_PGE 0x80u

#endif
