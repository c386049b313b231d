/* SPDX-License-Identifier: MIT
 *
 * The object model: types, interfaces, properties, the tree.
 */
#include "qom/object.h"

typedef struct Animal {
    Object parent_obj;
    bool tame;
    uint8_t legs;
    uint64_t mass;
    int32_t mood;
    char *call;
    int diet;
    Object *friend;
    uint32_t flags;
    uint8_t mac[6];
} Animal;
#define ANIMAL(obj) OBJECT_CHECK(Animal, obj, "test-animal")

typedef struct Swimmer {
    InterfaceClass parent_class;
    int (*depth)(void);
} Swimmer;

static const EnumInfo diet_enum = {"Diet", (const char *const[]){"plants", "meat", "both", NULL}};
static int finalized;

static bool check_call(Object *obj, const Property *prop, GVariant *value, GError **error)
{
    (void)obj;
    (void)prop;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
        !*g_variant_get_string(value, NULL)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "must not be empty");
        return false;
    }
    return true;
}

static GVariant *get_weight(Object *obj, const Property *prop)
{
    (void)prop;
    return g_variant_new_uint64(ANIMAL(obj)->mass * 10);
}

static const Property animal_props[] = {
    DEFINE_PROP_BOOL("tame", Animal, tame, true, "Whether it may be stroked"),
    DEFINE_PROP_UINT8("legs", Animal, legs, 4, "Number of legs", .min = 2, .max = 100),
    DEFINE_PROP_SIZE("mass", Animal, mass, 1024, "Mass"),
    DEFINE_PROP_INT32("mood", Animal, mood, -1, "Mood", .min = (uint64_t)-5, .max = 5,
                      .kind = PROP_RUNTIME),
    DEFINE_PROP_STRING("call", Animal, call, "moo", "What it says", .check = check_call),
    DEFINE_PROP_ENUM("diet", Animal, diet, &diet_enum, 2, "What it eats"),
    DEFINE_PROP_LINK("friend", Animal, friend, "test-animal", "Whom it likes"),
    DEFINE_PROP_BIT32("fast", Animal, flags, 3, true, "Speed"),
    DEFINE_PROP_MACADDR("mac", Animal, mac, "Address"),
    DEFINE_PROP_CUSTOM("weight", "t", get_weight, NULL, PROP_TELEMETRY, "Weight"),
    DEFINE_PROP_END,
};

static void animal_finalize(Object *obj)
{
    (void)obj;
    finalized++;
}

static int fish_depth(void)
{
    return 7;
}

static void fish_class_init(ObjectClass *klass, const void *data)
{
    Swimmer *s = (Swimmer *)object_class_dynamic_cast(klass, "test-swimmer");

    (void)data;
    s->depth = fish_depth;
}

static const TypeInfo types[] = {
    /* On purpose: descendants before ancestors. */
    {.name = "test-trout", .parent = "test-fish"},
    {.name = "test-fish",
     .parent = "test-animal",
     .class_init = fish_class_init,
     .interfaces = (const InterfaceInfo[]){{"test-swimmer"}, {NULL}}},
    {.name = "test-animal",
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(Animal),
     .instance_align = 64,
     .instance_finalize = animal_finalize,
     .properties = animal_props},
    {.name = "test-swimmer",
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(Swimmer),
     .abstract = true},
    {.name = "test-orphan", .parent = "test-nobody"},
};
DEFINE_TYPES(types)

static void test_types(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) trout = object_new("test-trout", NULL);

    g_assert_cmpuint((uintptr_t)trout % 64, ==, 0);
    g_assert_nonnull(object_dynamic_cast(trout, "test-animal"));
    g_assert_nonnull(object_dynamic_cast(trout, "test-swimmer"));
    Swimmer *s = (Swimmer *)object_class_cast(object_get_class(trout), "test-swimmer");
    g_assert_cmpint(s->depth(), ==, 7);
    g_assert_true(s->parent_class.concrete_class == object_get_class(trout));
    g_assert_null(object_dynamic_cast(trout, TYPE_USER_CREATABLE));

    g_assert_null(object_new("test-unknown", &error));
    g_assert_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE);
    g_clear_error(&error);
    g_assert_null(object_new("test-swimmer", &error));
    g_assert_nonnull(strstr(error->message, "abstract"));
    g_clear_error(&error);
    g_assert_null(object_new("test-orphan", &error));
    g_assert_nonnull(strstr(error->message, "test-nobody"));
}

static void expect_bad(Object *obj, const char *name, const char *text, const char *why)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(object_property_parse(obj, name, text, &error));
    if (!strstr(error->message, why)) {
        g_error("%s=%s: '%s' does not say '%s'", name, text, error->message, why);
    }
}

static void test_properties(void)
{
    g_autoptr(Object) obj = object_new("test-animal", NULL);
    Animal *a = ANIMAL(obj);

    g_assert_true(a->tame && a->legs == 4 && a->mass == 1024 && a->mood == -1 && a->diet == 2);
    g_assert_cmpstr(a->call, ==, "moo");
    g_assert_cmpuint(a->flags, ==, 8);

    g_assert_true(object_property_parse(obj, "tame", "off", NULL) && !a->tame);
    g_assert_true(object_property_parse(obj, "legs", "0x10", NULL) && a->legs == 16);
    g_assert_true(object_property_parse(obj, "mass", "1.5G", NULL) && a->mass == 3ull << 29);
    g_assert_true(object_property_parse(obj, "mood", "-5", NULL) && a->mood == -5);
    g_assert_true(object_property_parse(obj, "diet", "meat", NULL) && a->diet == 1);
    g_assert_true(object_property_parse(obj, "fast", "off", NULL) && a->flags == 0);
    g_assert_true(object_property_parse(obj, "mac", "52:54:00:aB:34:56", NULL) && a->mac[3] == 171);
    g_assert_true(object_property_set_uint(obj, "legs", 8, NULL) && a->legs == 8);
    g_assert_cmpuint(object_property_get_uint(obj, "weight", NULL), ==, (3ull << 29) * 10);

    expect_bad(obj, "tame", "maybe", "'on' or 'off'");
    expect_bad(obj, "legs", "1", "out of range: from 2 to 100");
    expect_bad(obj, "legs", "-1", "-1 is out of range");
    expect_bad(obj, "legs", "4x", "not a whole number");
    expect_bad(obj, "legs", "99999999999999999999", "not a whole number");
    expect_bad(obj, "mass", "12Q", "not a size");
    expect_bad(obj, "mass", "-1", "not a size");
    expect_bad(obj, "mass", "16E", "more than 64 bits");
    expect_bad(obj, "mood", "6", "from -5 to 5");
    expect_bad(obj, "call", "", "must not be empty");
    expect_bad(obj, "diet", "air", "'plants', 'meat', 'both'");
    expect_bad(obj, "mac", "52:54:00:12:34", "six bytes");
    expect_bad(obj, "mac", "52:54:00:12:34:56:", "six bytes");
    expect_bad(obj, "weight", "1", "read-only");
    expect_bad(obj, "wings", "2", "'test-animal.wings' not found");
    expect_bad(obj, "friend", "/nowhere", "nothing is called");
    g_assert_true(a->legs == 8 && a->mood == -5);
}

static void test_tree(void)
{
    g_autoptr(GError) error = NULL;
    Object *root = object_new(TYPE_CONTAINER, NULL);
    Object *zoo = container_get(root, "/zoo/inner");
    Object *a = object_new_child(zoo, "cow[*]", "test-animal", NULL);
    Object *b = object_new_child(zoo, "cow[*]", "test-animal", NULL);
    bool ambiguous;

    g_autofree char *path = object_get_path(b);
    g_assert_cmpstr(path, ==, "/zoo/inner/cow[1]");
    g_assert_true(object_resolve_path(a, path, NULL) == b);
    g_assert_true(object_resolve_path(a, "cow[0]", NULL) == a);
    g_assert_null(object_resolve_path(a, "cow[2]", &ambiguous));
    g_assert_false(ambiguous);
    g_assert_null(object_resolve_path_type(root, "test-animal", &ambiguous));
    g_assert_true(ambiguous);
    g_assert_null(object_new_child(zoo, "cow[0]", "test-animal", &error));
    g_assert_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH);

    g_assert_true(object_property_parse(a, "friend", "cow[1]", NULL));
    g_assert_true(ANIMAL(a)->friend == b);
    g_autofree char *shown = object_property_print(a, "friend", NULL);
    g_assert_cmpstr(shown, ==, path);
    g_assert_true(object_property_add_alias(root, "legs-of-b", b, "legs", NULL));
    g_assert_true(object_property_parse(root, "legs-of-b", "6", NULL));
    g_assert_cmpint(ANIMAL(b)->legs, ==, 6);

    finalized = 0;
    object_unparent(b);
    g_assert_cmpint(finalized, ==, 0); /* a's link still holds it */
    object_unref(root);
    g_assert_cmpint(finalized, ==, 2);
}

static void test_globals(void)
{
    g_autoptr(GError) error = NULL;

    object_register_global("test-fish", "legs", "2");
    g_autoptr(Object) trout = object_new("test-trout", NULL);
    g_autoptr(Object) animal = object_new("test-animal", NULL);
    g_assert_cmpint(ANIMAL(trout)->legs, ==, 2);
    g_assert_cmpint(ANIMAL(animal)->legs, ==, 4);
    /* A machine's come before them, and the last list wins among those. */
    static const GlobalProperty newer[] = {{"test-animal", "legs", "3"}, {NULL}},
                                older[] = {{"test-animal", "legs", "5"}, {NULL}};
    g_autoptr(GPtrArray) lists = g_ptr_array_new();
    g_ptr_array_add(lists, (GlobalProperty *)newer);
    g_ptr_array_add(lists, (GlobalProperty *)older);
    object_set_compat_globals(lists);
    g_autoptr(Object) fish = object_new("test-fish", NULL);
    g_autoptr(Object) other = object_new("test-animal", NULL);
    g_assert_cmpint(ANIMAL(fish)->legs, ==, 2);
    g_assert_cmpint(ANIMAL(other)->legs, ==, 5);
    object_set_compat_globals(NULL);
    object_register_global("test-trout", "legs", "1000");
    g_assert_null(object_new("test-trout", &error));
    g_assert_nonnull(strstr(error->message, "-global test-trout.legs=1000"));
}

static gpointer ref_thread(gpointer obj)
{
    for (int i = 0; i < 100000; i++) {
        object_ref(obj);
        object_unref(obj);
    }
    return NULL;
}

static void test_threads(void)
{
    GThread *threads[4];
    Object *obj = object_new("test-animal", NULL);

    finalized = 0;
    for (int i = 0; i < 4; i++) {
        threads[i] = g_thread_new("ref", ref_thread, obj);
    }
    for (int i = 0; i < 4; i++) {
        g_thread_join(threads[i]);
    }
    g_assert_cmpint(obj->ref, ==, 1);
    object_unref(obj);
    g_assert_cmpint(finalized, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qom/types", test_types);
    g_test_add_func("/qom/properties", test_properties);
    g_test_add_func("/qom/tree", test_tree);
    g_test_add_func("/qom/globals", test_globals);
    g_test_add_func("/qom/threads", test_threads);
    return g_test_run();
}
