/* SPDX-License-Identifier: MIT
 *
 * Fuzz one device type.  With libFuzzer (-Dfuzz=true, clang): a target; --type=NAME says which.
 * Without: a driver of its own with seeded inputs, or files that libFuzzer found.
 *
 *   fuzz-device --list
 *   fuzz-device --type=NAME [--seed=N] [--runs=N] [--seconds=N] [FILE...]
 *   fuzz-device --all ...     every type in turn, a TAP line each
 *
 * A machine is made once for many inputs and reset before each.  What such a machine has been fed
 * with, the last input included, is in the file of --record=FILE, which is an input file, too.
 */
#include "fuzz-world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Inputs of a machine: then there is a new one, so that a finding takes no more than those. */
#define WORLD_INPUTS 256
/* Inputs that only the device is reset between. */
#define RESET_INPUTS 16
/* A file begins with it if it is of a number of inputs, each behind four bytes of its length. */
#define RECORD_MAGIC     "QUOIN-FUZZ-RECORD"
#define RECORD_MAGIC_LEN (sizeof(RECORD_MAGIC) - 1)

static const char *type, *record_path;
static int record_fd = -1;
static FuzzWorld *world;
static unsigned world_inputs;

/* ---- the record: written before an input runs, for no matter how it ends -------------------- */

static void record_begin(void)
{
    if (!record_path) {
        return;
    }
    if (record_fd < 0) {
        record_fd = open(record_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    }
    if (ftruncate(record_fd, 0) || lseek(record_fd, 0, SEEK_SET) ||
        write(record_fd, RECORD_MAGIC, RECORD_MAGIC_LEN) != RECORD_MAGIC_LEN) {
        g_printerr("fuzz-device: cannot write %s\n", record_path);
        exit(1);
    }
}

static void record_input(const uint8_t *data, size_t size)
{
    uint32_t len = (uint32_t)size;

    if (record_path && (write(record_fd, &len, sizeof(len)) != sizeof(len) ||
                        write(record_fd, data, size) != (ssize_t)size)) {
        g_printerr("fuzz-device: cannot write %s\n", record_path);
        exit(1);
    }
}

/* ---- inputs --------------------------------------------------------------------------------- */

#ifdef QUOIN_LIBFUZZER
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* A check takes as long as a hundred inputs: what some machines left is looked for at once. */
static void look_for_leaks(void)
{
    static unsigned worlds;

    if (++worlds % 16 == 0 && __lsan_do_recoverable_leak_check &&
        __lsan_do_recoverable_leak_check()) {
        g_printerr("fuzz-device: %s: the last machines left this behind\n", type);
        abort();
    }
}
#else
static void look_for_leaks(void)
{
}
#endif

static void end_world(void)
{
    if (world) {
        fuzz_world_free(world);
        vmm_thread_unregister();
        world = NULL;
        look_for_leaks();
    }
}

static void need_world(void)
{
    g_autoptr(GError) error = NULL;

    if (world && world_inputs < WORLD_INPUTS && fuzz_world_intact(world)) {
        if (world_inputs % RESET_INPUTS) {
            fuzz_device_reset(world);
        } else {
            fuzz_world_reset(world);
        }
        return;
    }
    end_world();
    vmm_thread_register();
    world = fuzz_world_new(type, &error);
    if (!world) {
        g_printerr("fuzz-device: %s: %s\n", type, error->message);
        exit(1);
    }
    world_inputs = 0;
    record_begin();
}

#ifdef QUOIN_LIBFUZZER
/* libFuzzer's counters, by the linker's names of their section. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];

static size_t counters(void)
{
    return (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
}

void fuzz_coverage_forget(void)
{
    memset(__start___sancov_cntrs, 0, counters());
}

static uint8_t *saved_counters;

void fuzz_coverage_pause(void)
{
    saved_counters = saved_counters ? saved_counters : g_malloc(counters());
    memcpy(saved_counters, __start___sancov_cntrs, counters());
}

void fuzz_coverage_resume(void)
{
    memcpy(__start___sancov_cntrs, saved_counters, counters());
}
#else
void fuzz_coverage_forget(void)
{
}

void fuzz_coverage_pause(void)
{
}

void fuzz_coverage_resume(void)
{
}
#endif

static void run_input(const uint8_t *data, size_t size)
{
    need_world();
    record_input(data, size);
    fuzz_coverage_forget();
    fuzz_run(world, data, size);
    world_inputs++;
}

static void print_types(GPtrArray *types)
{
    for (guint i = 0; i < types->len; i++) {
        g_print("%s\n", (char *)g_ptr_array_index(types, i));
    }
}

#ifdef QUOIN_LIBFUZZER
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GPtrArray) types = fuzz_types();

    for (int i = 1; i < *argc; i++) {
        if (g_str_has_prefix((*argv)[i], "--type=")) {
            type = (*argv)[i] + strlen("--type=");
        } else if (g_str_equal((*argv)[i], "--list")) {
            print_types(types);
            exit(0);
        } else if (g_str_has_prefix((*argv)[i], "--record=")) {
            record_path = (*argv)[i] + strlen("--record=");
        }
    }
    if (!type || !object_class_by_name(type)) {
        g_printerr("fuzz-device: expected --type=NAME of a device\n");
        exit(1);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_input(data, size);
    return 0;
}

#else
static gint seed = 1, runs = 20, seconds = 0, length = 4096;
static gboolean list, all;
static char **files;

static const GOptionEntry entries[] = {
    {"list", 0, 0, G_OPTION_ARG_NONE, &list, "names of the types", NULL},
    {"all",     0, 0, G_OPTION_ARG_NONE, &all, "every type", NULL},
    {"type", 't', 0, G_OPTION_ARG_STRING, &type, "the device's type", "NAME"},
    {"seed",  's', 0, G_OPTION_ARG_INT, &seed, "of the first input", "N"},
    {"runs",  'n', 0, G_OPTION_ARG_INT, &runs, "inputs of each type", "N"},
    {"seconds",     0, 0, G_OPTION_ARG_INT, &seconds, "go on for that long", "N"},
    {"length",  0, 0, G_OPTION_ARG_INT, &length, "bytes of an input, most", "N"},
    {"record",  0, 0, G_OPTION_ARG_FILENAME, &record_path, "of the machine's inputs", "FILE"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, "inputs to run", "FILE"},
    {NULL    },
};

static void run_seed(guint32 n)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(n);
    size_t size = (size_t)g_rand_int_range(rand, 8, length);
    g_autofree uint8_t *data = g_malloc(size);

    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)g_rand_int(rand);
    }
    run_input(data, size);
}

static int run_seeds(void)
{
    gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    int n = 0;

    do {
        run_seed((guint32)(seed + n));
    } while (++n < runs || (seconds && g_get_monotonic_time() < end));
    end_world();
    return n;
}

/* The inputs in a file that --record left. */
static void run_record(const uint8_t *data, size_t size)
{
    uint32_t len;

    for (size_t at = RECORD_MAGIC_LEN; at + sizeof(len) <= size; at += len) {
        memcpy(&len, data + at, sizeof(len));
        at += sizeof(len);
        len = (uint32_t)MIN(len, size - at);
        run_input(data + at, len);
    }
}

static void run_file(const char *name)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;

    if (!g_file_get_contents(name, &data, &size, &error)) {
        g_printerr("fuzz-device: %s\n", error->message);
        exit(1);
    }
    if (size >= RECORD_MAGIC_LEN && memcmp(data, RECORD_MAGIC, RECORD_MAGIC_LEN) == 0) {
        end_world();
        run_record((uint8_t *)data, size);
    } else {
        run_input((uint8_t *)data, size);
    }
}

static bool can_make(const char *name, GError **error)
{
    FuzzWorld *w;

    vmm_thread_register();
    w = fuzz_world_new(name, error);
    if (w) {
        fuzz_world_free(w);
    }
    vmm_thread_unregister();
    return w;
}

static int run_all(GPtrArray *types)
{
    g_print("1..%u\n", types->len);
    for (guint i = 0; i < types->len; i++) {
        g_autoptr(GError) error = NULL;

        type = g_ptr_array_index(types, i);
        if (!can_make(type, &error)) {
            g_print("not ok %u %s: %s\n", i + 1, type, error->message);
            continue;
        }
        g_print("# %s\n", type); /* what a crash was of */
        int n = run_seeds();
        g_print("ok %u %s, %d inputs\n", i + 1, type, n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("- fuzz a device");
    g_autoptr(GPtrArray) types = fuzz_types();
    g_autoptr(GError) error = NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("fuzz-device: %s\n", error->message);
        return 1;
    }
    if (list) {
        print_types(types);
        return 0;
    }
    if (all) {
        return run_all(types);
    }
    if (!type || !object_class_by_name(type)) {
        g_printerr("fuzz-device: expected --type=NAME of a device; --list shows them\n");
        return 1;
    }
    for (char **file = files; file && *file; file++) {
        run_file(*file);
    }
    end_world();
    if (!files) {
        g_print("%s: %d inputs\n", type, run_seeds());
    }
    return 0;
}
#endif
