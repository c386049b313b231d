/* SPDX-License-Identifier: MIT
 *
 * qemu-io DEVICE "COMMAND": requests on a disk behind its guest's back, and breakpoints on blkdebug's.
 *
 *   read, write, aio_read, aio_write, discard  OFFSET LENGTH [-P BYTE]
 *   flush, aio_flush, length
 *   break EVENT TAG, resume TAG, remove_break TAG
 */
#include <errno.h>
#include <string.h>
#include "system/block/block.h"
#include "system/monitor/monitor-internal.h"

#define IO_MAX (64u << 20)

typedef struct IOArgs {
    char **words; /* what follows the command's name */
    guint count;
    uint64_t offset, len;
    int pattern; /* -1: none */
} IOArgs;

typedef struct IOCommand {
    const char *name;
    guint words; /* the least that must follow */
    bool range;  /* these are an offset and a length */
    int (*run)(BlockBackend *blk, const IOArgs *args, GString *out);
} IOCommand;

/* ---- commands: 0 or -errno ------------------------------------------------------------------ */

static int io_read(BlockBackend *blk, const IOArgs *args, GString *out)
{
    g_autofree uint8_t *data = g_malloc0(args->len);
    int ret = blk_pread(blk, (int64_t)args->offset, data, args->len);

    for (uint64_t i = 0; ret == 0 && args->pattern >= 0 && i < args->len; i++) {
        if (data[i] != args->pattern) {
            g_string_append_printf(out,
                                   "Pattern verification failed at offset %" G_GUINT64_FORMAT
                                   ", %" G_GUINT64_FORMAT " bytes\n",
                                   args->offset, args->len);
            break;
        }
    }
    return ret;
}

static int io_write(BlockBackend *blk, const IOArgs *args, GString *out)
{
    g_autofree uint8_t *data = g_malloc(args->len);

    memset(data, args->pattern >= 0 ? args->pattern : 0xcd, args->len);
    return blk_pwrite(blk, (int64_t)args->offset, data, args->len);
}

static int io_discard(BlockBackend *blk, const IOArgs *args, GString *out)
{
    return blk_discard_sync(blk, (int64_t)args->offset, args->len);
}

static int io_flush(BlockBackend *blk, const IOArgs *args, GString *out)
{
    return blk_flush_sync(blk);
}

static int io_length(BlockBackend *blk, const IOArgs *args, GString *out)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT "\n", blk_length(blk));
    return 0;
}

static int io_break(BlockBackend *blk, const IOArgs *args, GString *out)
{
    return blk_debug(blk, BLOCK_DEBUG_BREAK, args->words[0], args->words[1]);
}

static int io_resume(BlockBackend *blk, const IOArgs *args, GString *out)
{
    return blk_debug(blk, BLOCK_DEBUG_RESUME, NULL, args->words[0]);
}

static int io_remove_break(BlockBackend *blk, const IOArgs *args, GString *out)
{
    return blk_debug(blk, BLOCK_DEBUG_REMOVE, NULL, args->words[0]);
}

static const IOCommand commands[] = {
    {"read",         2, true,  io_read        },
    {"aio_read",     2, true,  io_read        },
    {"write",        2, true,  io_write       },
    {"aio_write",    2, true,  io_write       },
    {"discard",      2, true,  io_discard     },
    {"flush",        0, false, io_flush       },
    {"aio_flush",    0, false, io_flush       },
    {"length",       0, false, io_length      },
    {"break",        2, false, io_break       },
    {"resume",       1, false, io_resume      },
    {"remove_break", 1, false, io_remove_break},
};

/* ---- words ---------------------------------------------------------------------------------- */

static bool parse_size(const char *word, uint64_t *ret)
{
    static const char suffixes[] = "bkmgt";
    char *end;
    const char *suffix;

    *ret = g_ascii_strtoull(word, &end, 0);
    suffix = *end ? strchr(suffixes, g_ascii_tolower(*end)) : suffixes;
    if (end == word || !suffix || (*end && end[1])) {
        return false;
    }
    *ret <<= 10 * (suffix - suffixes);
    return true;
}

/* "-P 0xaa" may come before or after the offset; other options are passed over. */
static void take_options(IOArgs *args)
{
    guint kept = 0;

    for (guint i = 0; i < args->count; i++) {
        if (args->words[i][0] != '-') {
            args->words[kept++] = args->words[i];
        } else if (g_str_equal(args->words[i], "-P") && i + 1 < args->count) {
            args->pattern = (int)(g_ascii_strtoull(args->words[++i], NULL, 0) & 0xff);
        }
    }
    args->count = kept;
}

static bool parse_range(const IOCommand *command, IOArgs *args, GString *out)
{
    if (!command->range) {
        return true;
    }
    if (!parse_size(args->words[0], &args->offset) || !parse_size(args->words[1], &args->len) ||
        args->offset > INT64_MAX || args->len > IO_MAX) {
        g_string_append_printf(out, "Error: %s: expected an offset, and a length up to 64M\n",
                               command->name);
        return false;
    }
    return true;
}

static void run_command(BlockBackend *blk, const IOCommand *command, IOArgs *args, GString *out)
{
    int ret;

    take_options(args);
    if (args->count < command->words) {
        g_string_append_printf(out, "bad argument count %u to %s, expected at least %u arguments\n",
                               args->count, command->name, command->words);
        return;
    }
    if (!parse_range(command, args, out)) {
        return;
    }
    ret = command->run(blk, args, out);
    if (ret < 0) {
        g_string_append_printf(out, "%s failed: %s\n", command->name, g_strerror(-ret));
    } else if (command->range) {
        g_string_append_printf(out,
                               "%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
                               " bytes at offset %" G_GUINT64_FORMAT "\n",
                               command->run == io_write ? "wrote" : command->name, args->len,
                               args->len, args->offset);
    }
}

void hmp_qemu_io(MachineState *machine, const char *rest, GString *out)
{
    g_auto(GStrv) argv = NULL, words = NULL;
    IOArgs args = {.pattern = -1};
    BlockBackend *blk;
    int argc;

    if (!g_shell_parse_argv(rest, &argc, &argv, NULL) || argc != 2 ||
        !(words = g_strsplit(g_strstrip(argv[1]), " ", -1))[0]) {
        g_string_append(out, "Error: expected DEVICE \"COMMAND\"\n");
        return;
    }
    blk = blk_by_id(machine, argv[0]);
    if (!blk) {
        g_string_append_printf(out, "Error: Cannot find device='%s' nor node-name='%s'\n", argv[0],
                               argv[0]);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(words[0], commands[i].name)) {
            g_autofree char **own = g_memdup2(words, sizeof(*words) * (g_strv_length(words) + 1));

            args.words = own + 1;
            args.count = g_strv_length(words) - 1;
            run_command(blk, &commands[i], &args, out);
            return;
        }
    }
    g_string_append_printf(out, "command \"%s\" not found\n", words[0]);
}
