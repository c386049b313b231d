/* SPDX-License-Identifier: MIT
 * A 64-bit program that is all cases.
 */
#include "lib/guest.h"

void guest_main(void)
{
    run_cases();
}
