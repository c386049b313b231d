/* SPDX-License-Identifier: MIT
 *
 * What the files of hw/core share.
 */
#ifndef HW_CORE_QDEV_INTERNAL_H
#define HW_CORE_QDEV_INTERNAL_H

#include "hw/core/qdev.h"

void gpio_list_free(GPIOList *list);

#endif
