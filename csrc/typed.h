/* typed.h - converts texts and numbers of a response to Lua values of a field's type.
 *
 * The text belongs to the caller and must stay valid during the call. The functions push one value and return true, or
 * push nothing and return false: then the caller pushes the text unchanged. They push only numbers and booleans, which
 * allocate nothing, so they throw nothing; the caller has made room on the stack. */
#ifndef SMMPANEL_TYPED_H
#define SMMPANEL_TYPED_H

#include "schema.h"

#include <stdbool.h>

/* Converts a JSON string. `decimal_text`: money stays text, unchanged. */
bool typed_push_string(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len);

/* Converts a JSON number. */
bool typed_push_number(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len);

/* Call it once before the others, on any thread. */
void typed_open(void);

#endif
