/* schema.h - the types of an answer's fields, by name.
 *
 * A schema is a userdata that Lua makes from a table, { order = "id", rate = "money", min = "count", refill = "flag" },
 * and never changes: Lua's collector owns it, and whoever holds the pointer keeps the userdata reachable. Any number of
 * decoders may read it. */
#ifndef SMMPANEL_SCHEMA_H
#define SMMPANEL_SCHEMA_H

#include <lua.h>
#include <stddef.h>

typedef enum {
  FIELD_AS_IS, /* as JSON has it; integers keep all their digits */
  FIELD_ID,    /* an integer, or the text where it is none */
  FIELD_MONEY, /* a number, or the text as it is written */
  FIELD_COUNT, /* an integer, however it is written */
  FIELD_FLAG   /* a boolean: true, 1, "1" */
} field_type;

typedef struct schema schema;

/* lua_CFunction: pushes the schema of the table at index 1. Throws where a name or a type is wrong. */
int schema_new(lua_State *L);

/* The schema at a stack index, NULL where nil or nothing is there; throws where it is something else. */
const schema *schema_optional(lua_State *L, int index);

/* FIELD_AS_IS for a name that is not in it; `s` may be NULL. Throws nothing. */
field_type schema_type(const schema *s, const char *name, size_t len);

/* Registers the metatable. May throw. */
void schema_open(lua_State *L);

#endif
