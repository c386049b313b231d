/* SPDX-License-Identifier: MIT
 *
 * The commands of the qtest protocol: a word and its arguments, separated by
 * spaces; numbers as in C; each answered by one line, OK or FAIL.
 */
#include <errno.h>
#include <string.h>
#include "accel/qtest/qtest-internal.h"
#include "quoin-config.h"
#include "hw/core/module.h"

#define QTEST_ARGS_MAX  4
#define QTEST_BYTES_MAX (64 * 1024 * 1024)

typedef struct Args {
    char **words; /* after the command's own */
    uint64_t numbers[QTEST_ARGS_MAX];
} Args;

typedef struct QtestCommand {
    const char *name;
    const char *args; /* n number, s word; ? before what may be left out */
    void (*run)(QtestServer *server, const struct QtestCommand *command, const Args *args);
    unsigned size; /* of the access */
} QtestCommand;

static AddressSpace *memory(QtestServer *server)
{
    return &server->machine->address_space_memory;
}

/* ---- ports and memory ---------------------------------------------------------------------- */

static void cmd_endianness(QtestServer *server, const QtestCommand *command, const Args *args)
{
    qtest_reply(server, "OK little");
}

static void cmd_in(QtestServer *server, const QtestCommand *command, const Args *args)
{
    uint64_t value = UINT64_MAX >> (64 - 8 * command->size);

    address_space_load(&server->machine->address_space_io, args->numbers[0] & 0xffff, &value,
                       command->size, MEMTXATTRS_NONE);
    qtest_reply(server, "OK 0x%04" G_GINT64_MODIFIER "x", value);
}

static void cmd_out(QtestServer *server, const QtestCommand *command, const Args *args)
{
    address_space_store(&server->machine->address_space_io, args->numbers[0] & 0xffff,
                        args->numbers[1], command->size, MEMTXATTRS_NONE);
    qtest_reply(server, "OK");
}

static void cmd_load(QtestServer *server, const QtestCommand *command, const Args *args)
{
    uint64_t value = UINT64_MAX >> (64 - 8 * command->size);

    address_space_load(memory(server), args->numbers[0], &value, command->size, MEMTXATTRS_NONE);
    qtest_reply(server, "OK 0x%016" G_GINT64_MODIFIER "x", value);
}

static void cmd_store(QtestServer *server, const QtestCommand *command, const Args *args)
{
    address_space_store(memory(server), args->numbers[0], args->numbers[1], command->size,
                        MEMTXATTRS_NONE);
    qtest_reply(server, "OK");
}

/* ---- blocks of memory ------------------------------------------------------------------------ */

static bool check_length(QtestServer *server, uint64_t len)
{
    if (len == 0 || len > QTEST_BYTES_MAX) {
        qtest_reply(server, "FAIL expected from 1 to %d bytes", QTEST_BYTES_MAX);
        return false;
    }
    return true;
}

static uint8_t *read_block(QtestServer *server, const Args *args)
{
    uint8_t *data;

    if (!check_length(server, args->numbers[1])) {
        return NULL;
    }
    data = g_malloc0(args->numbers[1]);
    address_space_read(memory(server), args->numbers[0], MEMTXATTRS_NONE, data, args->numbers[1]);
    return data;
}

static void cmd_read(QtestServer *server, const QtestCommand *command, const Args *args)
{
    static const char digits[] = "0123456789abcdef";
    g_autofree uint8_t *data = read_block(server, args);
    g_autofree char *hex = NULL;
    uint64_t len = args->numbers[1];

    if (!data) {
        return;
    }
    hex = g_malloc(2 * len + 1);
    for (uint64_t i = 0; i < len; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    hex[2 * len] = '\0';
    qtest_reply(server, "OK 0x%s", hex);
}

static void cmd_b64read(QtestServer *server, const QtestCommand *command, const Args *args)
{
    g_autofree uint8_t *data = read_block(server, args);
    g_autofree char *text = data ? g_base64_encode(data, args->numbers[1]) : NULL;

    if (text) {
        qtest_reply(server, "OK %s", text);
    }
}

/* Digits that are missing count as zeros. */
static void parse_hex(const char *hex, uint8_t *data, uint64_t len)
{
    for (uint64_t i = 0; i < len && g_ascii_isxdigit(hex[0]); i++) {
        data[i] = g_ascii_xdigit_value(hex[0]);
        if (!g_ascii_isxdigit(hex[1])) {
            break;
        }
        data[i] = data[i] << 4 | g_ascii_xdigit_value(hex[1]);
        hex += 2;
    }
}

static void write_block(QtestServer *server, const Args *args, const uint8_t *data)
{
    address_space_write(memory(server), args->numbers[0], MEMTXATTRS_NONE, data, args->numbers[1]);
    qtest_reply(server, "OK");
}

static void cmd_write(QtestServer *server, const QtestCommand *command, const Args *args)
{
    g_autofree uint8_t *data = NULL;

    if (!g_str_has_prefix(args->words[2], "0x")) {
        qtest_reply(server, "FAIL expected 0x and hexadecimal digits");
    } else if (check_length(server, args->numbers[1])) {
        data = g_malloc0(args->numbers[1]);
        parse_hex(args->words[2] + 2, data, args->numbers[1]);
        write_block(server, args, data);
    }
}

static void cmd_b64write(QtestServer *server, const QtestCommand *command, const Args *args)
{
    g_autofree uint8_t *data = NULL, *decoded = NULL;
    gsize len;

    if (check_length(server, args->numbers[1])) {
        decoded = g_base64_decode(args->words[2], &len);
        data = g_malloc0(args->numbers[1]);
        memcpy(data, decoded, MIN(len, args->numbers[1]));
        write_block(server, args, data);
    }
}

static void cmd_memset(QtestServer *server, const QtestCommand *command, const Args *args)
{
    if (args->numbers[1] <= QTEST_BYTES_MAX) {
        address_space_set(memory(server), args->numbers[0], args->numbers[2], args->numbers[1],
                          MEMTXATTRS_NONE);
        qtest_reply(server, "OK");
    } else {
        check_length(server, args->numbers[1]);
    }
}

/* ---- the clock ------------------------------------------------------------------------------ */

static void advance_to(QtestServer *server, int64_t ns)
{
    MachineState *machine = server->machine;

    if (!vm_clock_is_manual(machine->clock)) {
        qtest_reply(server, "FAIL the clock is driven by -accel qtest only");
        return;
    }
    qtest_reply(server, "OK %" G_GINT64_FORMAT,
                vm_clock_advance_to(machine->clock, machine->loop, ns));
}

static void cmd_clock_step(QtestServer *server, const QtestCommand *command, const Args *args)
{
    int64_t now = vm_clock_get_ns(server->machine->clock, CLOCK_VIRTUAL);
    int64_t deadline = event_loop_deadline_ns(server->machine->loop, CLOCK_VIRTUAL);

    if (args->words[0]) {
        advance_to(server, now + (int64_t)MIN(args->numbers[0], (uint64_t)(INT64_MAX - now)));
    } else {
        advance_to(server, MAX(deadline, now));
    }
}

static void cmd_clock_set(QtestServer *server, const QtestCommand *command, const Args *args)
{
    advance_to(server, (int64_t)MIN(args->numbers[0], (uint64_t)INT64_MAX));
}

/* ---- interrupts ----------------------------------------------------------------------------- */

static DeviceState *find_device(QtestServer *server, const char *path)
{
    Object *obj = object_resolve_path(OBJECT(server->machine), path, NULL);

    if (!obj || !object_dynamic_cast(obj, TYPE_DEVICE)) {
        qtest_reply(server, "FAIL no device at '%s'", path);
        return NULL;
    }
    return DEVICE(obj);
}

static void line_changed(void *opaque, int n, int level)
{
    QtestServer *server = opaque;

    level = level != 0;
    if ((guint)n >= server->levels->len) {
        g_array_set_size(server->levels, n + 1);
    }
    if (g_array_index(server->levels, int, n) != level) {
        g_array_index(server->levels, int, n) = level;
        qtest_reply(server, "IRQ %s %d", level ? "raise" : "lower", n);
    }
}

static void intercept(QtestServer *server, const char *path, bool outputs)
{
    DeviceState *dev = find_device(server, path);
    const char *name = NULL;

    if (!dev) {
        return;
    }
    if (server->intercepted) {
        bool same = server->intercepted == dev && server->intercepted_outputs == outputs;

        qtest_reply(server, same ? "OK" : "FAIL IRQ intercept already enabled");
        return;
    }
    if (outputs && qdev_count_gpio_out(dev, NULL) == 0) {
        name = "sysbus-irq";
    }
    server->intercepted = dev;
    server->intercepted_outputs = outputs;
    qdev_intercept_gpio(dev, name, outputs, line_changed, server);
    qtest_reply(server, "OK");
}

static void cmd_intercept_in(QtestServer *server, const QtestCommand *command, const Args *args)
{
    intercept(server, args->words[0], false);
}

static void cmd_intercept_out(QtestServer *server, const QtestCommand *command, const Args *args)
{
    intercept(server, args->words[0], true);
}

static void cmd_set_irq_in(QtestServer *server, const QtestCommand *command, const Args *args)
{
    const char *name = g_str_equal(args->words[1], "unnamed-gpio-in") ? NULL : args->words[1];
    DeviceState *dev = find_device(server, args->words[0]);

    if (!dev) {
        return;
    }
    if (args->numbers[2] >= (uint64_t)qdev_count_gpio_in(dev, name)) {
        qtest_reply(server, "FAIL no such line");
        return;
    }
    irq_set(qdev_get_gpio_in_named(dev, name, args->numbers[2]), args->numbers[3]);
    qtest_reply(server, "OK");
}

/* ---- modules -------------------------------------------------------------------------------- */

static void cmd_module_load(QtestServer *server, const QtestCommand *command, const Args *args)
{
    g_autofree char *file = g_strconcat(args->words[0], args->words[1], ".so", NULL);
    g_autofree char *path = g_build_filename(QUOIN_MODULE_DIR, file, NULL);

    qtest_reply(server, module_load(path, NULL) ? "OK" : "FAIL");
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static const QtestCommand commands[] = {
    {"endianness",        "",     cmd_endianness,    0},
    {"inb",               "n",    cmd_in,            1},
    {"inw",               "n",    cmd_in,            2},
    {"inl",               "n",    cmd_in,            4},
    {"outb",              "nn",   cmd_out,           1},
    {"outw",              "nn",   cmd_out,           2},
    {"outl",              "nn",   cmd_out,           4},
    {"readb",             "n",    cmd_load,          1},
    {"readw",             "n",    cmd_load,          2},
    {"readl",             "n",    cmd_load,          4},
    {"readq",             "n",    cmd_load,          8},
    {"writeb",            "nn",   cmd_store,         1},
    {"writew",            "nn",   cmd_store,         2},
    {"writel",            "nn",   cmd_store,         4},
    {"writeq",            "nn",   cmd_store,         8},
    {"read",              "nn",   cmd_read,          0},
    {"write",             "nns",  cmd_write,         0},
    {"memset",            "nnn",  cmd_memset,        0},
    {"b64read",           "nn",   cmd_b64read,       0},
    {"b64write",          "nns",  cmd_b64write,      0},
    {"clock_step",        "?n",   cmd_clock_step,    0},
    {"clock_set",         "n",    cmd_clock_set,     0},
    {"irq_intercept_in",  "s",    cmd_intercept_in,  0},
    {"irq_intercept_out", "s",    cmd_intercept_out, 0},
    {"set_irq_in",        "ssnn", cmd_set_irq_in,    0},
    {"module_load",       "ss",   cmd_module_load,   0},
};

static bool parse_number(const char *word, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = *word == '-' ? (uint64_t)g_ascii_strtoll(word, &end, 0)
                        : g_ascii_strtoull(word, &end, 0);
    return end != word && !*end && !errno;
}

static bool parse_args(const QtestCommand *command, Args *args)
{
    const char *kind = command->args;
    guint i = 0;

    for (; *kind; kind++) {
        if (*kind == '?') {
            if (!args->words[i]) {
                return true;
            }
            continue;
        }
        if (!args->words[i] || (*kind == 'n' && !parse_number(args->words[i], &args->numbers[i]))) {
            return false;
        }
        i++;
    }
    return !args->words[i];
}

void qtest_command(QtestServer *server, const char *line)
{
    g_autofree char *copy = g_strchomp(g_strdup(line));
    g_auto(GStrv) words = g_strsplit(copy, " ", -1);
    Args args = {.words = words + 1};

    for (gsize i = 0; words[0] && i < G_N_ELEMENTS(commands); i++) {
        if (!g_str_equal(words[0], commands[i].name)) {
            continue;
        }
        if (parse_args(&commands[i], &args)) {
            commands[i].run(server, &commands[i], &args);
        } else {
            qtest_reply(server, "FAIL %s: wrong arguments", words[0]);
        }
        return;
    }
    qtest_reply(server, "FAIL Unknown command '%s'", words[0] ? words[0] : "");
}
