/* fields.h - reading the tables that Lua passes in: options by name, and the fields of a form.
 *
 * Everything runs on the thread of the Lua state. What is returned belongs to the Lua value that it was read from. */
#ifndef SMMPANEL_FIELDS_H
#define SMMPANEL_FIELDS_H

#include "buffer.h"

#include <lua.h>

/* A number of a table; throws where it is none. */
lua_Number field_number(lua_State *L, int table, const char *name);

/* A number of bytes. What the machine's memory could not hold anyway is as good as the largest size. Throws nothing. */
size_t field_size(lua_Number n);

/* A string of a table or NULL, alive as long as the table has it; throws where it is something else. */
const char *field_text(lua_State *L, int table, const char *name);

/* Appends the fields of the list at `fields`, { name, value, name, value, ... }, to a form's body. The items of a value
 * that is a list have `separator` between them. Throws where a name or a value cannot be sent, and when Lua is out of
 * memory: the owner of the buffer must be a userdata. */
void fields_add(lua_State *L, buffer *b, int fields, const char *separator);

#endif
