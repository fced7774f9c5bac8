/* typed.h - texts and numbers of an answer as Lua values of a field's type.
 *
 * The text belongs to the caller and must live through the call. The functions push one value and return true, or push
 * nothing and return false: then the value stays the text that it is. Of what they push only a table could run out of
 * memory, so they throw nothing; the caller has made room on the stack. */
#ifndef SMMPANEL_TYPED_H
#define SMMPANEL_TYPED_H

#include "schema.h"

#include <stdbool.h>

/* A JSON string. `decimal_text`: money stays as it is written. */
bool typed_push_string(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len);

/* A JSON number. */
bool typed_push_number(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len);

/* Once before the first call, on any thread. */
void typed_open(void);

#endif
