/* SPDX-License-Identifier: MIT
 *
 * The object model: types, classes, interfaces, properties, the composition
 * tree.  A type is described by a static TypeInfo and named by a string; its
 * class is made when first needed; an instance is a reference-counted Object.
 *
 * Threads: the registry may be used from any thread.  One object's reference
 * count is atomic; its tree and its properties belong to the thread that holds
 * the big lock (system/loop/main-loop.h), unless a property says otherwise.
 *
 * Errors: functions that can fail return false or NULL and set *error
 * (domain OBJECT_ERROR), or TRUE and leave it alone.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include <glib.h>
#include <glib-object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct InterfaceClass InterfaceClass;
typedef struct TypeImpl TypeImpl;
typedef struct Property Property;

#define OBJECT_ERROR (object_error_quark())
GQuark object_error_quark(void);

typedef enum ObjectError {
    OBJECT_ERROR_TYPE,     /* no such type, or it cannot be created */
    OBJECT_ERROR_PROPERTY, /* no such property */
    OBJECT_ERROR_VALUE,    /* value of the wrong type or out of range */
    OBJECT_ERROR_STATE,    /* not possible in the object's present state */
    OBJECT_ERROR_PATH,     /* path that leads nowhere, or name in use */
    OBJECT_ERROR_MODULE,   /* module that cannot be loaded */
} ObjectError;

/* ---- types ---------------------------------------------------------------- */

#define TYPE_OBJECT    "object"
#define TYPE_INTERFACE "interface"
#define TYPE_CONTAINER "container" /* holds children; a tree's root is one */

typedef struct InterfaceInfo {
    const char *type;
} InterfaceInfo;

typedef struct TypeInfo {
    const char *name;
    const char *parent; /* NULL only for roots */

    size_t instance_size;  /* 0: the parent's */
    size_t instance_align; /* 0: that of malloc */
    /* Ancestors' first.  Cannot fail; the memory is zero and properties have their defaults. */
    void (*instance_init)(Object *obj);
    /* After every instance_init, ancestors' first. */
    void (*instance_post_init)(Object *obj);
    /* Descendants' first; also runs on an object that was never realized. */
    void (*instance_finalize)(Object *obj);

    bool abstract;
    size_t class_size; /* 0: the parent's */
    /* The class begins as a copy of the parent's.  Optional. */
    void (*class_init)(ObjectClass *klass, const void *data);
    const void *class_data;

    const InterfaceInfo *interfaces; /* ends with {NULL} */
    const Property *properties;      /* ends with {NULL}; may also be set in class_init */
    const char *doc;                 /* one line */
} TypeInfo;

struct ObjectClass {
    TypeImpl *type;
    GSList *interfaces; /* of InterfaceClass */
    const char *doc;
    /* Removes the object from whatever it joined; called by object_unparent(). */
    void (*unparent)(Object *obj);
};

struct InterfaceClass {
    ObjectClass parent_class;
    ObjectClass *concrete_class; /* the class that implements it */
    TypeImpl *interface_type;
};

struct Object {
    ObjectClass *klass;
    void *alloc; /* what to free */
    GHashTable *properties; /* name -> ObjectProperty: children, links, aliases; NULL: none */
    Object *parent;         /* not owned */
    char *name;             /* in the parent */
    gint ref;
};

/* Register at start-up.  The TypeInfo must stay; parents may come later. */
void type_register_static(const TypeInfo *info);
void type_register_static_array(const TypeInfo *infos, size_t n);

#define DEFINE_TYPES(infos)                                                                        \
    static void __attribute__((constructor)) G_PASTE(register_, infos)(void)                       \
    {                                                                                              \
        type_register_static_array(infos, G_N_ELEMENTS(infos));                                    \
    }

#define type_init(function)                                                                        \
    static void __attribute__((constructor)) G_PASTE(type_init_, function)(void)                   \
    {                                                                                              \
        function();                                                                                \
    }

/* Class of a type, or NULL; loads the module that carries it if there is one. */
ObjectClass *object_class_by_name(const char *name);
/* The same with the reason why not. */
ObjectClass *object_class_lookup(const char *name, GError **error);
const char *object_class_get_name(const ObjectClass *klass);
ObjectClass *object_class_get_parent(const ObjectClass *klass);
bool object_class_is_abstract(const ObjectClass *klass);
/* klass as a class of type `name`, which may be an interface; NULL: it is not one. */
ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *name);
/* Aborts if it is not one: our own bug. */
ObjectClass *object_class_cast(ObjectClass *klass, const char *name);
/* Classes that descend from (or implement) `implements`, sorted by name.  Free the list. */
GSList *object_class_get_list(const char *implements, bool include_abstract);

/* ---- instances ------------------------------------------------------------- */

/* One reference, no parent.  NULL: unknown, abstract, or its module is missing. */
Object *object_new(const char *type, GError **error);
/* For a class at hand; cannot fail unless it is abstract (our own bug). */
Object *object_new_with_class(ObjectClass *klass);
/* New child of `parent`, which owns it; the pointer is borrowed.  `name` may end in "[*]". */
Object *object_new_child(Object *parent, const char *name, const char *type, GError **error);
Object *object_ref(void *obj);
void object_unref(void *obj);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)
/* How the memory of a dead object is given back; the memory layer defers it past RCU readers. */
void object_set_free_func(void (*fn)(void *alloc));

/* Object embedded in another: no allocation, freed with its owner. */
void object_initialize_child(Object *parent, const char *name, void *child, const char *type);

ObjectClass *object_get_class(const Object *obj);
const char *object_get_typename(const Object *obj);
Object *object_dynamic_cast(Object *obj, const char *type);
Object *object_dynamic_cast_assert(Object *obj, const char *type);

#define OBJECT(obj)                     ((Object *)(obj))
#define OBJECT_CLASS(klass)             ((ObjectClass *)(klass))
#define OBJECT_CHECK(T, obj, name)      ((T *)object_dynamic_cast_assert(OBJECT(obj), (name)))
#define OBJECT_CLASS_CHECK(C, k, name)  ((C *)object_class_cast(OBJECT_CLASS(k), (name)))
#define OBJECT_GET_CLASS(C, obj, name)                                                             \
    OBJECT_CLASS_CHECK(C, object_get_class(OBJECT(obj)), name)
#define INTERFACE_GET_CLASS(C, obj, name) OBJECT_GET_CLASS(C, obj, name)

/* typedefs and casts: OBJECT_DECLARE(Foo, FooClass, FOO, TYPE_FOO) */
#define OBJECT_DECLARE(Instance, Class, NAME, type)                                                \
    typedef struct Instance Instance;                                                              \
    typedef struct Class Class;                                                                    \
    static inline G_GNUC_UNUSED Instance *NAME(const void *obj)                                    \
    {                                                                                              \
        return OBJECT_CHECK(Instance, obj, type);                                                  \
    }                                                                                              \
    static inline G_GNUC_UNUSED Class *G_PASTE(NAME, _CLASS)(void *klass)                          \
    {                                                                                              \
        return OBJECT_CLASS_CHECK(Class, klass, type);                                             \
    }                                                                                              \
    static inline G_GNUC_UNUSED Class *G_PASTE(NAME, _GET_CLASS)(const void *obj)                  \
    {                                                                                              \
        return OBJECT_GET_CLASS(Class, obj, type);                                                 \
    }

/* The same for a type with no class struct of its own. */
#define OBJECT_DECLARE_SIMPLE(Instance, NAME, type)                                                \
    typedef struct Instance Instance;                                                              \
    static inline G_GNUC_UNUSED Instance *NAME(const void *obj)                                    \
    {                                                                                              \
        return OBJECT_CHECK(Instance, obj, type);                                                  \
    }

/* ---- the composition tree --------------------------------------------------- */

/*
 * Paths are stable: the root is "/", components are the names given at birth
 * ("/machine/peripheral/nic0").  `name` "foo[*]" takes the first free number.
 */
bool object_add_child(Object *parent, const char *name, Object *child, GError **error);
void object_unparent(Object *obj);
char *object_get_path(const Object *obj); /* NULL: not in the tree of the root; free it */
Object *object_get_root(const Object *obj); /* follows parents */
/*
 * Absolute path from the root of `origin`, or a partial one, which must match
 * the end of exactly one path; sets *ambiguous (may be NULL) when it matches several.
 */
Object *object_resolve_path(Object *origin, const char *path, bool *ambiguous);
Object *object_resolve_path_component(Object *parent, const char *name);
/* The only object of that type under `origin`'s root, or NULL. */
Object *object_resolve_path_type(Object *origin, const char *type, bool *ambiguous);

/* The container at that path below root, made if it is not there; borrowed. */
Object *container_get(Object *root, const char *path);

typedef bool (*ObjectVisitor)(Object *child, const char *name, void *opaque); /* true: stop */
bool object_child_foreach(Object *obj, ObjectVisitor fn, void *opaque);
bool object_child_foreach_recursive(Object *obj, ObjectVisitor fn, void *opaque);

/* ---- properties ------------------------------------------------------------- */

typedef enum PropertyKind {
    PROP_CONFIG,    /* set before realize, frozen after it */
    PROP_RUNTIME,   /* may be set at any time */
    PROP_TELEMETRY, /* read only: what is observed */
    PROP_INTERNAL,  /* set by code, hidden from help */
} PropertyKind;

typedef struct EnumInfo {
    const char *name;          /* of the type, for help */
    const char *const *values; /* NULL-terminated; the field holds the index (int) */
} EnumInfo;

/* Tri-state (int field): auto, on, off. */
typedef enum OnOffAuto { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF } OnOffAuto;
extern const EnumInfo on_off_auto_enum;

/*
 * How a kind of field is read, written and shown.  Values travel as GVariant:
 * b, y, q, u, t, n, i, x, d, s, and for links the path as s.
 */
typedef struct PropertyType {
    const char *name; /* "bool", "uint32", "size", "str", "link<...>" */
    const GVariantType *variant; /* what get returns, NULL: any */
    GVariant *(*get)(Object *obj, const Property *prop); /* floating reference */
    bool (*set)(Object *obj, const Property *prop, GVariant *value, GError **error);
    /* Text from a command line to a value; NULL: the default for `variant`. */
    GVariant *(*parse)(const Property *prop, const char *text, GError **error);
    void (*set_default)(Object *obj, const Property *prop);
    void (*release)(Object *obj, const Property *prop);
} PropertyType;

struct Property {
    const char *name;
    const PropertyType *type;
    size_t offset; /* of the field in the instance */
    PropertyKind kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
        const char *s;
    } def;
    uint64_t min, max; /* inclusive; both 0: the field's own range.  Signed ones hold int64_t */
    uint8_t bit;       /* for "bit" fields */
    const EnumInfo *enum_info;
    const char *link_type;
    const char *doc;
    /* Optional: a further check of a value about to be set. */
    bool (*check)(Object *obj, const Property *prop, GVariant *value, GError **error);
    /* Optional: after a RUNTIME property changed. */
    void (*changed)(Object *obj, const Property *prop);
    /* For property_type_custom: these carry it; a NULL setter is read-only. */
    GVariant *(*get)(Object *obj, const Property *prop);
    bool (*set)(Object *obj, const Property *prop, GVariant *value, GError **error);
    const char *custom_type; /* GVariant type string and name in help */
};

extern const PropertyType property_type_bool, property_type_bit32, property_type_bit64,
    property_type_uint8, property_type_uint16, property_type_uint32, property_type_uint64,
    property_type_int32, property_type_int64, property_type_size, property_type_size32,
    property_type_string, property_type_enum, property_type_link, property_type_macaddr,
    property_type_custom;

#define PROP_FIELD(_name, _type, _S, _f, _kind, ...)                                               \
    {                                                                                              \
        .name = (_name), .type = &property_type_##_type, .offset = offsetof(_S, _f),      \
        .kind = (_kind), __VA_ARGS__                                                               \
    }
/* name, struct, field, default, doc [, .kind = ..., .min = ..., .max = ..., .check = ...] */
#define DEFINE_PROP_BOOL(n, S, f, d, text, ...)                                                    \
    PROP_FIELD(n, bool, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_BIT32(n, S, f, b, d, text, ...)                                                \
    PROP_FIELD(n, bit32, S, f, PROP_CONFIG, .bit = (b), .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_BIT64(n, S, f, b, d, text, ...)                                                \
    PROP_FIELD(n, bit64, S, f, PROP_CONFIG, .bit = (b), .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_UINT8(n, S, f, d, text, ...)                                                   \
    PROP_FIELD(n, uint8, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_UINT16(n, S, f, d, text, ...)                                                  \
    PROP_FIELD(n, uint16, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_UINT32(n, S, f, d, text, ...)                                                  \
    PROP_FIELD(n, uint32, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_UINT64(n, S, f, d, text, ...)                                                  \
    PROP_FIELD(n, uint64, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_INT32(n, S, f, d, text, ...)                                                   \
    PROP_FIELD(n, int32, S, f, PROP_CONFIG, .def.i = (d), .doc = text, ##__VA_ARGS__)
#define DEFINE_PROP_INT64(n, S, f, d, text, ...)                                                   \
    PROP_FIELD(n, int64, S, f, PROP_CONFIG, .def.i = (d), .doc = text, ##__VA_ARGS__)
/* uint64_t field; text takes K, M, G, T */
#define DEFINE_PROP_SIZE(n, S, f, d, text, ...)                                                    \
    PROP_FIELD(n, size, S, f, PROP_CONFIG, .def.u = (d), .doc = text, ##__VA_ARGS__)
/* char * field, owned */
#define DEFINE_PROP_STRING(n, S, f, d, text, ...)                                                  \
    PROP_FIELD(n, string, S, f, PROP_CONFIG, .def.s = (d), .doc = text, ##__VA_ARGS__)
/* int field */
#define DEFINE_PROP_ENUM(n, S, f, info, d, text, ...)                                              \
    PROP_FIELD(n, enum, S, f, PROP_CONFIG, .enum_info = (info), .def.i = (d), .doc = text,         \
               ##__VA_ARGS__)
#define DEFINE_PROP_ON_OFF_AUTO(n, S, f, d, text, ...)                                             \
    DEFINE_PROP_ENUM(n, S, f, &on_off_auto_enum, d, text, ##__VA_ARGS__)
/* Object * field (of a type with that name); holds a reference */
#define DEFINE_PROP_LINK(n, S, f, type_name, text, ...)                                            \
    PROP_FIELD(n, link, S, f, PROP_CONFIG, .link_type = (type_name), .doc = text, ##__VA_ARGS__)
/* uint8_t[6] field; "52:54:00:12:34:56" */
#define DEFINE_PROP_MACADDR(n, S, f, text, ...)                                                    \
    PROP_FIELD(n, macaddr, S, f, PROP_CONFIG, .doc = text, ##__VA_ARGS__)
/* No field: get and set functions, and the GVariant type string */
#define DEFINE_PROP_CUSTOM(n, variant_type, getter, setter, k, text, ...)                          \
    {                                                                                              \
        .name = (n), .type = &property_type_custom, .kind = (k), .get = (getter),                  \
        .set = (setter), .custom_type = (variant_type), .doc = text, ##__VA_ARGS__                 \
    }
#define DEFINE_PROP_END                                                                            \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Set in class_init when TypeInfo.properties will not do (properties made from a table). */
void object_class_set_properties(ObjectClass *klass, const Property *props);
const Property *object_class_find_property(ObjectClass *klass, const char *name);
/* All of a class's, inherited ones first. */
typedef void (*PropertyVisitor)(const Property *prop, ObjectClass *owner, void *opaque);
void object_class_property_foreach(ObjectClass *klass, PropertyVisitor fn, void *opaque);

/* Text of a property's type as help shows it ("uint32", "link<iothread>"); free it. */
char *property_type_name(const Property *prop);
/* Its default ("on", "64K"), or NULL: none to speak of; free it. */
char *property_default_text(const Property *prop);
/* What it accepts ("1 to 255", "auto, on, off"), or NULL: all that its type holds; free it. */
char *property_range_text(const Property *prop);
/* "config", "runtime", "telemetry", "internal" */
const char *property_kind_name(const Property *prop);

/* Takes over a floating `value`. */
bool object_property_set(Object *obj, const char *name, GVariant *value, GError **error);
GVariant *object_property_get(Object *obj, const char *name, GError **error); /* full reference */
/* From text, as on a command line: "on", "64K", "/machine/foo". */
bool object_property_parse(Object *obj, const char *name, const char *text, GError **error);
char *object_property_print(Object *obj, const char *name, GError **error);

bool object_property_set_bool(Object *obj, const char *name, bool value, GError **error);
bool object_property_set_int(Object *obj, const char *name, int64_t value, GError **error);
bool object_property_set_uint(Object *obj, const char *name, uint64_t value, GError **error);
bool object_property_set_str(Object *obj, const char *name, const char *value, GError **error);
bool object_property_set_link(Object *obj, const char *name, Object *value, GError **error);
bool object_property_get_bool(Object *obj, const char *name, GError **error);
uint64_t object_property_get_uint(Object *obj, const char *name, GError **error);
int64_t object_property_get_int(Object *obj, const char *name, GError **error);
char *object_property_get_str(Object *obj, const char *name, GError **error);
Object *object_property_get_link(Object *obj, const char *name, GError **error); /* borrowed */

/* A name on `obj` that stands for target's property. */
bool object_property_add_alias(Object *obj, const char *name, Object *target,
                               const char *target_name, GError **error);

/*
 * Everything that `obj` answers to: its class's properties, its children
 * ("child<TYPE>") and its aliases.
 */
typedef void (*PropertyListVisitor)(const char *name, const char *type, const char *doc,
                                    void *opaque);
void object_property_list(Object *obj, PropertyListVisitor fn, void *opaque);

/* Settings `-global TYPE.PROP=VALUE`: applied when an object of (a descendant of) TYPE is made. */
typedef struct GlobalProperty {
    const char *type, *prop, *value;
} GlobalProperty;
void object_register_global(const char *type, const char *prop, const char *value);
/*
 * Lists of GlobalProperty, each ended by a row of NULL, that are applied before these: what the version
 * of the machine that is being made has otherwise.  Borrowed; NULL: none.
 */
void object_set_compat_globals(const GPtrArray *lists);
/* Applied by object_new and kin; the first failure, if any, is reported there. */
bool object_apply_globals(Object *obj, GError **error);

/* ---- objects that users create (-object) -------------------------------------- */

#define TYPE_USER_CREATABLE "user-creatable"
typedef struct UserCreatableClass {
    InterfaceClass parent_class;
    /* All properties are set: begin.  Optional. */
    bool (*complete)(Object *obj, GError **error);
    bool (*can_be_deleted)(Object *obj);
} UserCreatableClass;

bool user_creatable_complete(Object *obj, GError **error);

/*
 * Whether CONFIG properties of this object may still be set.  A class that
 * freezes them (devices at realize) overrides it.
 */
typedef bool (*ObjectFrozenFunc)(Object *obj);
void object_class_set_frozen_func(ObjectClass *klass, ObjectFrozenFunc fn);

/* ---- modules ------------------------------------------------------------------ */

/* Changes whenever a struct that modules share changes its layout. */
#define QUOIN_ABI_VERSION 1

typedef struct ModuleInfo {
    uint32_t abi_version;    /* QUOIN_ABI_VERSION of the headers it was compiled with */
    uint32_t object_size, class_size, device_size;
} ModuleInfo;

/* What modules are held against; set once at start-up by the layer that knows the structs. */
void module_set_abi(const ModuleInfo *abi);
/* Load a .so whose types then exist.  Error: missing, not ours, or another ABI. */
bool module_load(const char *path, GError **error);

#endif
