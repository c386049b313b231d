/* SPDX-License-Identifier: MIT
 * x87 and SSE exceptions at CPL 3, and the state they leave (SDM vol. 1, ch. 8 and 11).
 */
#include "lib/guest.h"

void guest_main(void)
{
    write_cr0((read_cr0() & ~0xcul) | 0x22);
    write_cr4(read_cr4() | 0x600);
    run_cases();
}
