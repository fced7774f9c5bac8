/* fields.c - see fields.h. */
#include "fields.h"
#include "compat.h"
#include "form.h"

#include <stdint.h>
#include <string.h>

lua_Number field_number(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (lua_type(L, -1) != LUA_TNUMBER) luaL_error(L, "smmpanel.core: %s must be a number", name);
  lua_Number n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return n;
}

size_t field_size(lua_Number n) {
  if (!(n > 0)) return 0;
  return n < (lua_Number)(SIZE_MAX / 2) ? (size_t)n : SIZE_MAX / 2;
}

const char *field_text(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "smmpanel.core: %s must be a string", name);
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

static void add_scalar(lua_State *L, buffer *b, int value) {
  size_t len;
  switch (lua_type(L, value)) {
    case LUA_TBOOLEAN: form_integer(b, lua_toboolean(L, value)); return;
    case LUA_TNUMBER:
#if LUA_VERSION_NUM >= 503
      if (lua_isinteger(L, value))
        form_integer(b, lua_tointeger(L, value));
      else
#endif
        form_number(b, lua_tonumber(L, value));
      return;
    case LUA_TSTRING: {
      const char *text = lua_tolstring(L, value, &len);
      form_text(b, text, len);
      return;
    }
    default: luaL_error(L, "smmpanel.core: a %s cannot be sent", luaL_typename(L, value));
  }
}

static void add_list(lua_State *L, buffer *b, int list, const char *separator) {
  size_t count = (size_t)lua_rawlen(L, list);
  for (size_t i = 1; i <= count; i++) {
    if (i > 1) form_text(b, separator, strlen(separator));
    lua_rawgeti(L, list, (int)i);
    add_scalar(L, b, lua_gettop(L));
    lua_pop(L, 1);
  }
}

static void add_field(lua_State *L, buffer *b, int name, int value, const char *separator) {
  size_t len;
  const char *text = luaL_checklstring(L, name, &len);
  if (!form_name_ok(text, len))
    luaL_error(L, "a field's name must have no control character, and not be empty");
  form_begin(b, text, len);
  if (lua_istable(L, value))
    add_list(L, b, value, separator);
  else
    add_scalar(L, b, value);
}

void fields_add(lua_State *L, buffer *b, int fields, const char *separator) {
  size_t count = (size_t)lua_rawlen(L, fields);
  for (size_t i = 1; i + 1 <= count; i += 2) {
    lua_rawgeti(L, fields, (int)i);
    lua_rawgeti(L, fields, (int)i + 1);
    add_field(L, b, lua_gettop(L) - 1, lua_gettop(L), separator);
    lua_pop(L, 2);
  }
}
