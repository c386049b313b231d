/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "hw/core/smp.h"
#include "system/loop/main-loop.h"
#include "system/options.h"

static void test_values(void)
{
    static const struct {
        const char *text;
        uint64_t unit, value;
        bool ok;
    } sizes[] = {
        {"512",                  1 << 20, 512 << 20,  true },
        {"64K",                  1,       64 << 10,   true },
        {"1.5G",                 1,       3ull << 29, true },
        {"2m",                   1,       2 << 20,    true },
        {"0x10",                 1,       16,         true },
        {"16B",                  1 << 20, 16,         true },
        {"",                     1,       0,          false},
        {"-1",                   1,       0,          false},
        {"12X",                  1,       0,          false},
        {"12KK",                 1,       0,          false},
        {"99999999999G",         1,       0,          false},
        {"99999999999999999999", 1,       0,          false},
    };
    uint64_t value;
    bool flag;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_test_message("%s", sizes[i].text);
        g_assert_cmpint(parse_size(sizes[i].text, sizes[i].unit, &value), ==, sizes[i].ok);
        if (sizes[i].ok) {
            g_assert_cmpuint(value, ==, sizes[i].value);
        }
    }
    g_assert_true(parse_bool("on", &flag) && flag);
    g_assert_true(parse_bool("no", &flag) && !flag);
    g_assert_false(parse_bool("maybe", &flag));
    g_assert_true(parse_uint("0xff", &value) && value == 255);
    g_assert_false(parse_uint("12a", &value));
    g_assert_false(parse_uint("", &value));
}

static void test_syntax(void)
{
    g_autoptr(Options) o =
        options_parse("a,b,,c,path=/x,,y=z,server,nowait,n=3,n=4,empty=", "kind", NULL);
    bool wait = true;

    /* A comma ends the first item; "b,,c" is a key with a comma. */
    g_assert_cmpstr(options_get(o, "kind"), ==, "a");
    g_assert_cmpstr(options_get(o, "b,c"), ==, "on");
    g_assert_cmpstr(options_get(o, "path"), ==, "/x,y=z");
    g_assert_cmpstr(options_get(o, "n"), ==, "4");
    g_assert_cmpstr(options_get(o, "empty"), ==, "");
    g_assert_true(options_get_bool(o, "wait", &wait, NULL));
    g_assert_false(wait);
    g_assert_null(options_get(o, "nothing"));
}

static void test_unused(void)
{
    static const char *const known[] = {"size", "slots", NULL};
    g_autoptr(Options) o = options_parse("size=1,slts=2", NULL, NULL);
    g_autoptr(GError) error = NULL;

    options_get(o, "size");
    g_assert_false(options_check_unused(o, "-m", known, &error));
    g_assert_cmpstr(error->message, ==, "-m has no 'slts'; did you mean 'slots'?");
}

static void test_bad_syntax(void)
{
    static const char *const bad[] = {"=x", "a=1,=2", "{", "{\"a\":", "[1]x"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Options) o = options_parse_any(bad[i], NULL, &error);

        g_test_message("%s", bad[i]);
        if (bad[i][0] == '[') {
            g_assert_nonnull(o); /* not JSON: a flag of that name */
        } else {
            g_assert_null(o);
            g_assert_nonnull(error);
        }
    }
}

static void test_json(void)
{
    g_autoptr(Options) o = options_parse_any("{\"driver\":\"foo\",\"n\":3,\"on\":true,\"off\":"
                                             "false,\"x\":{\"y\":\"a,b\"},\"l\":[1,\"2\"]}",
                                             "driver", NULL);

    g_assert_nonnull(o);
    g_assert_cmpstr(options_get(o, "driver"), ==, "foo");
    g_assert_cmpstr(options_get(o, "n"), ==, "3");
    g_assert_cmpstr(options_get(o, "on"), ==, "on");
    g_assert_cmpstr(options_get(o, "off"), ==, "off");
    g_assert_cmpstr(options_get(o, "x.y"), ==, "a,b");
    g_assert_cmpstr(options_get(o, "l.0"), ==, "1");
    g_assert_cmpstr(options_get(o, "l.1"), ==, "2");
}

static void test_help(void)
{
    static const struct {
        const char *text;
        bool help;
    } cases[] = {
        {"help",        true },
        {"?",           true },
        {"foo,help",    true },
        {"foo",         false},
        {"foo,help=on", false}
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Options) o = options_parse(cases[i].text, "type", NULL);

        g_test_message("%s", cases[i].text);
        g_assert_cmpint(options_want_help(o), ==, cases[i].help);
    }
}

static void test_nearest(void)
{
    static const char *const words[] = {"machine", "memory", "monitor", "m", NULL};

    g_assert_cmpstr(nearest_word("machin", words), ==, "machine");
    g_assert_cmpstr(nearest_word("mnoitor", words), ==, "monitor");
    g_assert_null(nearest_word("zzzzzz", words));
}

static void test_apply(void)
{
    g_autoptr(Object) obj = object_new("memory-backend-memfd", NULL);
    g_autoptr(Options) good = options_parse("size=2M,nodump,merge=on,hugetlbsize=2M", NULL, NULL);
    g_autoptr(Options) bad = options_parse("sise=2M", NULL, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(options_apply(good, obj, &error));
    g_assert_cmpuint(object_property_get_uint(obj, "size", NULL), ==, 2 << 20);
    g_assert_false(object_property_get_bool(obj, "dump", NULL));
    g_assert_true(object_property_get_bool(obj, "merge", NULL));
    g_assert_false(options_apply(bad, obj, &error));
    g_assert_nonnull(strstr(error->message, "did you mean 'size'"));
}

/* ---- -smp ----------------------------------------------------------------------------------- */

static void test_smp(void)
{
    static const struct {
        const char *text;
        SMPConfig smp;
        bool ok;
    } cases[] = {
        {"1",                   {1, 1, 1, 1, 1, 1}, true },
        {"4",                   {4, 1, 1, 4, 1, 4}, true },
        {"cpus=4,sockets=2",    {4, 2, 1, 2, 1, 4}, true },
        {"4,cores=2,threads=2", {4, 1, 1, 2, 2, 4}, true },
        {"sockets=2,cores=2",   {4, 2, 1, 2, 1, 4}, true },
        {"4,sockets=1,cores=2", {4, 1, 1, 2, 2, 4}, true },
        {"2,maxcpus=4",         {2, 1, 1, 4, 1, 4}, true },
        {"3,sockets=2",         {0},                false},
        {"0",                   {1, 1, 1, 1, 1, 1}, true }, /* with a warning */
        {"-1",                  {0},                false},
        {"4,maxcpus=2",         {0},                false},
        {"1000",                {0},                false},
        {"4,foo=1",             {0},                false},
        {"cpus=four",           {0},                false},
    };
    MachineState *machine;

    g_assert_true(vmm_init_main_loop(NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool ok;

        machine = machine_new(machine_find_class("pc", NULL), NULL);
        ok = smp_parse(machine, cases[i].text, &error);

        g_test_message("%s: %s", cases[i].text, ok ? "ok" : error->message);
        g_assert_cmpint(ok, ==, cases[i].ok);
        if (ok) {
            g_assert_cmpmem(&machine->smp, sizeof(SMPConfig), &cases[i].smp, sizeof(SMPConfig));
        }
        machine_free(machine);
    }
    /* A second -smp adds to the first, and the last word counts. */
    machine = machine_new(machine_find_class("pc", NULL), NULL);
    g_assert_true(smp_parse(machine, "4", NULL) && smp_parse(machine, "sockets=2", NULL) &&
                  smp_parse(machine, "cpus=2,cpus=3", NULL) == false &&
                  smp_parse(machine, "cpus=8,cpus=6", NULL));
    g_assert_cmpuint(machine->smp.cpus, ==, 6);
    g_assert_cmpuint(machine->smp.sockets, ==, 2);
    g_assert_cmpuint(machine->smp.cores, ==, 3);
    machine_free(machine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/values", test_values);
    g_test_add_func("/options/syntax", test_syntax);
    g_test_add_func("/options/unused", test_unused);
    g_test_add_func("/options/bad-syntax", test_bad_syntax);
    g_test_add_func("/options/json", test_json);
    g_test_add_func("/options/help", test_help);
    g_test_add_func("/options/nearest", test_nearest);
    g_test_add_func("/options/apply", test_apply);
    g_test_add_func("/options/smp", test_smp);
    return g_test_run();
}
