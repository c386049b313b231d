/* SPDX-License-Identifier: MIT
 * Writes to a port `count` times: what an exit costs (scripts/dev bench).
 */
#include "lib/guest.h"

void guest_main(void)
{
    unsigned count = command_line_number("count", 100);

    for (unsigned i = 0; i < count; i++) {
        outb(0x80, 0);
    }
    print("done\n");
}
