/* SPDX-License-Identifier: MIT
 *
 * What a loadable module exports: one line, QUOIN_MODULE;, in one of its files.
 */
#ifndef QOM_MODULE_H
#define QOM_MODULE_H

#include "hw/core/qdev.h"
#include "qom/object.h"

#define QUOIN_MODULE                                                                               \
    G_MODULE_EXPORT const ModuleInfo quoin_module_info = {                                         \
        QUOIN_ABI_VERSION, sizeof(Object), sizeof(ObjectClass), sizeof(DeviceState)}

#endif
