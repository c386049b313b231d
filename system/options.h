/* SPDX-License-Identifier: MIT
 *
 * Option values: "first,key=value,flag,key=a,,b" as on a command line, or a JSON object.
 * A comma in a value is doubled; a key without "=" stands for key=on, and a key
 * that begins with "no" may stand for its opposite.
 */
#ifndef SYSTEM_OPTIONS_H
#define SYSTEM_OPTIONS_H

#include "qom/object.h"

#define OPTIONS_ERROR (options_error_quark())
GQuark options_error_quark(void);
typedef enum OptionsError {
    OPTIONS_ERROR_SYNTAX,
    OPTIONS_ERROR_UNKNOWN, /* an option, or a key, that does not exist */
    OPTIONS_ERROR_VALUE,
} OptionsError;

typedef struct Option {
    char *key, *value;
    bool flag; /* no "=" was given */
    bool used;
} Option;

typedef struct Options {
    GPtrArray *items; /* of Option, as written */
} Options;

/* implied_key: of the first item if it has no "="; NULL: none. */
Options *options_parse(const char *text, const char *implied_key, GError **error);
/* Text that begins with "{" is JSON: nested members become "a.b", lists "a.0". */
Options *options_parse_any(const char *text, const char *implied_key, GError **error);
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)
void options_set(Options *options, const char *key, const char *value);

/* The last value of a key, or NULL; marks all of them used. */
const char *options_get(Options *options, const char *key);
bool options_get_bool(Options *options, const char *key, bool *ret, GError **error);
bool options_get_uint(Options *options, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                      GError **error);
/* ret stays as it is if the key is absent; in all three.  `unit`: of a bare number. */
bool options_get_size(Options *options, const char *key, uint64_t unit, uint64_t *ret,
                      GError **error);
/* Whether "help" or "?" is among the items. */
bool options_want_help(Options *options);
/* False and an error that lists `known` (NULL-terminated) if a key was never asked for. */
bool options_check_unused(Options *options, const char *what, const char *const *known,
                          GError **error);
/* Set a property for every item not used so far. */
bool options_apply(Options *options, Object *obj, GError **error);

/* Values by themselves. */
bool parse_bool(const char *text, bool *ret);
bool parse_uint(const char *text, uint64_t *ret);
/* "512", "64K", "1.5G"; unit multiplies a number without a suffix. */
bool parse_size(const char *text, uint64_t unit, uint64_t *ret);

/* The member of `words` nearest to `word`, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const *words);

#endif
