/* SPDX-License-Identifier: MIT
 *
 * XSAVE and its kin: XCR0's rules, headers, formats, components left alone (SDM vol. 1, ch. 13).
 */
#include "lib/guest.h"

void guest_main(void)
{
    write_cr4(read_cr4() | 0x40600ul); /* OSXSAVE, OSXMMEXCPT, OSFXSR */
    run_cases();
    write_cr4(read_cr4() & ~0x40600ul);
}
