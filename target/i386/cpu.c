/* SPDX-License-Identifier: MIT
 *
 * The CPU object: models as types, features as properties, realize (requests V1-V3),
 * reset, dumps.
 */
#include "target/i386/cpu.h"
#include <inttypes.h>
#include <string.h>
#include "accel/accel.h"
#include "hw/core/machine.h"
#include "system/log.h"
#include "target/i386/apic.h"
#include "target/i386/cpu-models.h"
#include "target/i386/exception.h"
#include "target/i386/features.h"
#include "target/i386/mmu.h"
#include "target/i386/smm.h"
#include "target/i386/xsave.h"

#define SVM     (1u << 2)
#define TOPOEXT (1u << 22)

#define X86_CPU_GET_CLASS(obj) OBJECT_GET_CLASS(X86CPUClass, (obj), TYPE_X86_CPU)

/* ---- properties ------------------------------------------------------------------------ */

static GVariant *get_feature(Object *obj, const Property *prop)
{
    const X86FeatureInfo *f = x86_feature_find(prop->name);

    return g_variant_new_boolean(X86_CPU(obj)->cpuid.features[f->word] >> f->bit & 1);
}

static bool set_feature(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    const X86FeatureInfo *f = x86_feature_find(prop->name);
    X86CPU *cpu = X86_CPU(obj);
    uint32_t bit = 1u << f->bit;

    if (g_variant_get_boolean(value)) {
        cpu->cpuid.features[f->word] |= bit;
        cpu->user_on[f->word] |= bit;
        cpu->user_off[f->word] &= ~bit;
    } else {
        cpu->cpuid.features[f->word] &= ~bit;
        cpu->user_off[f->word] |= bit;
        cpu->user_on[f->word] &= ~bit;
    }
    return true;
}

static GVariant *get_vendor(Object *obj, const Property *prop)
{
    return g_variant_new_string(X86_CPU(obj)->cpuid.vendor);
}

static bool set_vendor(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    const char *text = g_variant_get_string(value, NULL);

    if (strlen(text) != 12) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "property 'vendor': '%s' has %zu characters; 12 are expected (AuthenticAMD, "
                    "GenuineIntel)", text, strlen(text));
        return false;
    }
    g_strlcpy(X86_CPU(obj)->cpuid.vendor, text, 13);
    return true;
}

static GVariant *get_model_id(Object *obj, const Property *prop)
{
    g_autofree char *text = g_utf8_make_valid(X86_CPU(obj)->cpuid.model_id, -1);

    return g_variant_new_string(text);
}

static bool set_model_id(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    const char *text = g_variant_get_string(value, NULL);
    char *to = X86_CPU(obj)->cpuid.model_id;

    if (strlen(text) > 48) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "property 'model-id': '%s' has %zu characters; 48 at most are expected", text,
                    strlen(text));
        return false;
    }
    memset(to, 0, 49);
    memcpy(to, text, strlen(text));
    return true;
}

static GVariant *get_unavailable(Object *obj, const Property *prop)
{
    X86CPU *cpu = X86_CPU(obj);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_STRING_ARRAY);
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        if (cpu->unavailable[f->word] >> f->bit & 1) {
            g_variant_builder_add(&b, "s", f->name);
        }
    }
    return g_variant_builder_end(&b);
}

/* The words as CPUID has them: leaf, subleaf where there are any, register, bits. */
static GVariant *words_variant(const uint32_t words[FEAT_WORD_COUNT])
{
    static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    for (int word = 0; word < FEAT_WORD_COUNT; word++) {
        uint32_t leaf, subleaf;
        unsigned reg;

        if (!x86_feature_word_place(word, &leaf, &subleaf, &reg)) {
            continue;
        }
        g_variant_builder_open(&b, G_VARIANT_TYPE("a{sv}"));
        g_variant_builder_add(&b, "{sv}", "cpuid-register", g_variant_new_string(registers[reg]));
        g_variant_builder_add(&b, "{sv}", "cpuid-input-eax", g_variant_new_int64(leaf));
        if (leaf == 7 || leaf == 0xd) {
            g_variant_builder_add(&b, "{sv}", "cpuid-input-ecx", g_variant_new_int64(subleaf));
        }
        g_variant_builder_add(&b, "{sv}", "features", g_variant_new_int64(words[word]));
        g_variant_builder_close(&b);
    }
    return g_variant_builder_end(&b);
}

static GVariant *get_feature_words(Object *obj, const Property *prop)
{
    return words_variant(X86_CPU(obj)->cpuid.features);
}

static GVariant *get_filtered_features(Object *obj, const Property *prop)
{
    return words_variant(X86_CPU(obj)->unavailable);
}

/* A leaf that a user gives is the last, whatever the features need. */
static bool note_level(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    X86CPU *cpu = X86_CPU(obj);

    cpu->level_given |= g_str_equal(prop->name, "level");
    cpu->xlevel_given |= g_str_equal(prop->name, "xlevel");
    cpu->xlevel2_given |= g_str_equal(prop->name, "xlevel2");
    return true;
}

static const Property plain_properties[] = {
    DEFINE_PROP_CUSTOM("vendor", "s", get_vendor, set_vendor, PROP_CONFIG,
                       "vendor that CPUID reports, 12 characters"),
    DEFINE_PROP_CUSTOM("model-id", "s", get_model_id, set_model_id, PROP_CONFIG,
                       "name that CPUID reports, up to 48 characters"),
    DEFINE_PROP_UINT32("family", X86CPU, cpuid.family, 0, "processor family", .max = 270),
    DEFINE_PROP_UINT32("model", X86CPU, cpuid.model, 0, "processor model", .max = 255),
    DEFINE_PROP_UINT32("stepping", X86CPU, cpuid.stepping, 0, "processor stepping", .max = 15),
    DEFINE_PROP_UINT32("level", X86CPU, cpuid.level, 0, "last basic CPUID leaf",
                       .max = 0x3fffffff, .check = note_level),
    DEFINE_PROP_UINT32("xlevel", X86CPU, cpuid.xlevel, 0, "last extended CPUID leaf, or 0",
                       .check = note_level),
    DEFINE_PROP_UINT32("xlevel2", X86CPU, cpuid.xlevel2, 0,
                       "last leaf of VIA's range, or 0", .check = note_level),
    DEFINE_PROP_UINT32("phys-bits", X86CPU, cpuid.phys_bits, 0,
                       "width of physical addresses; 0: 40, or 36 without long mode", .max = 52),
    DEFINE_PROP_BOOL("host-phys-bits", X86CPU, host_phys_bits, false,
                     "take the width of physical addresses from the host"),
    DEFINE_PROP_SIZE("tsc-frequency", X86CPU, tsc_frequency, 0,
                     "of the time-stamp counter, in Hz; 0: the host's",
                     .max = 1000000000000ll),
    DEFINE_PROP_UINT32("apic-id", X86CPU, apic_id, X86_APIC_ID_UNSET,
                       "APIC ID; unless given that of the place"),
    DEFINE_PROP_INT64("socket-id", X86CPU, place.socket_id, -1, "socket it is plugged into",
                      .min = -1, .max = INT32_MAX),
    DEFINE_PROP_INT64("die-id", X86CPU, place.die_id, -1, "die in the socket", .min = -1,
                      .max = INT32_MAX),
    DEFINE_PROP_INT64("core-id", X86CPU, place.core_id, -1, "core in the die", .min = -1,
                      .max = INT32_MAX),
    DEFINE_PROP_INT64("thread-id", X86CPU, place.thread_id, -1, "thread of the core", .min = -1,
                      .max = INT32_MAX),
    DEFINE_PROP_INT64("node-id", X86CPU, place.node_id, -1, "NUMA node; that of the slot",
                      .min = -1, .max = INT32_MAX),
    DEFINE_PROP_BOOL("check", X86CPU, check, true, "warn about features that are not to be had"),
    DEFINE_PROP_BOOL("enforce", X86CPU, enforce, false,
                     "refuse to start when a feature is not to be had"),
    DEFINE_PROP_UINT32("min-level", X86CPU, min_level, 0, "least that level may come to"),
    DEFINE_PROP_UINT32("min-xlevel", X86CPU, min_xlevel, 0, "least that xlevel may come to"),
    DEFINE_PROP_UINT32("min-xlevel2", X86CPU, min_xlevel2, 0, "least that xlevel2 may come to"),
    DEFINE_PROP_BOOL("full-cpuid-auto-level", X86CPU, auto_level, true,
                     "raise level and xlevel to what the features need"),
    DEFINE_PROP_BOOL("l3-cache", X86CPU, cpuid.l3_cache, true,
                     "show a third-level cache that the cores of a socket share"),
    DEFINE_PROP_BOOL("cpuid-0xb", X86CPU, cpuid.topology_leaf, true, "topology in leaf 0BH"),
    DEFINE_PROP_UINT64("ucode-rev", X86CPU, ucode_rev, 0,
                       "revision of microcode in MSR 8BH; 0: one that fits the vendor"),
    DEFINE_PROP_UINT8("host-phys-bits-limit", X86CPU, host_phys_bits_limit, 0,
                      "most that host-phys-bits gives; 0: no limit", .max = 52),
    DEFINE_PROP_BOOL("migratable", X86CPU, migratable, true, "accepted: nothing depends on it"),
    DEFINE_PROP_BOOL("legacy-cache", X86CPU, legacy_cache, true,
                     "accepted: caches are those of leaf 4"),
    DEFINE_PROP_BOOL("kvm", X86CPU, expose_kvm, true, "show KVM's paravirtual leaves under KVM"),
    DEFINE_PROP_CUSTOM("unavailable-features", "as", get_unavailable, NULL, PROP_TELEMETRY,
                       "features that were asked for and are not to be had"),
    DEFINE_PROP_CUSTOM("feature-words", "aa{sv}", get_feature_words, NULL, PROP_TELEMETRY,
                       "words of feature bits in effect, by CPUID leaf"),
    DEFINE_PROP_CUSTOM("filtered-features", "aa{sv}", get_filtered_features, NULL, PROP_TELEMETRY,
                       "words of feature bits that are not to be had"),
};

/* A name that others know: off it may be. */
static GVariant *get_absent(Object *obj, const Property *prop)
{
    return g_variant_new_boolean(false);
}

static bool set_absent(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    bool hyperv = g_str_has_prefix(prop->name, "hv-");

    if (g_variant_get_boolean(value)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "CPU feature '%s' is not offered%s",
                    prop->name, hyperv ? ": there are no Hyper-V enlightenments" : "");
        return false;
    }
    return true;
}

static Property feature_property(const X86FeatureInfo *f, const char *name, bool hidden)
{
    return (Property)DEFINE_PROP_CUSTOM(name, "b", get_feature, set_feature,
                                        hidden ? PROP_INTERNAL : PROP_CONFIG, f->doc);
}

/* "lahf_lm": older spelling of "lahf-lm".  The name lives as long as the class. */
static void append_underscored(GArray *all, const X86FeatureInfo *f, const char *name)
{
    if (strchr(name, '-')) {
        Property p = feature_property(f, g_strdelimit(g_strdup(name), "-", '_'), true);

        g_array_append_val(all, p);
    }
}

/* Made once; the class keeps it. */
static const Property *make_properties(void)
{
    GArray *all = g_array_new(TRUE, TRUE, sizeof(Property));

    g_array_append_vals(all, plain_properties, G_N_ELEMENTS(plain_properties));
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];
        Property p = feature_property(f, f->name, false);

        g_array_append_val(all, p);
        append_underscored(all, f, f->name);
        if (f->alias) {
            p = feature_property(f, f->alias, true);
            g_array_append_val(all, p);
            append_underscored(all, f, f->alias);
        }
    }
    /* The names live as long as the class, the list of them does not. */
    g_autofree char **absent = x86_absent_features();
    for (char **name = absent; *name; name++) {
        Property p = DEFINE_PROP_CUSTOM(*name, "b", get_absent, set_absent, PROP_INTERNAL,
                                        "not offered");

        g_array_append_val(all, p);
    }
    return (const Property *)g_array_free(all, FALSE);
}

/* ---- -cpu MODEL,features ------------------------------------------------------------------- */

static bool register_feature(ObjectClass *klass, const char *name, const char *value,
                             GError **error)
{
    g_autofree char *canonical = g_strdelimit(g_strdup(name), "_", '-');
    const Property *prop = object_class_find_property(klass, canonical);

    if (!prop) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PROPERTY,
                    "-cpu: '%s' is neither a feature nor a property of a CPU; -cpu help lists them",
                    name);
        return false;
    }
    object_register_global(object_class_get_name(klass), prop->name, value);
    return true;
}

/* tsc-freq=2.5G: tsc-frequency with suffixes that are powers of 1000. */
static bool register_tsc_freq(ObjectClass *klass, const char *value, GError **error)
{
    static const char suffixes[] = "kMGT";
    char *end;
    double hz = g_ascii_strtod(value, &end);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;

    for (const char *s = suffixes; suffix && s <= suffix; s++) {
        hz *= 1000;
    }
    if (end == value || (*end && (!suffix || end[1])) || !(hz >= 0 && hz <= 1e12)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "-cpu: tsc-freq=%s: expected Hz, with k, M or G behind it if wanted", value);
        return false;
    }
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, (uint64_t)hz);
    return register_feature(klass, "tsc-frequency", number, error);
}

static bool parse_one(ObjectClass *klass, const char *item, GError **error)
{
    const char *equals = strchr(item, '=');

    if (*item == '+' || *item == '-') {
        return register_feature(klass, item + 1, *item == '+' ? "on" : "off", error);
    }
    if (g_str_has_prefix(item, "tsc-freq=")) {
        return register_tsc_freq(klass, equals + 1, error);
    }
    if (equals) {
        g_autofree char *name = g_strndup(item, equals - item);
        return register_feature(klass, name, equals + 1, error);
    }
    return register_feature(klass, item, "on", error);
}

/* "-name" wins over "+name" and that over "name=value", in whatever order they stand. */
static bool parse_kind(ObjectClass *klass, char **items, char sign, GError **error)
{
    for (char **item = items; *item; item++) {
        char own = **item == '+' || **item == '-' ? **item : 0;

        if (**item && own == sign && !parse_one(klass, *item, error)) {
            return false;
        }
    }
    return true;
}

static bool x86_cpu_parse_features(CPUClass *cc, const char *features, GError **error)
{
    g_auto(GStrv) items = g_strsplit(features, ",", -1);

    return parse_kind(OBJECT_CLASS(cc), items, 0, error) &&
           parse_kind(OBJECT_CLASS(cc), items, '+', error) &&
           parse_kind(OBJECT_CLASS(cc), items, '-', error);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the form that scripts read: "x86 NAME  what it is". */
static void append_models(GString *out)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < x86_nr_cpu_models; i++) {
        const X86CPUModel *m = &x86_cpu_models[i];

        g_ptr_array_add(lines, g_strdup_printf("x86 %-20s  %s%s%s", m->name,
                                               m->model_id ? m->model_id : "",
                                               m->model_id && m->note ? " " : "",
                                               m->note ? m->note : ""));
    }
    for (size_t i = 0; i < x86_nr_cpu_aliases; i++) {
        const X86CPUAlias *a = &x86_cpu_aliases[i];

        g_ptr_array_add(lines, g_strdup_printf("x86 %-20s  (alias of %s)", a->name, a->model));
    }
    g_ptr_array_sort(lines, compare_lines);
    for (guint i = 0; i < lines->len; i++) {
        g_string_append_printf(out, "%s\n", (char *)g_ptr_array_index(lines, i));
    }
}

static void x86_cpu_list_models(GString *out)
{
    g_string_append(out, "Available CPUs:\n");
    append_models(out);
    g_string_append(out, "\nRecognized CPUID flags (+NAME, -NAME, NAME=on, NAME=off):\n");
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        g_string_append_printf(out, "  %-20s %-20s %s\n", f->name,
                               x86_feature_word_name(f->word), f->doc);
    }
    g_string_append(out, "\nProperties:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(plain_properties); i++) {
        g_string_append_printf(out, "  %-20s %s\n", plain_properties[i].name,
                               plain_properties[i].doc);
    }
}

/* ---- features in effect ------------------------------------------------------------------------ */

static char *feature_names(const uint32_t words[FEAT_WORD_COUNT])
{
    GString *names = g_string_new(NULL);

    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        if (words[f->word] >> f->bit & 1) {
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", f->name);
        }
    }
    return g_string_free(names, FALSE);
}

/* Features that make no sense without others (SDM vol. 1, 13.3 and 14.3 ff.). */
static const struct {
    uint32_t feature, needs;
} dependencies[] = {
    {X86_FEATURE(FEAT_1_ECX, 28), X86_FEATURE(FEAT_1_ECX, 26)},   /* avx: xsave */
    {X86_FEATURE(FEAT_1_ECX, 12), X86_FEATURE(FEAT_1_ECX, 28)},   /* fma: avx */
    {X86_FEATURE(FEAT_1_ECX, 29), X86_FEATURE(FEAT_1_ECX, 28)},   /* f16c: avx */
    {X86_FEATURE(FEAT_7_0_EBX, 5), X86_FEATURE(FEAT_1_ECX, 28)},  /* avx2: avx */
    {X86_FEATURE(FEAT_7_0_ECX, 9), X86_FEATURE(FEAT_1_ECX, 28)},  /* vaes: avx */
    {X86_FEATURE(FEAT_7_0_ECX, 10), X86_FEATURE(FEAT_1_ECX, 28)}, /* vpclmulqdq: avx */
    {X86_FEATURE(FEAT_7_1_EAX, 4), X86_FEATURE(FEAT_7_0_EBX, 5)}, /* avx-vnni: avx2 */
    {X86_FEATURE(FEAT_7_0_EBX, 16), X86_FEATURE(FEAT_7_0_EBX, 5)}, /* avx512f: avx2 */
    {X86_FEATURE(FEAT_7_0_EBX, 17), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EBX, 21), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EBX, 28), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EBX, 30), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EBX, 31), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_ECX, 1), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_ECX, 6), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_ECX, 11), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_ECX, 12), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_ECX, 14), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EDX, 8), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_7_0_EDX, 23), X86_FEATURE(FEAT_7_0_EBX, 30)},
    {X86_FEATURE(FEAT_7_1_EAX, 5), X86_FEATURE(FEAT_7_0_EBX, 16)},
    {X86_FEATURE(FEAT_D_1_EAX, 0), X86_FEATURE(FEAT_1_ECX, 26)},
    {X86_FEATURE(FEAT_D_1_EAX, 1), X86_FEATURE(FEAT_1_ECX, 26)},
    {X86_FEATURE(FEAT_D_1_EAX, 2), X86_FEATURE(FEAT_1_ECX, 26)},
    {X86_FEATURE(FEAT_7_0_EBX, 10), X86_FEATURE(FEAT_1_ECX, 17)}, /* invpcid: pcid */
    {X86_FEATURE(FEAT_D_1_EAX, 3), X86_FEATURE(FEAT_D_1_EAX, 1)}, /* xsaves: xsavec */
    {X86_FEATURE(FEAT_7_0_ECX, 3), X86_FEATURE(FEAT_1_ECX, 26)},
};

static void drop_orphans(X86CPUIDConfig *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dependencies); i++) {
        uint32_t f = dependencies[i].feature - 1;

        if (!x86_cpuid_has(c, dependencies[i].needs)) {
            c->features[f / 32] &= ~(1u << f % 32);
        }
    }
}

static void settle_xcr0(X86CPUIDConfig *c)
{
    uint64_t host = x86_xsave_host_mask();

    c->xcr0_supported = 0;
    if (!x86_cpuid_has(c, X86_FEATURE(FEAT_1_ECX, 26))) {
        return;
    }
    c->xcr0_supported = XSTATE_FP | XSTATE_SSE;
    c->xcr0_supported |= x86_cpuid_has(c, X86_FEATURE(FEAT_1_ECX, 28)) ? XSTATE_AVX : 0;
    c->xcr0_supported |= x86_cpuid_has(c, X86_FEATURE(FEAT_7_0_EBX, 16)) ? XSTATE_AVX512 : 0;
    c->xcr0_supported |= x86_cpuid_has(c, X86_FEATURE(FEAT_7_0_ECX, 3)) ? XSTATE_PKRU : 0;
    c->xcr0_supported &= host;
}

static void raise_to(uint32_t *level, uint32_t need)
{
    *level = MAX(*level, need);
}

/* Leaves that hold a feature that was asked for must be there to be read. */
static void settle_levels(X86CPU *cpu, const uint32_t asked[FEAT_WORD_COUNT])
{
    static const struct {
        uint8_t word;
        uint32_t leaf;
    } rows[] = {
        {FEAT_7_0_EBX, 7},
        {FEAT_7_0_ECX, 7},
        {FEAT_7_0_EDX, 7},
        {FEAT_7_1_EAX, 7},
        {FEAT_D_1_EAX, 0xd},
        {FEAT_6_EAX, 6},
        {FEAT_80000001_EDX, 0x80000001},
        {FEAT_80000001_ECX, 0x80000001},
        {FEAT_80000007_EDX, 0x80000007},
        {FEAT_80000008_EBX, 0x80000008},
        {FEAT_8000000A_EDX, 0x8000000a},
        {FEAT_C0000001_EDX, 0xc0000001},
    };
    X86CPUIDConfig *c = &cpu->cpuid;
    const SMPConfig *smp = &CPU(cpu)->machine->smp;

    uint32_t level = MAX(c->level, cpu->min_level), xlevel = MAX(c->xlevel, cpu->min_xlevel);
    uint32_t xlevel2 = MAX(c->xlevel2, cpu->min_xlevel2);

    for (size_t i = 0; cpu->auto_level && i < G_N_ELEMENTS(rows); i++) {
        if (asked[rows[i].word]) {
            raise_to(rows[i].leaf < 0x80000000   ? &level
                     : rows[i].leaf < 0xc0000000 ? &xlevel
                                                 : &xlevel2,
                     rows[i].leaf);
        }
    }
    if (cpu->auto_level && asked[FEAT_80000001_ECX] & SVM) {
        raise_to(&xlevel, 0x8000000a);
    }
    if (cpu->auto_level && x86_cpuid_has(c, X86_FEATURE(FEAT_80000001_ECX, 22))) {
        raise_to(&xlevel, 0x8000001e); /* topoext */
    }
    if (cpu->auto_level && smp->dies > 1 && strcmp(c->vendor, "GenuineIntel") == 0) {
        raise_to(&level, 0x1f);
    }
    c->level = cpu->level_given ? c->level : level;
    c->xlevel = cpu->xlevel_given ? c->xlevel : xlevel;
    c->xlevel2 = cpu->xlevel2_given ? c->xlevel2 : xlevel2;
}

/* One line a feature, with its place in CPUID: what tools that start guests look for. */
static void warn_unavailable(const X86CPU *cpu, const char *accelerator)
{
    for (size_t i = 0; i < x86_nr_features; i++) {
        const X86FeatureInfo *f = &x86_features[i];

        if (cpu->unavailable[f->word] >> f->bit & 1) {
            log_printf("warning: %s doesn't support requested feature: %s.%s [bit %u]\n", accelerator,
                       x86_feature_word_name(f->word), f->name, f->bit);
        }
    }
}

static bool report_unavailable(X86CPU *cpu, const char *accelerator, GError **error)
{
    g_autofree char *names = feature_names(cpu->unavailable);

    if (!*names) {
        return true;
    }
    /* Once for the machine, not once for each CPU. */
    if ((cpu->check || cpu->enforce) && CPU(cpu)->cpu_index == 0) {
        warn_unavailable(cpu, accelerator);
    }
    if (cpu->enforce) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "%s doesn't support requested features: %s", accelerator, names);
        return false;
    }
    return true;
}

bool x86_cpu_settle_features(X86CPU *cpu, const char *accelerator,
                             const uint32_t supported[FEAT_WORD_COUNT],
                             const uint32_t max[FEAT_WORD_COUNT], GError **error)
{
    const X86CPUModel *model = X86_CPU_GET_CLASS(cpu)->model;
    X86CPUIDConfig *c = &cpu->cpuid;
    uint32_t asked[FEAT_WORD_COUNT];
    bool intel = strcmp(c->vendor, "GenuineIntel") == 0;

    for (int i = 0; i < FEAT_WORD_COUNT; i++) {
        /* "max" asks for nothing in particular: only what the user named is missed. */
        if (model && model->maximal) {
            c->features[i] = (max[i] & ~cpu->user_off[i]) | cpu->user_on[i];
        }
        if (i == FEAT_80000001_ECX && intel) {
            c->features[i] &= ~TOPOEXT | cpu->user_on[i]; /* AMD's */
        }
        asked[i] = c->features[i];
        cpu->unavailable[i] = c->features[i] & ~supported[i];
        c->features[i] &= supported[i];
    }
    drop_orphans(c);
    settle_xcr0(c);
    settle_levels(cpu, asked);
    cpu->features_settled = true;
    return report_unavailable(cpu, accelerator, error);
}

static bool settle_by_default(X86CPU *cpu, GError **error)
{
    uint32_t supported[FEAT_WORD_COUNT], max[FEAT_WORD_COUNT];

    x86_features_tcg(supported);
    x86_features_tcg_max(max);
    return x86_cpu_settle_features(cpu, "TCG", supported, max, error);
}

bool x86_cpu_expand(X86CPU *cpu, MachineState *machine, GError **error)
{
    const AccelCPUClass *acc = CPU_GET_CLASS(cpu)->accel_cpu;

    CPU(cpu)->machine = machine;
    cpu->check = cpu->enforce = false;
    return acc && acc->cpu_settle ? acc->cpu_settle(CPU(cpu), error)
                                  : settle_by_default(cpu, error);
}

/* ---- realize --------------------------------------------------------------------------------------- */

static uint32_t host_phys_bits(const X86CPU *cpu)
{
    uint32_t eax, ebx, ecx, edx, bits;

    x86_host_cpuid(0x80000008, 0, &eax, &ebx, &ecx, &edx);
    bits = eax & 0xff ? eax & 0xff : 36;
    return cpu->host_phys_bits_limit ? MIN(bits, cpu->host_phys_bits_limit) : bits;
}

static void settle_widths(X86CPU *cpu)
{
    X86CPUIDConfig *c = &cpu->cpuid;
    bool lm = x86_cpuid_has(c, X86_FEATURE(FEAT_80000001_EDX, 29));

    if (cpu->host_phys_bits) {
        c->phys_bits = host_phys_bits(cpu);
    } else if (!c->phys_bits) {
        c->phys_bits = lm ? 40 : 36;
    }
    c->linear_bits = x86_cpuid_has(c, X86_FEATURE(FEAT_7_0_ECX, 16)) ? 57 : lm ? 48 : 32;
}

static bool check_phys_bits(const X86CPUIDConfig *c, GError **error)
{
    if (c->phys_bits && c->phys_bits < 32) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "phys-bits should be between 32 and 52  (but is %u)", c->phys_bits);
        return false;
    }
    return true;
}

static void settle_topology(X86CPU *cpu)
{
    const SMPConfig *smp = &CPU(cpu)->machine->smp;

    cpu->cpuid.apic_id = cpu->apic_id;
    cpu->cpuid.nr_threads = MAX(smp->threads, 1);
    cpu->cpuid.nr_cores = MAX(smp->cores, 1);
    cpu->cpuid.nr_dies = MAX(smp->dies, 1);
}

static bool is_bootstrap(X86CPU *cpu)
{
    return CPU(cpu)->cpu_index == 0;
}

/* The TSCs of all CPUs count from 0 at the reset of the first; one that is added later joins in. */
static void x86_cpu_reset_enter(DeviceState *dev, ResetType type)
{
    X86CPU *cpu = X86_CPU(dev);

    if (is_bootstrap(cpu)) {
        cpu->tsc_base = -x86_cpu_tsc_ticks(&cpu->env);
    }
}

static uint64_t machine_tsc_base(X86CPU *cpu)
{
    CPUState *first = machine_get_cpu(CPU(cpu)->machine, 0);

    return first ? X86_CPU(first)->tsc_base : 0;
}

/* The CPU is stopped, so its TLB may be touched from here. */
static void x86_cpu_reset_hold(DeviceState *dev)
{
    X86CPU *cpu = X86_CPU(dev);
    CPUState *cs = CPU(dev);
    CPUX86State *env = &cpu->env;

    x86_cpu_reset_state(env, false);
    env->tsc_offset = machine_tsc_base(cpu);
    env->wait_for_sipi = !is_bootstrap(cpu);
    atomic_store(&cs->halted, env->wait_for_sipi);
    atomic_store(&cs->interrupt_request, 0);
    x86_set_smm(env, false);
}

/* Its thread has ended: no more messages for it. */
static void drop_apic(void *opaque)
{
    X86CPU *cpu = opaque;

    if (cpu->apic && qdev_is_realized(DEVICE(cpu->apic))) {
        qdev_unrealize(DEVICE(cpu->apic));
    }
    if (cpu->apic && cpu->apic->parent == OBJECT(cpu)) {
        object_unparent(g_steal_pointer(&cpu->apic)); /* it holds a reference to us */
    }
}

/* V1: the list; V2: the accelerator's part; V3: the thread. */
static bool x86_cpu_realizefn(DeviceState *dev, GError **error)
{
    CPUState *cs = CPU(dev);
    X86CPU *cpu = X86_CPU(dev);

    qdev_init_gpio_out_named(dev, &cpu->ferr, X86_CPU_FERR, 1);

    if (!check_phys_bits(&cpu->cpuid, error) || !cpu_exec_realizefn(cs, error)) {
        return false;
    }
    if (!cpu->features_settled && !settle_by_default(cpu, error)) {
        return false;
    }
    if (cpu->apic_id == X86_APIC_ID_UNSET) {
        cpu->apic_id = (uint32_t)cs->cpu_index; /* a machine without slots */
    }
    qdev_on_unrealize(dev, drop_apic, cpu);
    settle_widths(cpu);
    settle_topology(cpu);
    x86_cpu_reset_enter(dev, RESET_COLD);
    x86_cpu_reset_hold(dev);
    if (!vmm_init_vcpu(cs, error)) {
        return false;
    }
    cpu_plugged(cs);
    return true;
}

/* ---- reset and execution hooks ----------------------------------------------------------------------- */

static bool x86_cpu_has_work(CPUState *cs)
{
    const CPUX86State *env = cpu_env(cs);
    uint32_t request = atomic_load(&cs->interrupt_request);

    if ((request & CPU_INTERRUPT_SIPI) ||
        ((request & CPU_INTERRUPT_INIT) && x86_init_deliverable(env))) {
        return true;
    }
    if (env->wait_for_sipi) {
        return false;
    }
    return (request & CPU_INTERRUPT_MCE) ||
           ((request & CPU_INTERRUPT_SMI) && x86_smi_deliverable(env)) ||
           ((request & CPU_INTERRUPT_NMI) && !env->nmi_blocked) ||
           ((request & CPU_INTERRUPT_HARD) && (env->rflags & IF_MASK));
}

static uint64_t x86_cpu_get_pc(CPUState *cs)
{
    return cpu_env(cs)->segs[R_CS].base + cpu_env(cs)->rip;
}

static void x86_cpu_set_pc(CPUState *cs, uint64_t pc)
{
    cpu_env(cs)->rip = pc - cpu_env(cs)->segs[R_CS].base;
}

/* ---- dump ----------------------------------------------------------------------------------------------- */

static void dump_segment(GString *out, const char *name, const SegmentCache *s)
{
    g_string_append_printf(out, "%-3s %04x %016" PRIx64 " %08x %08x\n", name, s->selector, s->base,
                           s->limit, s->flags);
}

static void dump_general(const CPUX86State *env, GString *out)
{
    static const char names[16][4] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                      "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};

    for (int i = 0; i < 16; i++) {
        g_string_append_printf(out, "%s=%016" PRIx64 "%c", names[i], env->regs[i],
                               i % 4 == 3 ? '\n' : ' ');
    }
    g_string_append_printf(out, "RIP=%016" PRIx64 " RFL=%08" PRIx64 " CPL=%u HF=%08x SHADOW=%u\n",
                           env->rip, env->rflags, env->hflags & HF_CPL_MASK, env->hflags,
                           env->shadow);
}

static void dump_system(const CPUX86State *env, GString *out)
{
    g_string_append_printf(out, "GDT %016" PRIx64 " %08x\nIDT %016" PRIx64 " %08x\n",
                           env->gdt.base, env->gdt.limit, env->idt.base, env->idt.limit);
    g_string_append_printf(out,
                           "CR0=%08" PRIx64 " CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08" PRIx64
                           " EFER=%" PRIx64 " XCR0=%" PRIx64 "\n",
                           env->cr0, env->cr2, env->cr3, env->cr4, env->efer, env->xcr0);
    g_string_append_printf(out,
                           "DR0=%016" PRIx64 " DR1=%016" PRIx64 " DR2=%016" PRIx64 " DR3=%016" PRIx64
                           " DR6=%08" PRIx64 " DR7=%08" PRIx64 "\n",
                           env->dr[0], env->dr[1], env->dr[2], env->dr[3], env->dr[6],
                           env->dr[7]);
}

void x86_cpu_dump_state(CPUState *cs, GString *out)
{
    static const char names[R_SEG_COUNT][3] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    const CPUX86State *env = cpu_env(cs);

    dump_general(env, out);
    for (int i = 0; i < R_SEG_COUNT; i++) {
        dump_segment(out, names[i], &env->segs[i]);
    }
    dump_segment(out, "LDT", &env->ldt);
    dump_segment(out, "TR", &env->tr);
    dump_system(env, out);
}

/* ---- types -------------------------------------------------------------------------------------------------- */

static void x86_cpu_instance_init(Object *obj)
{
    X86CPU *cpu = X86_CPU(obj);
    const X86CPUModel *model = X86_CPU_GET_CLASS(obj)->model;

    if (model) {
        x86_cpu_model_apply(model, &cpu->cpuid);
    }
    cpu->env.a20_mask = UINT64_MAX;
    cpu->env.exception_index = -1;
    cpu->env.old_exception = -1;
    accel_cpu_instance_init(CPU(obj));
}

static void x86_cpu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    CPUClass *cc = CPU_CLASS(klass);

    object_class_set_properties(klass, make_properties());
    dc->realize = x86_cpu_realizefn;
    dc->reset_enter = x86_cpu_reset_enter;
    dc->reset_hold = x86_cpu_reset_hold;
    dc->user_creatable = false;
    dc->category = DEVICE_CATEGORY_CPU;
    cc->parse_features = x86_cpu_parse_features;
    cc->list_models = x86_cpu_list_models;
    cc->has_work = x86_cpu_has_work;
    cc->dump_state = x86_cpu_dump_state;
    cc->get_pc = x86_cpu_get_pc;
    cc->set_pc = x86_cpu_set_pc;
}

static void x86_cpu_model_class_init(ObjectClass *klass, const void *data)
{
    X86CPUClass *xc = OBJECT_CLASS_CHECK(X86CPUClass, klass, TYPE_X86_CPU);

    xc->model = data;
    DEVICE_CLASS(klass)->user_creatable = true;
    klass->doc = xc->model->model_id ? xc->model->model_id : xc->model->note;
}

static const TypeInfo x86_cpu_type = {
    .name = TYPE_X86_CPU,
    .parent = TYPE_CPU,
    .instance_size = sizeof(X86CPU),
    .instance_align = 64,
    .instance_init = x86_cpu_instance_init,
    .abstract = true,
    .class_size = sizeof(X86CPUClass),
    .class_init = x86_cpu_class_init,
    .doc = "an x86 CPU",
};

/* The registry keeps the pointers, so each model's TypeInfo and name live on. */
static void register_model(const X86CPUModel *model, const char *name)
{
    TypeInfo *info = g_new0(TypeInfo, 1);

    info->name = g_strdup_printf("%s-%s", name, TYPE_X86_CPU);
    info->parent = TYPE_X86_CPU;
    info->class_init = x86_cpu_model_class_init;
    info->class_data = model;
    info->doc = model->model_id ? model->model_id : model->note;
    type_register_static(info);
}

static void x86_cpu_register_types(void)
{
    type_register_static(&x86_cpu_type);
    for (size_t i = 0; i < x86_nr_cpu_models; i++) {
        register_model(&x86_cpu_models[i], x86_cpu_models[i].name);
    }
    for (size_t i = 0; i < x86_nr_cpu_aliases; i++) {
        register_model(x86_cpu_model_find(x86_cpu_aliases[i].model), x86_cpu_aliases[i].name);
    }
}
type_init(x86_cpu_register_types)
