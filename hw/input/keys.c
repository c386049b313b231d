/* SPDX-License-Identifier: MIT
 *
 * Keys and their codes in scan code sets 2 and 3: IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboards (101- and 102-key)".  Set 1 is set 2 as the
 * controller translates it.
 */
#include "hw/input/input.h"

#include <string.h>

static const InputKey input_keys[] = {
    {"esc",           0x76,   0x08},
    {"1",             0x16,   0x16},
    {"2",             0x1e,   0x1e},
    {"3",             0x26,   0x26},
    {"4",             0x25,   0x25},
    {"5",             0x2e,   0x2e},
    {"6",             0x36,   0x36},
    {"7",             0x3d,   0x3d},
    {"8",             0x3e,   0x3e},
    {"9",             0x46,   0x46},
    {"0",             0x45,   0x45},
    {"minus",         0x4e,   0x4e},
    {"equal",         0x55,   0x55},
    {"backspace",     0x66,   0x66},
    {"tab",           0x0d,   0x0d},
    {"q",             0x15,   0x15},
    {"w",             0x1d,   0x1d},
    {"e",             0x24,   0x24},
    {"r",             0x2d,   0x2d},
    {"t",             0x2c,   0x2c},
    {"y",             0x35,   0x35},
    {"u",             0x3c,   0x3c},
    {"i",             0x43,   0x43},
    {"o",             0x44,   0x44},
    {"p",             0x4d,   0x4d},
    {"bracket_left",  0x54,   0x54},
    {"bracket_right", 0x5b,   0x5b},
    {"ret",           0x5a,   0x5a},
    {"ctrl",          0x14,   0x11},
    {"a",             0x1c,   0x1c},
    {"s",             0x1b,   0x1b},
    {"d",             0x23,   0x23},
    {"f",             0x2b,   0x2b},
    {"g",             0x34,   0x34},
    {"h",             0x33,   0x33},
    {"j",             0x3b,   0x3b},
    {"k",             0x42,   0x42},
    {"l",             0x4b,   0x4b},
    {"semicolon",     0x4c,   0x4c},
    {"apostrophe",    0x52,   0x52},
    {"grave_accent",  0x0e,   0x0e},
    {"shift",         0x12,   0x12},
    {"backslash",     0x5d,   0x5c},
    {"z",             0x1a,   0x1a},
    {"x",             0x22,   0x22},
    {"c",             0x21,   0x21},
    {"v",             0x2a,   0x2a},
    {"b",             0x32,   0x32},
    {"n",             0x31,   0x31},
    {"m",             0x3a,   0x3a},
    {"comma",         0x41,   0x41},
    {"dot",           0x49,   0x49},
    {"slash",         0x4a,   0x4a},
    {"shift_r",       0x59,   0x59},
    {"kp_multiply",   0x7c,   0x7e},
    {"alt",           0x11,   0x19},
    {"spc",           0x29,   0x29},
    {"caps_lock",     0x58,   0x14},
    {"f1",            0x05,   0x07},
    {"f2",            0x06,   0x0f},
    {"f3",            0x04,   0x17},
    {"f4",            0x0c,   0x1f},
    {"f5",            0x03,   0x27},
    {"f6",            0x0b,   0x2f},
    {"f7",            0x83,   0x37},
    {"f8",            0x0a,   0x3f},
    {"f9",            0x01,   0x47},
    {"f10",           0x09,   0x4f},
    {"f11",           0x78,   0x56},
    {"f12",           0x07,   0x5e},
    {"num_lock",      0x77,   0x76},
    {"scroll_lock",   0x7e,   0x5f},
    {"kp_7",          0x6c,   0x6c},
    {"kp_8",          0x75,   0x75},
    {"kp_9",          0x7d,   0x7d},
    {"kp_subtract",   0x7b,   0x84},
    {"kp_4",          0x6b,   0x6b},
    {"kp_5",          0x73,   0x73},
    {"kp_6",          0x74,   0x74},
    {"kp_add",        0x79,   0x7c},
    {"kp_1",          0x69,   0x69},
    {"kp_2",          0x72,   0x72},
    {"kp_3",          0x7a,   0x7a},
    {"kp_0",          0x70,   0x70},
    {"kp_decimal",    0x71,   0x71},
    {"less",          0x61,   0x13},
    {"kp_enter",      0xe05a, 0x79},
    {"ctrl_r",        0xe014, 0x58},
    {"kp_divide",     0xe04a, 0x77},
    {"print",         0xe07c, 0x57},
    {"alt_r",         0xe011, 0x39},
    {"home",          0xe06c, 0x6e},
    {"up",            0xe075, 0x63},
    {"pgup",          0xe07d, 0x6f},
    {"left",          0xe06b, 0x61},
    {"right",         0xe074, 0x6a},
    {"end",           0xe069, 0x65},
    {"down",          0xe072, 0x60},
    {"pgdn",          0xe07a, 0x6d},
    {"insert",        0xe070, 0x67},
    {"delete",        0xe071, 0x64},
    {"meta_l",        0xe01f, 0x8b},
    {"meta_r",        0xe027, 0x8c},
    {"menu",          0xe02f, 0x8d},
    {"pause",         0xe177, 0x62},
};

const InputKey *input_key_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(input_keys); i++) {
        if (!strcmp(input_keys[i].name, name)) {
            return &input_keys[i];
        }
    }
    return NULL;
}

const InputKey *input_key_at(unsigned index)
{
    return index < G_N_ELEMENTS(input_keys) ? &input_keys[index] : NULL;
}
