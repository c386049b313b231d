/* SPDX-License-Identifier: MIT */
#include "hw/core/smp.h"
#include "system/log.h"
#include "system/options.h"

#define SMP_LIMIT 0x7fff /* of each: the product of four fits 64 bits */

static bool smp_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool smp_fail(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, OPTIONS_ERROR, OPTIONS_ERROR_VALUE, text);
    return false;
}

/*
 * What is 0 was left out: cores take what the others leave, then sockets (or the other way round), then
 * threads; a quotient of 0 stays, for the check to show.
 */
static void smp_complete(SMPConfig *smp, bool prefer_sockets)
{
    uint32_t *preferred = prefer_sockets ? &smp->sockets : &smp->cores;
    uint32_t *other = prefer_sockets ? &smp->cores : &smp->sockets;
    uint32_t total = smp->max_cpus ? smp->max_cpus : smp->cpus;

    smp->dies = smp->dies ? smp->dies : 1;
    if (total == 0) {
        smp->sockets = smp->sockets ? smp->sockets : 1;
        smp->cores = smp->cores ? smp->cores : 1;
        smp->threads = smp->threads ? smp->threads : 1;
    } else if (!*preferred) {
        *other = *other ? *other : 1;
        smp->threads = smp->threads ? smp->threads : 1;
        *preferred = total / (*other * smp->dies * smp->threads);
    } else if (!*other) {
        smp->threads = smp->threads ? smp->threads : 1;
        *other = total / (*preferred * smp->dies * smp->threads);
    } else if (!smp->threads) {
        smp->threads = total / (smp->sockets * smp->dies * smp->cores);
    }
    smp->max_cpus = total ? total : smp->sockets * smp->dies * smp->cores * smp->threads;
    smp->cpus = smp->cpus ? smp->cpus : smp->max_cpus;
}

/* The words are those that scripts know. */
static bool smp_check(MachineState *machine, const SMPConfig *smp, GError **error)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    uint64_t product = (uint64_t)smp->sockets * smp->dies * smp->cores * smp->threads;
    g_autofree char *levels = g_strdup_printf("sockets (%u) * dies (%u) * cores (%u) * threads (%u)",
                                              smp->sockets, smp->dies, smp->cores, smp->threads);

    if (product != smp->max_cpus) {
        return smp_fail(error,
                        "Invalid CPU topology: product of the hierarchy must match maxcpus: %s != "
                        "maxcpus (%u)",
                        levels, smp->max_cpus);
    }
    if (smp->cpus > smp->max_cpus) {
        return smp_fail(error,
                        "Invalid CPU topology: maxcpus must be equal to or greater than smp: %s == "
                        "maxcpus (%u) < smp_cpus (%u)",
                        levels, smp->max_cpus, smp->cpus);
    }
    if (smp->max_cpus > mc->max_cpus) {
        return smp_fail(error,
                        "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u",
                        smp->max_cpus, mc->name, mc->max_cpus);
    }
    return true;
}

static bool smp_read(Options *options, SMPConfig *smp, GError **error)
{
    uint64_t clusters = 1;
    bool zero = false;
    const struct {
        const char *key;
        uint32_t *field;
    } fields[] = {
        {"cpus",    &smp->cpus    },
        {"sockets", &smp->sockets },
        {"dies",    &smp->dies    },
        {"cores",   &smp->cores   },
        {"threads", &smp->threads },
        {"maxcpus", &smp->max_cpus}
    };
    static const char *const known[] = {"cpus",    "sockets", "dies", "cores",
                                        "threads", "maxcpus", NULL};

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint64_t value = 0;

        if (!options_get_uint(options, fields[i].key, 0, SMP_LIMIT, &value, error)) {
            return false;
        }
        *fields[i].field = value;
        zero |= value == 0 && options_get(options, fields[i].key);
    }
    if (zero) {
        log_printf("warning: -smp: Deprecated CPU topology (considered invalid): CPU topology "
                   "parameters must be greater than zero\n");
    }
    if (!options_get_uint(options, "clusters", 0, SMP_LIMIT, &clusters, error)) {
        return false;
    }
    if (clusters > 1) {
        return smp_fail(error, "clusters not supported by this machine's CPU topology");
    }
    return options_check_unused(options, "-smp", known, error);
}

/* A second -smp adds to the first. */
bool smp_parse(MachineState *machine, const char *text, GError **error)
{
    g_autofree char *first = g_ascii_isdigit(*text) ? g_strconcat("cpus=", text, NULL) : g_strdup(text);
    g_autofree char *all =
        machine->smp_option ? g_strconcat(machine->smp_option, ",", first, NULL) : g_strdup(first);
    g_autoptr(Options) options = options_parse(all, "cpus", error);
    SMPConfig smp = {0};

    if (!options || !smp_read(options, &smp, error)) {
        return false;
    }
    smp_complete(&smp, MACHINE_GET_CLASS(machine)->smp_prefers_sockets);
    if (!smp_check(machine, &smp, error)) {
        return false;
    }
    g_free(machine->smp_option);
    machine->smp_option = g_steal_pointer(&all);
    machine->smp = smp;
    return true;
}
