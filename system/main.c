/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include "system/runstate.h"
#include "system/vl.h"

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    VMM *vmm = vmm_new();
    int status = EXIT_SUCCESS;

    if (!vmm_init(vmm, argc, argv, &error)) {
        g_printerr("quoin: %s\n", error->message);
        status = EXIT_FAILURE;
    } else if (!vmm->done) {
        status = vmm_main_loop(vmm->machine);
    }
    vmm_cleanup(vmm);
    return status;
}
