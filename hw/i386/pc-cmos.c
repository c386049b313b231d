/* SPDX-License-Identifier: MIT
 *
 * What a PC's board leaves in CMOS RAM for its firmware.  Ralf Brown's CMOS map; SeaBIOS,
 * src/hw/rtc.h.
 *
 *   10 floppy types       12 disk types: 0fh, see 19 and 1a   14 equipment
 *   15 base memory, KiB   17, 30 KiB above 1 MiB              34 64 KiB above 16 MiB
 *   19, 1a 47: see 1b-23 and 24-2c: cylinders, heads, -, control, landing zone, sectors
 *   38 third boot device, floppy signature check              3d second, first
 *   39 how disks' sectors are counted, 2 bits each            5b 64 KiB above 4 GiB
 *   5f CPUs - 1
 */
#include "hw/block/fdc.h"
#include "hw/i386/pc.h"
#include "hw/ide/ide.h"

#define CMOS_USER_TYPE 47u

static void cmos_set(RTCState *rtc, int addr, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        mc146818_rtc_set_cmos(rtc, addr + (int)i, (uint8_t)(value >> 8 * i));
    }
}

static void pc_cmos_memory(X86MachineState *x86ms)
{
    uint64_t low = x86ms->below_4g_mem_size;
    uint64_t above_1m = low > 0x100000 ? (low - 0x100000) / 1024 : 0;
    uint64_t above_16m = low > 0x1000000 ? (low - 0x1000000) / 65536 : 0;

    cmos_set(x86ms->rtc, 0x15, 2, 640);
    cmos_set(x86ms->rtc, 0x17, 2, MIN(above_1m, 0xffff));
    cmos_set(x86ms->rtc, 0x30, 2, MIN(above_1m, 0xffff));
    cmos_set(x86ms->rtc, 0x34, 2, MIN(above_16m, 0xffff));
    cmos_set(x86ms->rtc, 0x5b, 3, x86ms->above_4g_mem_size / 65536);
}

/* ---- -boot order= ------------------------------------------------------------------- */

/* As SeaBIOS numbers them: 1 floppy, 2 disk, 3 CD, 4 network; 0: a PC has no such device. */
static unsigned cmos_boot_device(char letter)
{
    static const char letters[] = {'a', 'c', 'd', 'n'};

    for (unsigned i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (letters[i] == letter) {
            return i + 1;
        }
    }
    return letter == 'b' ? 1 : 0;
}

static bool check_boot_order(const char *key, const char *order, GError **error)
{
    for (unsigned i = 0; order && order[i]; i++) {
        if (i == 3 || !cmos_boot_device(order[i])) {
            g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                        "-boot %s=%s: expected up to three of a, b (floppy), c (disk), d (CD), n "
                        "(network)",
                        key, order);
            return false;
        }
    }
    return true;
}

static void set_boot_order(PCMachineState *pcms, const char *order)
{
    RTCState *rtc = X86_MACHINE(pcms)->rtc;
    unsigned devices[3] = {0};

    order = order ? order : "cad"; /* an empty one is no device at all */
    for (unsigned i = 0; i < 3 && order[i]; i++) {
        devices[i] = cmos_boot_device(order[i]);
    }
    cmos_set(rtc, 0x3d, 1, devices[1] << 4 | devices[0]);
    cmos_set(rtc, 0x38, 1, devices[2] << 4 | !pcms->fd_bootchk);
}

/* -boot once= holds for the first start. */
void pc_cmos_next_boot(PCMachineState *pcms)
{
    const BootOptions *boot = &MACHINE(pcms)->boot;

    if (pcms->started && boot->once) {
        set_boot_order(pcms, boot->order);
    }
    pcms->started = true;
}

bool pc_cmos_init(PCMachineState *pcms, GError **error)
{
    X86MachineState *x86ms = X86_MACHINE(pcms);
    MachineState *machine = MACHINE(pcms);
    const BootOptions *boot = &machine->boot;

    if (!check_boot_order("order", boot->order, error) ||
        !check_boot_order("once", boot->once, error)) {
        return false;
    }
    pc_cmos_memory(x86ms);
    set_boot_order(pcms, boot->once ? boot->once : boot->order);
    cmos_set(x86ms->rtc, 0x5f, 1, machine->smp.cpus - 1);
    return true;
}

/* ---- disks ---------------------------------------------------------------------------- */

static void set_user_type(RTCState *rtc, int type_addr, int at, const IDEGeometry *g)
{
    cmos_set(rtc, type_addr, 1, CMOS_USER_TYPE);
    cmos_set(rtc, at, 2, g->cylinders);
    cmos_set(rtc, at + 2, 1, g->heads);
    cmos_set(rtc, at + 3, 2, 0xffff); /* no write precompensation */
    cmos_set(rtc, at + 5, 1, 0xc0 | (g->heads > 8) << 3);
    cmos_set(rtc, at + 6, 2, g->cylinders);
    cmos_set(rtc, at + 8, 1, g->sectors);
}

/* Floppy drives; and of byte 14h: 0 a floppy drive, 1 FPU, 2 mouse, 7-6 floppy drives but one. */
static void set_equipment(PCMachineState *pcms)
{
    RTCState *rtc = X86_MACHINE(pcms)->rtc;
    uint8_t floppies = pcms->fdc ? fdc_cmos_types(pcms->fdc) : 0;
    unsigned n = (floppies >> 4 ? 1u : 0u) + (floppies & 15 ? 1u : 0u);

    cmos_set(rtc, 0x10, 1, floppies);
    cmos_set(rtc, 0x14, 1, (n ? 0x01 | (n - 1) << 6 : 0) | 0x02 | (pcms->i8042 ? 0x04 : 0));
}

void pc_cmos_disks(PCMachineState *pcms)
{
    RTCState *rtc = X86_MACHINE(pcms)->rtc;
    uint8_t types = 0, translations = 0;

    set_equipment(pcms);
    for (int i = 0; pcms->ide && i < 4; i++) {
        IDEGeometry g;
        if (!ide_get_geometry(pcms->ide, i / 2, i % 2, &g)) {
            continue;
        }
        translations |= (uint8_t)(g.translation << 2 * i);
        if (i < 2) {
            types |= i ? 0x0f : 0xf0;
            set_user_type(rtc, 0x19 + i, i ? 0x24 : 0x1b, &g);
        }
    }
    cmos_set(rtc, 0x12, 1, types);
    cmos_set(rtc, 0x39, 1, translations);
}
