/* SPDX-License-Identifier: MIT
 *
 * PS/2 keyboard: IBM PS/2 Hardware Interface Technical Reference, "Keyboards
 * (101- and 102-key)", commands from the system and scan code sets.
 */
#include "hw/input/ps2.h"

#include "hw/input/i8042-internal.h"

#define KBD_ACK    0xfa
#define KBD_RESEND 0xfe
#define KBD_BAT_OK 0xaa
#define KBD_ECHO   0xee

#define CMD_SET_LEDS  0xed
#define CMD_ECHO      0xee
#define CMD_SCAN_SET  0xf0
#define CMD_IDENTIFY  0xf2
#define CMD_SET_RATE  0xf3
#define CMD_ENABLE    0xf4
#define CMD_DISABLE   0xf5
#define CMD_DEFAULT   0xf6
#define CMD_ALL_FIRST 0xf7 /* to fa: make all keys of a kind (set 3) */
#define CMD_ALL_LAST  0xfa
#define CMD_KEY_FIRST 0xfb /* to fd: make one key of a kind (set 3) */
#define CMD_KEY_LAST  0xfd
#define CMD_RESEND    0xfe
#define CMD_RESET     0xff

#define DEFAULT_RATE 0x2b /* 10.9 characters a second after 500 ms */

static void keyboard_defaults(PS2Keyboard *k)
{
    k->command = 0;
    k->set = 2;
    k->rate = DEFAULT_RATE;
    k->leds = 0;
}

void ps2_keyboard_reset(PS2Keyboard *k)
{
    ps2_queue_clear(&k->queue);
    k->queue.last = 0;
    keyboard_defaults(k);
    k->scanning = true;
}

static void keyboard_argument(PS2Keyboard *k, uint8_t command, uint8_t byte)
{
    if (command == CMD_SCAN_SET && byte > 3) {
        ps2_queue_reply(&k->queue, KBD_RESEND);
        return;
    }
    ps2_queue_reply(&k->queue, KBD_ACK);
    if (command == CMD_SET_LEDS) {
        k->leds = byte & 7;
    } else if (command == CMD_SET_RATE) {
        k->rate = byte & 0x7f;
    } else if (command == CMD_SCAN_SET && byte == 0) {
        ps2_queue_reply(&k->queue, k->set);
    } else if (command == CMD_SCAN_SET) {
        k->set = byte;
    }
}

static void keyboard_restart(PS2Keyboard *k, bool scanning)
{
    ps2_queue_clear(&k->queue);
    keyboard_defaults(k);
    k->scanning = scanning;
    ps2_queue_reply(&k->queue, KBD_ACK);
}

static void keyboard_command(PS2Keyboard *k, uint8_t byte)
{
    switch (byte) {
    case CMD_SET_LEDS:
    case CMD_SCAN_SET:
    case CMD_SET_RATE:
    case CMD_KEY_FIRST ... CMD_KEY_LAST:
        k->command = byte;
        ps2_queue_reply(&k->queue, KBD_ACK);
        break;
    case CMD_ECHO:
        ps2_queue_reply(&k->queue, KBD_ECHO);
        break;
    case CMD_IDENTIFY:
        ps2_queue_reply(&k->queue, KBD_ACK);
        ps2_queue_reply(&k->queue, 0xab);
        ps2_queue_reply(&k->queue, 0x83);
        break;
    case CMD_ENABLE:
        ps2_queue_clear(&k->queue);
        k->scanning = true;
        ps2_queue_reply(&k->queue, KBD_ACK);
        break;
    case CMD_DISABLE:
        keyboard_restart(k, false);
        break;
    case CMD_DEFAULT:
        keyboard_restart(k, k->scanning);
        break;
    case CMD_ALL_FIRST ... CMD_ALL_LAST:
        ps2_queue_reply(&k->queue, KBD_ACK);
        break;
    case CMD_RESEND:
        ps2_queue_reply(&k->queue, k->queue.last);
        break;
    case CMD_RESET:
        keyboard_restart(k, true);
        ps2_queue_reply(&k->queue, KBD_BAT_OK);
        break;
    default:
        ps2_queue_reply(&k->queue, KBD_RESEND);
        break;
    }
}

/* A byte that could be a command is one, whatever was expected. */
void ps2_keyboard_write(PS2Keyboard *k, uint8_t byte)
{
    uint8_t command = k->command;

    k->command = 0;
    if (command && byte < CMD_SET_LEDS) {
        keyboard_argument(k, command, byte);
    } else {
        keyboard_command(k, byte);
    }
}

/* ---- keys -------------------------------------------------------------------------- */

typedef struct ScanCode {
    uint8_t bytes[8];
    unsigned n;
} ScanCode;

static void code_add(ScanCode *c, uint8_t byte)
{
    c->bytes[c->n++] = byte;
}

/* Code of set 2, in set 1 if `translate`; 'print' comes with a shift of its own. */
static void code_set2(ScanCode *c, uint16_t code, bool down, bool translate)
{
    uint8_t prefix = code >> 8, byte = code;

    if (prefix) {
        code_add(c, prefix);
    }
    if (translate) {
        code_add(c, i8042_translate[byte] | (down ? 0 : 0x80));
        return;
    }
    if (!down) {
        code_add(c, 0xf0);
    }
    code_add(c, byte);
}

#define SET2_PRINT       0xe07c
#define SET2_PRINT_SHIFT 0xe012
#define SET2_SYSRQ       0x84 /* print with alt */
#define SET2_PAUSE       0xe177
#define SET2_BREAK       0xe07e /* pause with ctrl */
#define SET2_ALT         0x11
#define SET2_ALT_R       0xe011
#define SET2_CTRL        0x14
#define SET2_CTRL_R      0xe014

/* Pause has no break code: it is pressed and released at once. */
static void code_pause(ScanCode *c, bool translate)
{
    static const uint8_t set1[] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
    static const uint8_t set2[] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};
    const uint8_t *bytes = translate ? set1 : set2;

    for (unsigned i = 0; i < (translate ? sizeof(set1) : sizeof(set2)); i++) {
        code_add(c, bytes[i]);
    }
}

static void code_sets_1_and_2(ScanCode *c, uint16_t code, bool down, bool translate)
{
    if (code == SET2_PAUSE) {
        if (down) {
            code_pause(c, translate);
        }
    } else if (code == SET2_PRINT && down) {
        code_set2(c, SET2_PRINT_SHIFT, true, translate);
        code_set2(c, code, true, translate);
    } else if (code == SET2_PRINT) {
        code_set2(c, code, false, translate);
        code_set2(c, SET2_PRINT_SHIFT, false, translate);
    } else {
        code_set2(c, code, down, translate);
    }
}

static void track_modifiers(PS2Keyboard *k, uint16_t code, bool down)
{
    switch (code) {
    case SET2_ALT:
        k->alt = down;
        break;
    case SET2_ALT_R:
        k->alt_r = down;
        break;
    case SET2_CTRL:
        k->ctrl = down;
        break;
    case SET2_CTRL_R:
        k->ctrl_r = down;
        break;
    }
}

static bool is_print(uint16_t code)
{
    return code == SET2_PRINT || code == SET2_SYSRQ;
}

/* Sets 1 and 2: print and pause are other keys with alt and ctrl. */
static void code_with_modifiers(const PS2Keyboard *k, ScanCode *c, uint16_t code, bool down)
{
    bool translate = k->set == 1;

    if (is_print(code)) {
        code = k->alt || k->alt_r ? SET2_SYSRQ : SET2_PRINT;
    } else if (code == SET2_PAUSE && (k->ctrl || k->ctrl_r)) {
        if (down) {
            code_set2(c, SET2_BREAK, true, translate);
            code_set2(c, SET2_BREAK, false, translate);
        }
        return;
    }
    code_sets_1_and_2(c, code, down, translate);
}

void ps2_keyboard_key(PS2Keyboard *k, const InputKey *key, bool down)
{
    ScanCode c = {.n = 0};

    track_modifiers(k, key->set2, down);
    if (!k->scanning) {
        return;
    }
    if (k->set == 3 && key->set3) {
        code_set2(&c, key->set3, down, false);
    } else if (k->set != 3 && key->set2) {
        code_with_modifiers(k, &c, key->set2, down);
    }
    ps2_queue_event(&k->queue, c.bytes, c.n);
}
