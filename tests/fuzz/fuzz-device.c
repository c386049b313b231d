/* SPDX-License-Identifier: MIT
 *
 * Fuzz one device type.  With libFuzzer (-Dfuzz=true, clang): a target; --type=NAME says which.
 * Without: a driver of its own with seeded inputs, or files that libFuzzer found.
 *
 *   fuzz-device --list
 *   fuzz-device --type=NAME [--seed=N] [--runs=N] [--seconds=N] [FILE...]
 *   fuzz-device --all ...     every type in turn, a TAP line each
 */
#include "fuzz-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type;

static void run_input(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    FuzzWorld *w;

    vmm_thread_register();
    w = fuzz_world_new(type, &error);
    if (!w) {
        g_printerr("fuzz-device: %s: %s\n", type, error->message);
        exit(1);
    }
    fuzz_run(w, data, size);
    fuzz_world_free(w);
    vmm_thread_unregister();
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
static gint seed = 1, runs = 20, seconds = 0, length = 1500;
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
    {G_OPTION_REMAINING,  0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, "inputs to run", "FILE"},
    {NULL},
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
    return n;
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
    run_input((uint8_t *)data, size);
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
    if (!files) {
        g_print("%s: %d inputs\n", type, run_seeds());
    }
    return 0;
}
#endif
