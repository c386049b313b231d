/* SPDX-License-Identifier: MIT */
#include "hw/core/module.h"

static const ModuleInfo here = MODULE_INFO_HERE;

static void module_register_abi(void)
{
    module_set_abi(&here);
}
type_init(module_register_abi)
