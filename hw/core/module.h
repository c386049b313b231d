/* SPDX-License-Identifier: MIT
 *
 * What a loadable module exports: one line, QUOIN_MODULE;, in one of its files.
 */
#ifndef HW_CORE_MODULE_H
#define HW_CORE_MODULE_H

#include <gmodule.h>

#include "hw/core/qdev.h"

#define MODULE_INFO_HERE                                                                           \
    {                                                                                              \
        QUOIN_ABI_VERSION, sizeof(Object), sizeof(ObjectClass), sizeof(DeviceState)                \
    }

#define QUOIN_MODULE                                                                               \
    extern const ModuleInfo quoin_module_info;                                                     \
    G_MODULE_EXPORT const ModuleInfo quoin_module_info = MODULE_INFO_HERE

#endif
