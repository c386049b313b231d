/* SPDX-License-Identifier: MIT
 *
 * Versions of the PCs: what a guest finds in a machine of an older name, as far as there is
 * anything of it here.  Each row says what differs from the row before it, and a machine takes all rows
 * from the newest to its own.  Established by comparing the properties, tables and registers that
 * QEMU 7.2 shows for each name; docs/machine-versions.md has what that left out.
 */
#include "hw/i386/pc.h"
#include "target/i386/cpu.h"

#define CPU(model) X86_CPU_TYPE_NAME(model)
#define END      \
    {            \
        NULL     \
    }

typedef struct PCVersion {
    const char *name;
    const GlobalProperty *globals; /* NULL: none */
    void (*change)(PCMachineClass *pcmc);
} PCVersion;

/* ---- of the board ------------------------------------------------------------------------- */

static void cpus_are_sockets(PCMachineClass *pcmc)
{
    pcmc->parent_class.smp_prefers_sockets = true;
}

static void root_bus_is_number_1(PCMachineClass *pcmc)
{
    pcmc->root_bus_uid = 1;
}

static void numa_by_size(PCMachineClass *pcmc)
{
    pcmc->parent_class.numa_mem_supported = true;
}

static void xapic_ids_only(PCMachineClass *pcmc)
{
    pcmc->parent_class.max_cpus = 255;
}

/* The whole first series is deprecated, and has as much RAM below 4 GiB as fits. */
static void first_series(PCMachineClass *pcmc)
{
    pcmc->low_memory.split = pcmc->low_memory.whole;
    pcmc->parent_class.deprecation_reason = "old and unattended - use a newer version instead";
}

/* ---- of devices ----------------------------------------------------------------------------- */

static const GlobalProperty since_6_2[] = {
    {"pcie-slot", "x-native-hotplug", "off"},
    END,
};

static const GlobalProperty since_6_1[] = {
    {"ICH9-LPC",    "acpi-pci-hotplug-with-bridge-support", "off"},
    {"pcie-slot",   "x-native-hotplug",                     "on" },
    {CPU("qemu64"), "family",                               "6"  },
    {CPU("qemu64"), "model",                                "6"  },
    {CPU("qemu64"), "stepping",                             "3"  },
    END,
};

static const GlobalProperty since_6_0[] = {
    {"ICH9-LPC", "x-smi-cpu-hotunplug", "off"},
    END,
};

static const GlobalProperty since_5_2[] = {
    {"ICH9-LPC", "x-smi-cpu-hotplug", "off"},
    {"pvpanic",  "events",            "1"  },
    END,
};

static const GlobalProperty since_5_0[] = {
    {"mch", "smbase-smram", "off"},
    END,
};

static const GlobalProperty since_4_1[] = {
    {"VGA",           "edid", "off"},
    {"secondary-vga", "edid", "off"},
    {"bochs-display", "edid", "off"},
    END,
};

static const GlobalProperty since_4_0[] = {
    {"pcie-slot",                "disable-acs", "on" },
    {"pcie-root-port",           "x-speed",     "2_5"},
    {"pcie-root-port",           "x-width",     "1"  },
    {CPU("Cascadelake-Server"),  "stepping",    "5"  },
    {CPU("Opteron_G3"),          "rdtscp",      "off"},
    {CPU("Opteron_G4"),          "rdtscp",      "off"},
    {CPU("Opteron_G5"),          "rdtscp",      "off"},
    END,
};

static const GlobalProperty since_3_1[] = {
    {CPU("Skylake-Server"),      "pku", "off"},
    {CPU("Skylake-Server-IBRS"), "pku", "off"},
    END,
};

static const GlobalProperty since_3_0[] = {
    {TYPE_X86_CPU,     "topoext",      "off"       },
    {CPU("EPYC"),      "xlevel",       "0x8000000a"},
    {CPU("EPYC-IBPB"), "xlevel",       "0x8000000a"},
    END,
};

static const GlobalProperty since_2_12[] = {
    {CPU("Skylake-Server"), "clflushopt", "off"},
    END,
};

static const GlobalProperty since_2_10[] = {
    {"mch",        "extended-tseg-mbytes", "0"  },
    {"pci-bridge", "shpc",                 "off"},
    END,
};

static const GlobalProperty since_2_9[] = {
    {"ICH9-LPC",     "x-smi-broadcast",    "off"},
    {"pci-bridge",   "shpc",               "on" },
    {"pci-device",   "x-pcie-extcap-init", "off"},
    {CPU("Haswell"), "stepping",           "1"  },
    END,
};

static const GlobalProperty since_2_8[] = {
    {"ioapic",          "version",               "0x11"},
    {TYPE_X86_CPU,      "full-cpuid-auto-level", "off" },
    {TYPE_X86_CPU,      "l3-cache",              "off" },
    {CPU("Opteron_G3"), "family",                "15"  },
    {CPU("Opteron_G3"), "model",                 "6"   },
    {CPU("Opteron_G3"), "stepping",              "1"   },
    END,
};

static const GlobalProperty since_2_7[] = {
    {TYPE_X86_CPU, "cpuid-0xb", "off"},
    END,
};

static const GlobalProperty since_2_6[] = {
    {"isa-fdc", "fallback", "144"},
    END,
};

static const GlobalProperty since_2_5[] = {
    {"fw_cfg_io",            "dma_enabled", "off"},
    {TYPE_X86_CPU,           "check",       "off"},
    {CPU("Broadwell"),       "abm",         "off"},
    {CPU("Broadwell-noTSX"), "abm",         "off"},
    {CPU("Haswell"),         "abm",         "off"},
    {CPU("Haswell-noTSX"),   "abm",         "off"},
    {CPU("qemu64"),          "abm",         "on" },
    {CPU("qemu64"),          "sse4a",       "on" },
    {CPU("qemu64"),          "popcnt",      "on" },
    {CPU("qemu32"),          "popcnt",      "on" },
    {CPU("Opteron_G2"),      "rdtscp",      "on" },
    {CPU("Opteron_G3"),      "rdtscp",      "on" },
    {CPU("Opteron_G4"),      "rdtscp",      "on" },
    {CPU("Opteron_G5"),      "rdtscp",      "on" },
    END,
};

static const GlobalProperty since_2_4[] = {
    {"pci-device",           "x-pcie-lnksta-dllla", "off"       },
    {TYPE_X86_CPU,           "arat",                "off"       },
    {CPU("pentium3"),        "level",               "2"         },
    {CPU("Conroe"),          "level",               "4"         },
    {CPU("Nehalem"),         "level",               "4"         },
    {CPU("Penryn"),          "level",               "4"         },
    {CPU("qemu64"),          "level",               "4"         },
    {CPU("kvm64"),           "level",               "5"         },
    {CPU("n270"),            "level",               "5"         },
    {CPU("Broadwell"),       "xlevel",              "0x8000000a"},
    {CPU("Broadwell-noTSX"), "xlevel",              "0x8000000a"},
    {CPU("Conroe"),          "xlevel",              "0x8000000a"},
    {CPU("Haswell"),         "xlevel",              "0x8000000a"},
    {CPU("Haswell-noTSX"),   "xlevel",              "0x8000000a"},
    {CPU("IvyBridge"),       "xlevel",              "0x8000000a"},
    {CPU("Nehalem"),         "xlevel",              "0x8000000a"},
    {CPU("Penryn"),          "xlevel",              "0x8000000a"},
    {CPU("SandyBridge"),     "xlevel",              "0x8000000a"},
    {CPU("Westmere"),        "xlevel",              "0x8000000a"},
    {CPU("n270"),            "xlevel",              "0x8000000a"},
    END,
};

static const GlobalProperty since_2_3[] = {
    {TYPE_PC_MACHINE,  "suppress-vmdesc", "on" },
    {CPU("Broadwell"), "f16c",            "off"},
    {CPU("Broadwell"), "rdrand",          "off"},
    {CPU("Haswell"),   "f16c",            "off"},
    {CPU("Haswell"),   "rdrand",          "off"},
    END,
};

static const GlobalProperty since_2_2[] = {
    {"VGA",           "qemu-extended-regs", "off"},
    {"secondary-vga", "qemu-extended-regs", "off"},
    {"usb-kbd",       "usb_version",        "1"  },
    {"usb-mouse",     "usb_version",        "1"  },
    END,
};

static const GlobalProperty since_2_1[] = {
    {"apic", "version", "0x11"},
    END,
};

static const GlobalProperty since_2_0[] = {
    {TYPE_PC_MACHINE, "suppress-vmdesc",                      "off"},
    {"PIIX4_PM",      "acpi-pci-hotplug-with-bridge-support", "off"},
    END,
};

static const GlobalProperty since_1_7[] = {
    {CPU("qemu64"), "model", "2"},
    {CPU("qemu32"), "model", "3"},
    END,
};

static const GlobalProperty since_1_6[] = {
    {CPU("Conroe"),  "level",     "2" },
    {CPU("Nehalem"), "level",     "2" },
    {CPU("Penryn"),  "level",     "2" },
    {CPU("Conroe"),  "model",     "2" },
    {CPU("Nehalem"), "model",     "2" },
    {CPU("Penryn"),  "model",     "2" },
    END,
};

static const GlobalProperty since_1_5[] = {
    {"ide-device",    "discard_granularity", "0"  },
    {CPU("486"),      "model",               "0"  },
    {CPU("n270"),     "movbe",               "off"},
    {CPU("Westmere"), "pclmulqdq",           "off"},
    END,
};

/* ---- which version lacks what ---------------------------------------------------------------- */

static const PCVersion pc_versions[] = {
    {"7.2",   NULL,       NULL                },
    {"7.1",   NULL,       NULL                },
    {"7.0",   NULL,       NULL                },
    {"6.2",   NULL,       NULL                },
    {"6.1",   since_6_2,  cpus_are_sockets    },
    {"6.0",   since_6_1,  NULL                },
    {"5.2",   since_6_0,  NULL                },
    {"5.1",   since_5_2,  root_bus_is_number_1},
    {"5.0",   NULL,       numa_by_size        },
    {"4.2",   since_5_0,  NULL                },
    {"4.1",   NULL,       NULL                },
    {"4.0.1", since_4_1,  NULL                },
    {"4.0",   NULL,       NULL                },
    {"3.1",   since_4_0,  NULL                },
    {"3.0",   since_3_1,  NULL                },
    {"2.12",  since_3_0,  NULL                },
    {"2.11",  since_2_12, NULL                },
    {"2.10",  NULL,       NULL                },
    {"2.9",   since_2_10, NULL                },
    {"2.8",   since_2_9,  NULL                },
    {"2.7",   since_2_8,  xapic_ids_only      },
    {"2.6",   since_2_7,  NULL                },
    {"2.5",   since_2_6,  NULL                },
    {"2.4",   since_2_5,  NULL                },
    {"2.3",   since_2_4,  NULL                },
    {"2.2",   since_2_3,  NULL                },
    {"2.1",   since_2_2,  NULL                },
    {"2.0",   since_2_1,  NULL                },
    {"1.7",   since_2_0,  first_series        },
    {"1.6",   since_1_7,  NULL                },
    {"1.5",   since_1_6,  NULL                },
    {"1.4",   since_1_5,  NULL                },
};

void pc_machine_version_class_init(ObjectClass *klass, const void *data)
{
    const PCMachineVersion *machine = data;
    MachineClass *mc = MACHINE_CLASS(klass);
    const PCVersion *row = pc_versions;

    mc->name = machine->name;
    mc->compat_globals = g_ptr_array_new();
    while (!g_str_equal(row->name, machine->version)) {
        row++;
        g_assert(row < pc_versions + G_N_ELEMENTS(pc_versions));
        if (row->globals) {
            g_ptr_array_add(mc->compat_globals, (GlobalProperty *)row->globals);
        }
        if (row->change) {
            row->change(PC_MACHINE_CLASS(klass));
        }
    }
    if (row != pc_versions) { /* the family's are the newest's */
        mc->alias = NULL;
        mc->is_default = false;
    }
}
