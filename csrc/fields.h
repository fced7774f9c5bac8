/* fields.h - reads the tables that Lua passes in: options by name, and the fields of a form.
 *
 * Everything runs on the thread of the Lua state. Returned texts belong to the Lua value that they were read from. */
#ifndef SMMPANEL_FIELDS_H
#define SMMPANEL_FIELDS_H

#include "buffer.h"

#include <lua.h>

/* A number of a table; throws if it is anything else. */
lua_Number field_number(lua_State *L, int table, const char *name);

/* Converts a number of bytes to size_t, limited to 0 ... SIZE_MAX / 2. Throws nothing. */
size_t field_size(lua_Number n);

/* A string of a table, or NULL; valid as long as the table holds it. Throws if it is anything else. */
const char *field_text(lua_State *L, int table, const char *name);

/* Appends the fields of the list at `fields`, { name, value, name, value, ... }, to a form's body. Joins the items of a
 * list value with `separator`. Throws if a name or a value cannot be sent, and when Lua is out of memory, so the buffer
 * must be inside a userdata. */
void fields_add(lua_State *L, buffer *b, int fields, const char *separator);

#endif
