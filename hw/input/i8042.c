/* SPDX-License-Identifier: MIT
 *
 * PS/2 keyboard and mouse controller: IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard/Auxiliary Device Controller".
 *
 *   60  read: output buffer; write: to the keyboard, or the argument of a command
 *   64  read: status; write: command
 *
 * The output buffer holds one byte and says whose it is; the next is fetched
 * when it has been read: the controller's own answers first, then keyboard, then mouse.
 */
#include "hw/input/i8042.h"

#include <string.h>

#include "hw/core/machine.h"
#include "hw/input/i8042-internal.h"
#include "hw/input/ps2.h"
#include "system/log.h"

#define STATUS_OBF      0x01
#define STATUS_SYSTEM   0x04
#define STATUS_COMMAND  0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX      0x20

#define MODE_KBD_INT   0x01
#define MODE_AUX_INT   0x02
#define MODE_SYSTEM    0x04
#define MODE_NO_KBD    0x10
#define MODE_NO_AUX    0x20
#define MODE_TRANSLATE 0x40

#define OUTPUT_NO_RESET 0x01
#define OUTPUT_A20      0x02
#define OUTPUT_KBD_IRQ  0x10
#define OUTPUT_AUX_IRQ  0x20
#define OUTPUT_ONES     0xcc

#define CMD_READ_RAM     0x20 /* to 3f; 20 is the mode byte */
#define CMD_WRITE_RAM    0x60 /* to 7f */
#define CMD_DISABLE_AUX  0xa7
#define CMD_ENABLE_AUX   0xa8
#define CMD_TEST_AUX     0xa9
#define CMD_SELF_TEST    0xaa
#define CMD_TEST_KBD     0xab
#define CMD_DISABLE_KBD  0xad
#define CMD_ENABLE_KBD   0xae
#define CMD_READ_INPUT   0xc0
#define CMD_READ_OUTPUT  0xd0
#define CMD_WRITE_OUTPUT 0xd1
#define CMD_WRITE_KBD    0xd2 /* as if from the keyboard */
#define CMD_WRITE_AUX    0xd3 /* as if from the mouse */
#define CMD_TO_AUX       0xd4
#define CMD_DISABLE_A20  0xdd
#define CMD_ENABLE_A20   0xdf
#define CMD_PULSE        0xf0 /* to ff: bits that are 0 are pulsed low */

#define RAM_SIZE     32
#define SELF_TEST_OK 0x55
#define SCAN_BREAK   0xf0

typedef struct I8042 I8042;

enum BufferSource { FROM_KEYBOARD, FROM_MOUSE };

struct I8042 {
    ISADevice parent_obj;
    MemoryRegion data_io, command_io;
    IRQ kbd_irq, aux_irq, a20;
    MachineState *machine;
    uint32_t kbd_line, aux_line;

    uint8_t status;        /* OBF, SYSTEM, COMMAND, AUX */
    uint8_t ram[RAM_SIZE]; /* [0] is the mode */
    uint8_t command;       /* that waits for its argument, 0: none */
    uint8_t buffer;
    uint8_t answer;
    uint8_t answer_source; /* enum BufferSource */
    bool has_answer;
    bool break_prefix; /* translation has seen f0 */
    bool a20_level;
    PS2Keyboard keyboard;
    PS2Mouse mouse;
};

/* ---- output buffer ------------------------------------------------------------------ */

static uint8_t i8042_mode(const I8042 *s)
{
    return s->ram[0];
}

static void i8042_update_irqs(I8042 *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX;

    irq_set(s->kbd_irq, full && !aux && (i8042_mode(s) & MODE_KBD_INT));
    irq_set(s->aux_irq, full && aux && (i8042_mode(s) & MODE_AUX_INT));
}

static void i8042_fill(I8042 *s, uint8_t byte, enum BufferSource source)
{
    s->buffer = byte;
    s->status = (s->status & ~STATUS_AUX) | STATUS_OBF | (source == FROM_MOUSE ? STATUS_AUX : 0);
}

/* f0 is swallowed and sets bit 7 of what follows. */
static bool i8042_translate_byte(I8042 *s, uint8_t *byte)
{
    if (!(i8042_mode(s) & MODE_TRANSLATE) || s->keyboard.set == 1) {
        return true;
    }
    if (*byte == SCAN_BREAK) {
        s->break_prefix = true;
        return false;
    }
    *byte = i8042_translate[*byte] | (s->break_prefix ? 0x80 : 0);
    s->break_prefix = false;
    return true;
}

static bool i8042_fetch_keyboard(I8042 *s)
{
    uint8_t byte;

    while (!(i8042_mode(s) & MODE_NO_KBD) && ps2_queue_get(&s->keyboard.queue, &byte)) {
        if (i8042_translate_byte(s, &byte)) {
            i8042_fill(s, byte, FROM_KEYBOARD);
            return true;
        }
    }
    return false;
}

static void i8042_fetch_mouse(I8042 *s)
{
    uint8_t byte;

    ps2_mouse_flush(&s->mouse);
    if (!(i8042_mode(s) & MODE_NO_AUX) && ps2_queue_get(&s->mouse.queue, &byte)) {
        i8042_fill(s, byte, FROM_MOUSE);
    }
}

static void i8042_update(I8042 *s)
{
    if (!(s->status & STATUS_OBF)) {
        if (s->has_answer) {
            s->has_answer = false;
            i8042_fill(s, s->answer, s->answer_source);
        } else if (!i8042_fetch_keyboard(s)) {
            i8042_fetch_mouse(s);
        }
    }
    i8042_update_irqs(s);
}

static void i8042_answer_from(I8042 *s, uint8_t byte, enum BufferSource source)
{
    s->answer = byte;
    s->answer_source = source;
    s->has_answer = true;
}

static void i8042_answer(I8042 *s, uint8_t byte)
{
    i8042_answer_from(s, byte, FROM_KEYBOARD);
}

/* ---- output port --------------------------------------------------------------------- */

static void i8042_set_a20(I8042 *s, bool level)
{
    s->a20_level = level;
    irq_set(s->a20, level);
}

static uint8_t i8042_read_output_port(const I8042 *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX;

    return OUTPUT_ONES | OUTPUT_NO_RESET | (s->a20_level ? OUTPUT_A20 : 0) |
           (full && !aux ? OUTPUT_KBD_IRQ : 0) | (full && aux ? OUTPUT_AUX_IRQ : 0);
}

static void i8042_write_output_port(I8042 *s, uint8_t value)
{
    i8042_set_a20(s, value & OUTPUT_A20);
    if (!(value & OUTPUT_NO_RESET)) {
        system_reset_request(s->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

/* ---- commands ------------------------------------------------------------------------ */

static void i8042_write_mode(I8042 *s, uint8_t value)
{
    s->ram[0] = value;
    s->status = (s->status & ~STATUS_SYSTEM) | (value & MODE_SYSTEM ? STATUS_SYSTEM : 0);
}

static void i8042_self_test(I8042 *s)
{
    i8042_write_mode(s, MODE_SYSTEM | MODE_NO_KBD | MODE_NO_AUX);
    i8042_answer(s, SELF_TEST_OK);
}

static void i8042_command(I8042 *s, uint8_t command)
{
    uint8_t mode = i8042_mode(s);

    switch (command) {
    case CMD_READ_RAM ... CMD_READ_RAM + RAM_SIZE - 1:
        i8042_answer(s, s->ram[command - CMD_READ_RAM]);
        break;
    case CMD_WRITE_RAM ... CMD_WRITE_RAM + RAM_SIZE - 1:
    case CMD_WRITE_OUTPUT:
    case CMD_WRITE_KBD:
    case CMD_WRITE_AUX:
    case CMD_TO_AUX:
        s->command = command;
        break;
    case CMD_DISABLE_AUX:
    case CMD_ENABLE_AUX:
        i8042_write_mode(s, command == CMD_ENABLE_AUX ? mode & ~MODE_NO_AUX : mode | MODE_NO_AUX);
        break;
    case CMD_DISABLE_KBD:
    case CMD_ENABLE_KBD:
        i8042_write_mode(s, command == CMD_ENABLE_KBD ? mode & ~MODE_NO_KBD : mode | MODE_NO_KBD);
        break;
    case CMD_TEST_AUX:
    case CMD_TEST_KBD:
        i8042_answer(s, 0);
        break;
    case CMD_SELF_TEST:
        i8042_self_test(s);
        break;
    case CMD_READ_INPUT:
        i8042_answer(s, 0x80); /* not inhibited */
        break;
    case CMD_READ_OUTPUT:
        i8042_answer(s, i8042_read_output_port(s));
        break;
    case CMD_DISABLE_A20:
    case CMD_ENABLE_A20:
        i8042_set_a20(s, command == CMD_ENABLE_A20);
        break;
    case CMD_PULSE ... CMD_PULSE + 0xf:
        if (!(command & OUTPUT_NO_RESET)) {
            system_reset_request(s->machine, SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    default:
        log_guest_error("i8042: unknown command %02x\n", command);
        break;
    }
}

static void i8042_argument(I8042 *s, uint8_t command, uint8_t byte)
{
    switch (command) {
    case CMD_WRITE_RAM:
        i8042_write_mode(s, byte);
        break;
    case CMD_WRITE_OUTPUT:
        i8042_write_output_port(s, byte);
        break;
    case CMD_WRITE_KBD:
    case CMD_WRITE_AUX:
        i8042_answer_from(s, byte, command == CMD_WRITE_AUX ? FROM_MOUSE : FROM_KEYBOARD);
        break;
    case CMD_TO_AUX:
        ps2_mouse_write(&s->mouse, byte);
        break;
    default:
        s->ram[command - CMD_WRITE_RAM] = byte;
        break;
    }
}

/* ---- ports --------------------------------------------------------------------------- */

static uint64_t i8042_read_data(void *opaque, hwaddr addr, unsigned size)
{
    I8042 *s = opaque;
    uint8_t byte = s->buffer;

    if (s->status & STATUS_OBF) {
        s->status &= ~(STATUS_OBF | STATUS_AUX);
        i8042_update_irqs(s); /* the line falls before the next byte raises it */
        i8042_update(s);
    }
    return byte;
}

/* Talking to the keyboard enables it. */
static void i8042_write_data(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8042 *s = opaque;
    uint8_t command = s->command;

    s->command = 0;
    s->status &= ~STATUS_COMMAND;
    if (command) {
        i8042_argument(s, command, data);
    } else {
        i8042_write_mode(s, i8042_mode(s) & ~MODE_NO_KBD);
        ps2_keyboard_write(&s->keyboard, data);
        input_set_leds(DEVICE(s), s->keyboard.leds);
    }
    i8042_update(s);
}

static uint64_t i8042_read_status(void *opaque, hwaddr addr, unsigned size)
{
    return ((I8042 *)opaque)->status | STATUS_UNLOCKED;
}

static void i8042_write_command(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    I8042 *s = opaque;

    s->command = 0;
    s->status |= STATUS_COMMAND;
    i8042_command(s, data);
    i8042_update(s);
}

static const MemoryRegionOps i8042_data_ops = {
    .read = i8042_read_data,
    .write = i8042_write_data,
    .impl = {1, 1},
};

static const MemoryRegionOps i8042_command_ops = {
    .read = i8042_read_status,
    .write = i8042_write_command,
    .impl = {1, 1},
};

/* ---- input --------------------------------------------------------------------------- */

static void i8042_key(void *opaque, const InputKey *key, bool down)
{
    I8042 *s = opaque;

    ps2_keyboard_key(&s->keyboard, key, down);
    i8042_update(s);
}

static void i8042_move(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    I8042 *s = opaque;

    ps2_mouse_move(&s->mouse, dx, dy, dz, buttons);
    i8042_update(s);
}

void i8042_mouse_wake(ISADevice *isa)
{
    I8042 *s = (I8042 *)isa;

    device_lock(DEVICE(s));
    ps2_mouse_wake(&s->mouse);
    i8042_update(s);
    device_unlock(DEVICE(s));
}

static const InputHandler i8042_keyboard = {.name = "QEMU PS/2 Keyboard", .key = i8042_key};
static const InputHandler i8042_mouse = {.name = "QEMU PS/2 Mouse", .move = i8042_move};

/* ---- device -------------------------------------------------------------------------- */

static void i8042_reset(DeviceState *dev, ResetType type)
{
    I8042 *s = (I8042 *)dev;

    memset(s->ram, 0, sizeof(s->ram));
    s->status = 0;
    i8042_write_mode(s, MODE_KBD_INT | MODE_AUX_INT);
    s->command = 0;
    s->buffer = 0;
    s->has_answer = s->break_prefix = false;
    s->a20_level = true;
    ps2_keyboard_reset(&s->keyboard);
    ps2_mouse_reset(&s->mouse);
}

static void i8042_reset_hold(DeviceState *dev)
{
    I8042 *s = (I8042 *)dev;

    i8042_update_irqs(s);
    irq_set(s->a20, s->a20_level);
    input_set_leds(dev, s->keyboard.leds);
}

static bool i8042_realize(DeviceState *dev, GError **error)
{
    I8042 *s = (I8042 *)dev;
    ISADevice *isa = &s->parent_obj;

    if (!isa_check_irq(isa, "kbd-irq", s->kbd_line, error) ||
        !isa_check_irq(isa, "mouse-irq", s->aux_line, error)) {
        return false;
    }
    s->machine = qdev_get_machine(dev);
    s->kbd_irq = isa_get_irq(isa, s->kbd_line);
    s->aux_irq = isa_get_irq(isa, s->aux_line);
    qdev_init_gpio_out_named(dev, &s->a20, I8042_A20, 1);
    memory_region_init_io(&s->data_io, OBJECT(s), &i8042_data_ops, s, "i8042-data", 1);
    memory_region_init_io(&s->command_io, OBJECT(s), &i8042_command_ops, s, "i8042-cmd", 1);
    isa_register_ioport(isa, &s->data_io, 0x60);
    isa_register_ioport(isa, &s->command_io, 0x64);
    i8042_reset(dev, RESET_COLD);
    input_attach(dev, &i8042_keyboard, s);
    input_attach(dev, &i8042_mouse, s);
    return true;
}

static ISADevice *create_with_a20(ISABus *bus, const char *type, IRQ a20, GError **error)
{
    ISADevice *dev = isa_create_simple(bus, type, error);

    if (dev && a20) {
        qdev_connect_gpio_out_named(DEVICE(dev), I8042_A20, 0, a20);
        qdev_on_unrealize(DEVICE(dev), (void (*)(void *))irq_unref, irq_ref(a20));
    }
    return dev;
}

ISADevice *i8042_create(ISABus *bus, IRQ a20, GError **error)
{
    return create_with_a20(bus, TYPE_I8042, a20, error);
}

ISADevice *port92_create(ISABus *bus, IRQ a20, GError **error)
{
    return create_with_a20(bus, TYPE_PORT92, a20, error);
}

static const Property i8042_properties[] = {
    DEFINE_PROP_UINT32("kbd-irq", I8042, kbd_line, 1, "ISA line of the keyboard"),
    DEFINE_PROP_UINT32("mouse-irq", I8042, aux_line, 12, "ISA line of the mouse"),
    DEFINE_PROP_END,
};

static const StateField i8042_state[] = {
    STATE_FIELD(I8042, status),     STATE_FIELD(I8042, ram),
    STATE_FIELD(I8042, command),    STATE_FIELD(I8042, buffer),
    STATE_FIELD(I8042, answer),     STATE_FIELD(I8042, answer_source),
    STATE_FIELD(I8042, has_answer), STATE_FIELD(I8042, break_prefix),
    STATE_FIELD(I8042, a20_level),  STATE_FIELD(I8042, keyboard),
    STATE_FIELD(I8042, mouse),      STATE_END,
};

static void i8042_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = i8042_realize;
    dc->reset_enter = i8042_reset;
    dc->reset_hold = i8042_reset_hold;
    dc->state = i8042_state;
    dc->category = DEVICE_CATEGORY_INPUT;
    dc->user_creatable = true;
}

static const TypeInfo i8042_types[] = {
    {.name = TYPE_I8042,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(I8042),
     .class_init = i8042_class_init,
     .properties = i8042_properties,
     .doc = "PS/2 controller with keyboard and mouse"},
};
DEFINE_TYPES(i8042_types)
