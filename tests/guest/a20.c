/* SPDX-License-Identifier: MIT
 *
 * The gate of A20, at port 92h and at the keyboard controller: while it is closed, the second
 * megabyte is the first once more (IBM PS/2 Hardware Interface Technical Reference, "system
 * control port A"; 8042 commands d1h, ddh and dfh).
 */
#include "lib/guest.h"

#define LOW  0x0007f000u /* conventional memory */
#define HIGH 0x0017f000u
#define CODE 0x0007e000u

/* Runs at CODE, for this program lies in the second megabyte; uses no stack. */
extern uint8_t closed_code[], closed_code_end[];
asm(".pushsection .text\n"
    "closed_code:\n"
    "    test %ecx, %ecx\n"
    "    jz 1f\n"
    "    mov $0xdd, %al\n" /* the keyboard controller's way */
    "    out %al, $0x64\n"
    "    jmp 2f\n"
    "1:  in $0x92, %al\n"
    "    and $0xfd, %al\n"
    "    out %al, $0x92\n"
    "2:  mov $200, %edx\n"
    "3:  in $0x64, %al\n"
    "    dec %edx\n"
    "    jnz 3b\n"
    "    mov (%edi), %ebx\n"
    "    movl $0x12345678, 4(%edi)\n"
    "    mov $0xdf, %al\n"
    "    out %al, $0x64\n"
    "    in $0x92, %al\n"
    "    or $2, %al\n"
    "    out %al, $0x92\n"
    "    mov $200, %edx\n"
    "3:  in $0x64, %al\n"
    "    dec %edx\n"
    "    jnz 3b\n"
    "    jmp *%esi\n"
    "closed_code_end:\n"
    ".popsection\n");

static volatile uint32_t *at(uint32_t address)
{
    return (volatile uint32_t *)address;
}

static void through(const char *name, uint32_t keyboard)
{
    uint32_t seen, edi = HIGH, code = CODE;

    *at(LOW) = 0x10101010;
    *at(LOW + 4) = 0;
    *at(HIGH) = 0x20202020;
    *at(HIGH + 4) = 0;
    asm volatile("mov $1f, %%esi; jmp *%2; 1:"
                 : "=&b"(seen), "+D"(edi), "+a"(code), "+c"(keyboard)
                 :
                 : "esi", "edx", "memory", "cc");
    print("%s: closed, %x is read and 0x12345678 written at %s\n", name, (Word)seen,
          *at(LOW + 4) == 0x12345678 ? "the first megabyte" : "the second");
    print("%s: open again, %x\n", name, (Word)*at(HIGH));
}

void guest_main(void)
{
    for (unsigned i = 0; closed_code + i < closed_code_end; i++) {
        ((volatile uint8_t *)CODE)[i] = closed_code[i];
    }
    through("port 92", 0);
    through("keyboard controller", 1);
}
