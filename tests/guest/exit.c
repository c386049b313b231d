/* SPDX-License-Identifier: MIT
 * Does nothing and exits: what a start costs (F7).
 */
#include "lib/guest.h"

void guest_main(void)
{
    print("bye\n");
}
