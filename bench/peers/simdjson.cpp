// A Lua module that converts simdjson's DOM: decode(text) returns the value. The fastest known parser, untyped.
#include <lua.hpp>
#include <simdjson.h>

namespace dom = simdjson::dom;

static void push(lua_State *L, dom::element e) {
  switch (e.type()) {
    case dom::element_type::ARRAY: {
      dom::array list = e.get_array();
      lua_createtable(L, static_cast<int>(list.size()), 0);
      int i = 0;
      for (dom::element item : list) {
        push(L, item);
        lua_rawseti(L, -2, ++i);
      }
      return;
    }
    case dom::element_type::OBJECT: {
      dom::object object = e.get_object();
      lua_createtable(L, 0, static_cast<int>(object.size()));
      for (dom::key_value_pair field : object) {
        lua_pushlstring(L, field.key.data(), field.key.size());
        push(L, field.value);
        lua_rawset(L, -3);
      }
      return;
    }
    case dom::element_type::STRING: {
      std::string_view text = e.get_string();
      lua_pushlstring(L, text.data(), text.size());
      return;
    }
    case dom::element_type::INT64: lua_pushinteger(L, static_cast<lua_Integer>(int64_t(e))); return;
    case dom::element_type::BOOL: lua_pushboolean(L, bool(e)); return;
    case dom::element_type::NULL_VALUE: lua_pushnil(L); return;
    default: lua_pushnumber(L, double(e));
  }
}

static int decode(lua_State *L) {
  static dom::parser parser;
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  dom::element root;
  if (parser.parse(text, len).get(root)) return luaL_error(L, "not JSON");
  lua_checkstack(L, 256);
  push(L, root);
  return 1;
}

extern "C" int luaopen_bench_simdjson(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, decode);
  lua_setfield(L, -2, "decode");
  return 1;
}
