/* SPDX-License-Identifier: MIT
 *
 * SMBus host controller of the 82371AB (data sheet 290562, 7.3), with nothing on its bus: every
 * transaction ends at once with "device error", as one that no slave acknowledges does.
 *
 *   0 host status (write 1 to clear)  4 failed  3 collision  2 device error  1 interrupt  0 busy
 *   2 host control   6 start  4-2 protocol  1 kill  0 interrupt enable
 *   3 command   4 address   5, 6 data   7 block data
 */
#include <string.h>
#include "hw/acpi/smbus-piix4.h"

#define SMB_STATUS       0
#define SMB_CONTROL      2
#define SMB_STS_DEV_ERR  0x04
#define SMB_STS_FAILED   0x10
#define SMB_STS_W1C      0x1e
#define SMB_CTL_KILL     0x02
#define SMB_CTL_START    0x40
#define SMB_CTL_WRITABLE 0x1f

static uint64_t piix4_smbus_read(void *opaque, hwaddr addr, unsigned size)
{
    PIIX4SMBus *smb = opaque;

    return addr < PIIX4_SMB_REGS ? smb->regs[addr] : 0;
}

static void piix4_smbus_control(PIIX4SMBus *smb, uint8_t value)
{
    smb->regs[SMB_CONTROL] = value & SMB_CTL_WRITABLE;
    if (value & SMB_CTL_KILL) {
        smb->regs[SMB_STATUS] |= SMB_STS_FAILED;
    } else if (value & SMB_CTL_START) {
        smb->regs[SMB_STATUS] |= SMB_STS_DEV_ERR;
    }
}

static void piix4_smbus_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PIIX4SMBus *smb = opaque;

    if (addr == SMB_STATUS) {
        smb->regs[SMB_STATUS] &= (uint8_t) ~(value & SMB_STS_W1C);
    } else if (addr == SMB_CONTROL) {
        piix4_smbus_control(smb, (uint8_t)value);
    } else if (addr < PIIX4_SMB_REGS) {
        smb->regs[addr] = (uint8_t)value;
    }
}

static const MemoryRegionOps piix4_smbus_ops = {
    .read = piix4_smbus_read,
    .write = piix4_smbus_write,
    .valid = {1, 4, false},
    .impl = {1, 1, false},
};

void piix4_smbus_init(PIIX4SMBus *smb, Object *owner)
{
    memory_region_init_io(&smb->mr, owner, &piix4_smbus_ops, smb, "piix4-smbus", PIIX4_SMB_PORTS);
}

void piix4_smbus_reset(PIIX4SMBus *smb)
{
    memset(smb->regs, 0, sizeof(smb->regs));
}
