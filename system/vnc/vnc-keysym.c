/* SPDX-License-Identifier: MIT
 *
 * X keysyms (keysymdef.h: the names of the X11 protocol's appendix A) to keys of a US keyboard.
 * Characters that need shift lead to the key they are on: clients send the shift themselves.
 */
#include "system/vnc/vnc-internal.h"

static const struct {
    uint32_t keysym;
    const char *key;
} keysyms[] = {
    {0xff08,     "backspace"       },
    {0xff09,     "tab"             },
    {0xfe20,     "tab"             },
    {0xff0a,     "ret"             },
    {0xff0d,     "ret"             },
    {0xff13,     "pause"           },
    {0xff6b,     "pause"           },
    {0xff14,     "scroll_lock"     },
    {0xff15,     "sysrq"           },
    {0xff61,     "print"           },
    {0xff1b,     "esc"             },
    {0xffff,     "delete"          },
    {0xff50,     "home"            },
    {0xff51,     "left"            },
    {0xff52,     "up"              },
    {0xff53,     "right"           },
    {0xff54,     "down"            },
    {0xff55,     "pgup"            },
    {0xff56,     "pgdn"            },
    {0xff57,     "end"             },
    {0xff63,     "insert"          },
    {0xff67,     "compose"         },
    {0xff7f,     "num_lock"        },
    {0xff7e,     "alt_r"           },
    {0xfe03,     "alt_r"           },
    {0xff80,     "spc"             },
    {0xff8d,     "kp_enter"        },
    {0xff95,     "kp_7"            },
    {0xff96,     "kp_4"            },
    {0xff97,     "kp_8"            },
    {0xff98,     "kp_6"            },
    {0xff99,     "kp_2"            },
    {0xff9a,     "kp_9"            },
    {0xff9b,     "kp_3"            },
    {0xff9c,     "kp_1"            },
    {0xff9d,     "kp_5"            },
    {0xff9e,     "kp_0"            },
    {0xff9f,     "kp_decimal"      },
    {0xffaa,     "kp_multiply"     },
    {0xffab,     "kp_add"          },
    {0xffac,     "kp_comma"        },
    {0xffad,     "kp_subtract"     },
    {0xffae,     "kp_decimal"      },
    {0xffaf,     "kp_divide"       },
    {0xffbd,     "kp_equals"       },
    {0xffe1,     "shift"           },
    {0xffe2,     "shift_r"         },
    {0xffe3,     "ctrl"            },
    {0xffe4,     "ctrl_r"          },
    {0xffe5,     "caps_lock"       },
    {0xffe7,     "meta_l"          },
    {0xffe8,     "meta_r"          },
    {0xffe9,     "alt"             },
    {0xffea,     "alt_r"           },
    {0xffeb,     "meta_l"          },
    {0xffec,     "meta_r"          },
    {0xff22,     "muhenkan"        },
    {0xff23,     "henkan"          },
    {0xff27,     "katakanahiragana"},
    {0xff25,     "hiragana"        },
    {0x0020,     "spc"             },
    {0x0021,     "1"               },
    {0x0022,     "apostrophe"      },
    {0x0023,     "3"               },
    {0x0024,     "4"               },
    {0x0025,     "5"               },
    {0x0026,     "7"               },
    {0x0027,     "apostrophe"      },
    {0x0028,     "9"               },
    {0x0029,     "0"               },
    {0x002a,     "8"               },
    {0x002b,     "equal"           },
    {0x002c,     "comma"           },
    {0x002d,     "minus"           },
    {0x002e,     "dot"             },
    {0x002f,     "slash"           },
    {0x003a,     "semicolon"       },
    {0x003b,     "semicolon"       },
    {0x003c,     "comma"           },
    {0x003d,     "equal"           },
    {0x003e,     "dot"             },
    {0x003f,     "slash"           },
    {0x0040,     "2"               },
    {0x005b,     "bracket_left"    },
    {0x005c,     "backslash"       },
    {0x005d,     "bracket_right"   },
    {0x005e,     "6"               },
    {0x005f,     "minus"           },
    {0x0060,     "grave_accent"    },
    {0x007b,     "bracket_left"    },
    {0x007c,     "backslash"       },
    {0x007d,     "bracket_right"   },
    {0x007e,     "grave_accent"    },
    {0x1008ff11, "volumedown"      },
    {0x1008ff12, "audiomute"       },
    {0x1008ff13, "volumeup"        },
    {0x1008ff14, "audioplay"       },
    {0x1008ff15, "audiostop"       },
    {0x1008ff16, "audioprev"       },
    {0x1008ff17, "audionext"       },
    {0x1008ff2a, "power"           },
    {0x1008ff2f, "sleep"           },
};

const InputKey *vnc_key_from_keysym(uint32_t keysym)
{
    char name[8] = "";

    if (keysym >= 'A' && keysym <= 'Z') {
        keysym += 'a' - 'A';
    }
    if ((keysym >= 'a' && keysym <= 'z') || (keysym >= '0' && keysym <= '9')) {
        name[0] = (char)keysym;
    } else if (keysym >= 0xffb0 && keysym <= 0xffb9) {
        g_snprintf(name, sizeof(name), "kp_%u", keysym - 0xffb0);
    } else if (keysym >= 0xffbe && keysym <= 0xffc9) {
        g_snprintf(name, sizeof(name), "f%u", keysym - 0xffbe + 1);
    }
    if (*name) {
        return input_key_by_name(name);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(keysyms); i++) {
        if (keysyms[i].keysym == keysym) {
            return input_key_by_name(keysyms[i].key);
        }
    }
    return NULL;
}
