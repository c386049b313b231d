/* SPDX-License-Identifier: MIT
 * Text, command line, guarded runs and the loop around guest_main().
 */
#include "guest.h"

#define DEBUGCON   0x402
#define COM1       0x3f8
#define DEBUG_EXIT 0xf4

Word multiboot_magic, multiboot_info;
Trap trap;
void (*irq_handler[256])(Frame *);
Word emulated;
extern Word guard_sp;
extern const uint8_t guard_user_ok[];

static char text[2][32768];
static unsigned length[2];
static unsigned current; /* 0: the first run, which is shown */
static unsigned sent;

static void put(char c)
{
    if (length[current] < sizeof text[0]) {
        text[current][length[current]++] = c;
    }
}

static void put_number(Word v, unsigned base)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n) {
        put(digits[--n]);
    }
}

static void put_string(const char *s)
{
    while (*s) {
        put(*s++);
    }
}

static void put_argument(char kind, va_list *args)
{
    switch (kind) {
    case 's':
        put_string(va_arg(*args, const char *));
        break;
    case 'c':
        put((char)va_arg(*args, int));
        break;
    case 'u':
        put_number(va_arg(*args, Word), 10);
        break;
    case 'x':
        put_string("0x");
        put_number(va_arg(*args, Word), 16);
        break;
    default:
        put(kind);
    }
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format; format++) {
        if (*format == '%') {
            put_argument(*++format, &args);
        } else {
            put(*format);
        }
    }
    va_end(args);
}

static void send(char c)
{
    outb(DEBUGCON, c);
    while (!(inb(COM1 + 5) & 0x20)) {
    }
    outb(COM1, c);
}

void flush_text(void)
{
    while (current == 0 && sent < length[0]) {
        send(text[0][sent++]);
    }
}

void quit(unsigned status)
{
    while (!(inb(COM1 + 5) & 0x40)) {
    }
    outl(DEBUG_EXIT, status);
    put('!'); /* seen if the machine lets a CPU go on */
    for (;;) {
        asm volatile("cli; hlt");
    }
}

void fail(const char *why)
{
    print("FAIL: %s\n", why);
    current = 0;
    flush_text();
    quit(2);
}

static const char *const vector_names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9",  "#TS",
    "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XM", "20", "#CP",
};

/* Vectors that push an error code (SDM vol. 3, table 6-1). */
static bool has_error(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void show_end(const void *start)
{
    const Frame *f = &trap.frame;

    if (f->vector == VECTOR_OK) {
        print("ok ax=%x", f->ax);
        return;
    }
    if (f->vector < 22) {
        print("%s", vector_names[f->vector]);
    } else {
        print("vector %x", f->vector);
    }
    if (has_error(f->vector)) {
        print(" err=%x", f->error);
    }
    if (f->vector == 14) {
        print(" cr2=%x", trap.cr2);
    }
    if (f->ip - (Word)start < 4096) {
        print(" ip+%u", f->ip - (Word)start);
    } else {
        print(" ip=%x", f->ip);
    }
}

void show_trap(const char *name, const void *start, unsigned show)
{
    const Frame *f = &trap.frame;

    print("%s: ", name);
    show_end(start);
    if (show & SHOW_COUNT) {
        print(" cx=%x si=%x di=%x", f->cx, f->si, f->di);
    }
    if (show & SHOW_FLAGS) {
        print(" flags=%x", f->flags & 0x8d5);
    }
    if (show & SHOW_DR6) {
        print(" dr6=%x", read_dr6() & 0xe00f);
    }
    print("\n");
}

void run_case(const Case *c)
{
    if ((c->show & SILICON) && emulated) {
        print("%s: -\n", c->name);
        flush_text();
        return;
    }
    if (c->user) {
        guard_user(c->code);
    } else {
        guard_kernel(c->code);
    }
    show_trap(c->name, (const void *)c->code, c->show);
    flush_text();
}

void run_cases(void)
{
    for (const Case *c = case_table; c < case_table_end; c++) {
        run_case(c);
    }
}

/* From trap.S.  Non-zero: leave the guarded run. */
int trap_handler(Frame *frame)
{
    if (irq_handler[frame->vector]) {
        irq_handler[frame->vector](frame);
        return 0;
    }
    trap.cr2 = read_cr2();
    trap.frame = *frame;
    if (frame->vector == 13 && frame->ip == (Word)guard_user_ok) {
        trap.frame.vector = VECTOR_OK;
    }
    if (!guard_sp) {
        show_trap("unexpected", NULL, SHOW_COUNT);
        fail("trap outside a guarded run");
    }
    return 1;
}

const char *command_line(void)
{
    const uint32_t *info = (const uint32_t *)multiboot_info;

    return info[0] & 4 ? (const char *)(Word)info[4] : "";
}

static const char *skip_prefix(const char *s, const char *prefix)
{
    while (*prefix) {
        if (*s++ != *prefix++) {
            return NULL;
        }
    }
    return s;
}

unsigned command_line_number(const char *key, unsigned otherwise)
{
    for (const char *s = command_line(); *s; s++) {
        const char *value = skip_prefix(s, key);

        if (value && *value == '=') {
            unsigned n = 0;

            for (value++; *value >= '0' && *value <= '9'; value++) {
                n = n * 10 + (*value - '0');
            }
            return n;
        }
    }
    return otherwise;
}

static bool same_text(void)
{
    if (length[0] != length[1]) {
        return false;
    }
    for (unsigned i = 0; i < length[0]; i++) {
        if (text[0][i] != text[1][i]) {
            return false;
        }
    }
    return true;
}

static void show_difference(unsigned loop)
{
    current = 0;
    print("--- loop %u says:\n", (Word)loop);
    for (unsigned i = 0; i < length[1]; i++) {
        put(text[1][i]);
    }
    flush_text();
    quit(2);
}

void main(void)
{
    unsigned loops = command_line_number("loops", 1);

    emulated = command_line_number("emulated", 0);
    /* Whoever started us may have left the 8259s open. */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    arch_init();
    guest_main();
    flush_text();
    current = 1;
    for (unsigned i = 1; i < loops; i++) {
        guest_main();
        if (!same_text()) {
            show_difference(i);
        }
        length[1] = 0;
    }
    quit(0);
}
