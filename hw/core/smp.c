/* SPDX-License-Identifier: MIT */
#include "hw/core/smp.h"
#include "system/options.h"

#define SMP_LIMIT 4096

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

/* What is 0 was left out: cores take what the others leave, then there is one of each. */
static void smp_complete(SMPConfig *smp)
{
    uint32_t total = smp->max_cpus ? smp->max_cpus : smp->cpus;

    smp->dies = smp->dies ? smp->dies : 1;
    if (total == 0) {
        smp->sockets = smp->sockets ? smp->sockets : 1;
        smp->cores = smp->cores ? smp->cores : 1;
        smp->threads = smp->threads ? smp->threads : 1;
    } else if (!smp->cores) {
        smp->sockets = smp->sockets ? smp->sockets : 1;
        smp->threads = smp->threads ? smp->threads : 1;
        smp->cores = MAX(total / (smp->sockets * smp->dies * smp->threads), 1);
    } else if (!smp->sockets) {
        smp->threads = smp->threads ? smp->threads : 1;
        smp->sockets = MAX(total / (smp->dies * smp->cores * smp->threads), 1);
    } else if (!smp->threads) {
        smp->threads = MAX(total / (smp->sockets * smp->dies * smp->cores), 1);
    }
    smp->max_cpus = total ? total : smp->sockets * smp->dies * smp->cores * smp->threads;
    smp->cpus = smp->cpus ? smp->cpus : smp->max_cpus;
}

static bool smp_check(MachineState *machine, const SMPConfig *smp, GError **error)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    uint64_t product = (uint64_t)smp->sockets * smp->dies * smp->cores * smp->threads;

    if (product != smp->max_cpus) {
        return smp_fail(error,
                        "sockets (%u) * dies (%u) * cores (%u) * threads (%u) is not the number "
                        "of CPUs (%u)",
                        smp->sockets, smp->dies, smp->cores, smp->threads, smp->max_cpus);
    }
    if (smp->cpus > smp->max_cpus) {
        return smp_fail(error, "cpus=%u is more than maxcpus=%u", smp->cpus, smp->max_cpus);
    }
    if (smp->max_cpus > mc->max_cpus) {
        return smp_fail(error, "machine '%s' has at most %u CPUs, not %u", mc->name, mc->max_cpus,
                        smp->max_cpus);
    }
    return true;
}

static bool smp_read(Options *options, SMPConfig *smp, GError **error)
{
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

        if (!options_get_uint(options, fields[i].key, 1, SMP_LIMIT, &value, error)) {
            return false;
        }
        *fields[i].field = value;
    }
    return options_check_unused(options, "-smp", known, error);
}

bool smp_parse(MachineState *machine, const char *text, GError **error)
{
    g_autoptr(Options) options = options_parse(text, "cpus", error);
    SMPConfig smp = {0};

    if (!options || !smp_read(options, &smp, error)) {
        return false;
    }
    smp_complete(&smp);
    if (!smp_check(machine, &smp, error)) {
        return false;
    }
    machine->smp = smp;
    return true;
}
