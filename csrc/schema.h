/* schema.h - the types of a response's fields, by name.
 *
 * A schema is a userdata that Lua makes from a table, { order = "id", rate = "money", min = "count", refill = "flag" },
 * and never changes. Lua's collector owns it; code that holds the pointer keeps the userdata reachable. Any number of
 * decoders may read it. */
#ifndef SMMPANEL_SCHEMA_H
#define SMMPANEL_SCHEMA_H

#include <lua.h>
#include <stddef.h>

typedef enum {
  FIELD_AS_IS, /* the JSON type; integers keep all their digits */
  FIELD_ID,    /* an integer; the text if it is not one */
  FIELD_MONEY, /* a number, or the unchanged text */
  FIELD_COUNT, /* an integer, in any notation */
  FIELD_FLAG   /* a boolean: true, 1, "1" */
} field_type;

typedef struct schema schema;

/* lua_CFunction: makes a schema from the table at index 1. Throws if a name or a type is wrong. */
int schema_new(lua_State *L);

/* The schema at a stack index; NULL for nil or none. Throws if it is anything else. */
const schema *schema_optional(lua_State *L, int index);

/* FIELD_AS_IS for a name that is not in it; `s` may be NULL. Throws nothing. */
field_type schema_type(const schema *s, const char *name, size_t len);

/* Registers the metatable. May throw. */
void schema_open(lua_State *L);

#endif
