/* schema.c - see schema.h. The names are Lua strings; the userdata's uservalue is a table that keeps them alive. */
#include "schema.h"
#include "compat.h"

#include <stdbool.h>
#include <string.h>

#define SCHEMA "smmpanel.schema"

enum { FIELDS_MAX = 1000 };

typedef struct {
  const char *name;
  size_t len;
  field_type type;
} schema_field;

struct schema {
  int count;
  schema_field fields[];
};

static int count_fields(lua_State *L) {
  int count = 0;
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) count++;
  if (count > FIELDS_MAX) luaL_error(L, "smmpanel.core: a schema of more than %d fields", FIELDS_MAX);
  return count;
}

/* The type whose name is on top. Throws if it is unknown. */
static field_type check_type(lua_State *L, const char *field) {
  static const char *const names[] = {
      [FIELD_ID] = "id", [FIELD_MONEY] = "money", [FIELD_COUNT] = "count", [FIELD_FLAG] = "flag"};
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (int type = FIELD_ID; type <= FIELD_FLAG; type++)
    if (strcmp(name, names[type]) == 0) return (field_type)type;
  luaL_error(L, "smmpanel.core: the type of the field '%s' must be id, money, count or flag", field);
  return FIELD_AS_IS;
}

/* Reads the pair (name, type) on top; the table at `names` keeps the name alive. */
static schema_field read_field(lua_State *L, int names) {
  schema_field f = {0};
  if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "smmpanel.core: a field's name must be a string");
  f.name = lua_tolstring(L, -2, &f.len);
  f.type = check_type(L, f.name);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, names);
  return f;
}

int schema_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int count = count_fields(L);
  schema *s = lua_newuserdata(L, sizeof *s + (size_t)count * sizeof s->fields[0]);
  s->count = 0;
  luaL_setmetatable(L, SCHEMA);
  lua_createtable(L, 0, count);
  for (lua_pushnil(L); lua_next(L, 1) && s->count < count; lua_pop(L, 1)) {
    s->fields[s->count] = read_field(L, 3);
    s->count++;
  }
  lua_settop(L, 3);
  lua_setuservalue(L, 2);
  return 1;
}

const schema *schema_optional(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return NULL;
  void *found = lua_touserdata(L, index);
  bool ok = false;
  if (found && lua_getmetatable(L, index)) {
    luaL_getmetatable(L, SCHEMA);
    ok = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  if (!ok) luaL_error(L, "smmpanel.core: a schema expected, got %s", luaL_typename(L, index));
  return found;
}

field_type schema_type(const schema *s, const char *name, size_t len) {
  for (int i = 0; s && i < s->count; i++) {
    const schema_field *f = &s->fields[i];
    if (f->len == len && memcmp(f->name, name, len) == 0) return f->type;
  }
  return FIELD_AS_IS;
}

void schema_open(lua_State *L) {
  luaL_newmetatable(L, SCHEMA);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
