/* SPDX-License-Identifier: MIT
 *
 * oracle: random user-mode code on this processor and under the translator.
 *
 *   oracle [--seed N] [--count N] [--class NAME[,NAME...]] [--bits 16|32|64]
 *          [--self] [--interpret] [--show] [--keep-going N]
 *
 * --self compares the processor with itself, which shows whether cases are
 * deterministic; --show prints the cases instead of running them.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/oracle/case.h"

typedef struct Options {
    gint64 seed, count;
    gint bits, keep_going;
    gchar *classes;
    gboolean self, interpret, show, histogram, ends;
    unsigned class_mask;
} Options;

typedef struct Oracle {
    Options o;
    bool has_segments;
    Generator *generator;
    Worker *worker;
    Result other;
    uint64_t run, differences, ended_by[256];
} Oracle;

static bool parse_classes(Options *o)
{
    g_auto(GStrv) names = g_strsplit(o->classes ? o->classes : "", ",", -1);

    o->class_mask = o->classes ? 0 : (1u << CLASS_COUNT) - 1;
    for (unsigned k = 0; names[k]; k++) {
        unsigned c = 0;

        while (c < CLASS_COUNT && strcmp(names[k], class_names[c])) {
            c++;
        }
        if (c == CLASS_COUNT) {
            g_printerr("oracle: no class '%s'\n", names[k]);
            return false;
        }
        o->class_mask |= 1u << c;
    }
    return true;
}

static bool parse(Options *o, int *argc, char ***argv)
{
    GOptionEntry entries[] = {
        {"seed",       's', 0, G_OPTION_ARG_INT64, &o->seed, "First seed", "N"},
        {"count",           'n', 0, G_OPTION_ARG_INT64, &o->count, "Cases", "N"},
        {"class",    'c', 0, G_OPTION_ARG_STRING, &o->classes, "Instruction classes", "NAME,..."},
        {"bits",         'b', 0, G_OPTION_ARG_INT, &o->bits, "Only 16-, 32- or 64-bit code", "BITS"},
        {"self",      0, 0, G_OPTION_ARG_NONE, &o->self, "Processor against itself", NULL},
        {"interpret",           0, 0, G_OPTION_ARG_NONE, &o->interpret, "Integer code in C", NULL},
        {"show",   0, 0, G_OPTION_ARG_NONE, &o->show, "Print the cases", NULL},
        {"stats",         0, 0, G_OPTION_ARG_NONE, &o->histogram, "Print how cases ended", NULL},
        {"ends",      0, 0, G_OPTION_ARG_NONE, &o->ends, "Print what ended each case", NULL},
        {"keep-going",           'k', 0, G_OPTION_ARG_INT, &o->keep_going, "Differences to show", "N"},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- translator against processor");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        g_printerr("oracle: %s\n", error->message);
        return false;
    }
    return parse_classes(o);
}

static void make_case(Oracle *x, uint64_t seed, Case *c)
{
    CaseKind kind = CASE_64;

    if (x->o.bits) {
        kind = x->o.bits == 64 ? CASE_64 : x->o.bits == 16 ? CASE_16 : CASE_32 + (seed & 1);
    } else if (seed % 4 == 3) {
        kind = seed % 8 == 3 ? CASE_32 : seed % 16 == 7 ? CASE_32_SEGMENTED : CASE_16;
    }

    if (kind > CASE_32 && !x->has_segments) {
        kind = CASE_32;
    }
    generator_make(x->generator, seed, x->o.class_mask, kind, c);
}

static void run_other(Oracle *x, const Case *c)
{
    if (x->o.self) {
        *worker_case(x->worker, 0) = *c;
        worker_start(x->worker, 1);
        worker_wait(x->worker);
        x->other = *worker_result(x->worker, 0);
    } else {
        guest_run(c, &x->other);
    }
}

/* Runs the case on both; true: they agree. */
static bool agrees(Oracle *x, const Case *c, Result *native)
{
    *worker_case(x->worker, 0) = *c;
    worker_start(x->worker, 1);
    if (worker_wait(x->worker) != 1) {
        return true;
    }
    *native = *worker_result(x->worker, 0);
    run_other(x, c);
    return results_equal(c, native, &x->other);
}

/* Replace by nops what is not needed for the difference. */
static void minimise(Oracle *x, Case *c)
{
    g_autofree Result *native = g_new(Result, 1);

    for (unsigned k = 0; k < c->count; k++) {
        const CaseInsn *n = &c->insn[k];
        uint8_t save[16];

        if (n->fixed) {
            continue;
        }
        memcpy(save, c->code + n->offset, n->length);
        memset(c->code + n->offset, 0x90, n->length);
        if (agrees(x, c, native) || native->regs.vector == 255) {
            memcpy(c->code + n->offset, save, n->length);
        }
    }
}

/* End the case earlier and earlier: where does it still differ? */
static void cut_short(Oracle *x, Case *c)
{
    g_autofree Result *native = g_new(Result, 1);

    for (unsigned k = 1; k < c->count; k++) {
        uint8_t *at = &c->code[c->insn[k].offset], save = *at;

        *at = 0xcc;
        if (!agrees(x, c, native)) {
            c->count = k + 1;
            c->length = c->insn[k].offset;
            return;
        }
        *at = save;
    }
}

static void show_difference(Oracle *x, const Case *c)
{
    g_autofree Case *copy = g_new(Case, 1);
    g_autofree Result *native = g_new(Result, 1);

    *copy = *c;
    if (agrees(x, copy, native)) {
        printf("seed %" PRIu64 ": differed once, not again\n", c->seed);
        case_print(copy);
        return;
    }
    cut_short(x, copy);
    if (agrees(x, copy, native)) {
        *copy = *c;
    }
    minimise(x, copy);
    agrees(x, copy, native);
    case_print(copy);
    results_report(copy, native, &x->other);
    fflush(stdout);
}

static void check_batch(Oracle *x, const Case *cases, const Result *results, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        x->ended_by[results[k].regs.vector & 255]++;
        if (x->o.ends && results[k].regs.vector != VECTOR_END) {
            case_print_end(&cases[k], &results[k]);
        }
        run_other(x, &cases[k]);
        x->run++;
        if (!results_equal(&cases[k], &results[k], &x->other)) {
            x->differences++;
            show_difference(x, &cases[k]);
            if (x->differences >= (uint64_t)x->o.keep_going) {
                return;
            }
        }
    }
}

static void run_batch(Oracle *x, Case *cases, Result *results, uint64_t seed, unsigned n)
{
    unsigned done;

    for (unsigned k = 0; k < n; k++) {
        make_case(x, seed + k, &cases[k]);
        *worker_case(x->worker, k) = cases[k];
    }
    worker_start(x->worker, n);
    done = worker_wait(x->worker);
    for (unsigned k = 0; k < done; k++) {
        results[k] = *worker_result(x->worker, k);
    }
    if (done < n) {
        printf("seed %" PRIu64 ": the native run died\n", seed + done);
        case_print(&cases[done]);
    }
    check_batch(x, cases, results, done);
}

static void run_all(Oracle *x)
{
    g_autofree Case *cases = g_new(Case, BATCH_MAX);
    g_autofree Result *results = g_new(Result, BATCH_MAX);
    uint64_t end = (uint64_t)(x->o.seed + x->o.count);

    for (uint64_t s = (uint64_t)x->o.seed; s < end; s += BATCH_MAX) {
        run_batch(x, cases, results, s, (unsigned)MIN(BATCH_MAX, end - s));
        if (x->differences >= (uint64_t)x->o.keep_going) {
            break;
        }
    }
}

static void show_all(Oracle *x)
{
    g_autofree Case *c = g_new(Case, 1);

    for (gint64 s = x->o.seed; s < x->o.seed + x->o.count; s++) {
        make_case(x, (uint64_t)s, c);
        case_print(c);
    }
}

static void print_histogram(const Oracle *x)
{
    for (unsigned v = 0; v < 256; v++) {
        if (x->ended_by[v]) {
            printf("ended by vector %u: %" PRIu64 "\n", v, x->ended_by[v]);
        }
    }
}

int main(int argc, char **argv)
{
    Oracle x = {
        .o = {.seed = 1, .count = 1000, .keep_going = 1}
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(&x.o, &argc, &argv)) {
        return 1;
    }
    if (!native_possible()) {
        g_printerr("oracle: this host has no FSGSBASE or no AVX\n");
        return 77;
    }
    x.has_segments = native_has_segments();
    x.generator = generator_new();
    if (x.o.show) {
        show_all(&x);
        return 0;
    }
    x.worker = worker_new(); /* forks: before the guest has threads */
    if (x.o.interpret) {
        guest_interpret();
    }
    if (!x.o.self && !guest_init()) {
        return 77;
    }
    run_all(&x);
    printf("%" PRIu64 " sequences, %" PRIu64 " differ\n", x.run, x.differences);
    if (x.o.histogram) {
        print_histogram(&x);
    }
    worker_free(x.worker);
    generator_free(x.generator);
    return x.differences != 0;
}
