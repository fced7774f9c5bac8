/* compat.h - one source for the Lua 5.1 ABI (LuaJIT, PUC 5.1) to Lua 5.5, and nothing else.
 * For that ABI only functions that PUC 5.1 exports are used, so that one build loads in LuaJIT and in PUC 5.1. */
#ifndef SMMPANEL_COMPAT_H
#define SMMPANEL_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#define lua_getuservalue lua_getfenv
#define lua_setuservalue lua_setfenv
#define luaL_setmetatable(L, name) (luaL_getmetatable(L, name), lua_setmetatable(L, -2))
#undef luaL_newlib /* LuaJIT's uses functions that PUC 5.1 does not export */
#define luaL_newlib(L, functions)                                                \
  (lua_createtable(L, 0, (int)(sizeof(functions) / sizeof((functions)[0]) - 1)), \
   luaL_register(L, NULL, functions))
#define compat_register(L, functions) luaL_register(L, NULL, functions)
#else
#define compat_register(L, functions) luaL_setfuncs(L, functions, 0)
#if LUA_VERSION_NUM >= 504
#undef lua_newuserdata
#define lua_newuserdata(L, size) lua_newuserdatauv(L, size, 1)
#undef lua_getuservalue
#define lua_getuservalue(L, i) lua_getiuservalue(L, i, 1)
#undef lua_setuservalue
#define lua_setuservalue(L, i) lua_setiuservalue(L, i, 1)
#endif
#endif

/* Registers a class: its methods, its finalizer, and its __tostring or NULL. Lua code cannot access the metatable. */
static inline void compat_new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc,
                                    lua_CFunction tostring) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  compat_register(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  if (tostring) {
    lua_pushcfunction(L, tostring);
    lua_setfield(L, -2, "__tostring");
  }
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

/* A lua_checkstack that never throws. On 5.1 it may throw, and on a thread that runs no function such an error
 * ends the program, because there is no pcall to catch it. */
#if LUA_VERSION_NUM < 502
static inline int compat_grow_stack(lua_State *L) {
  return luaL_checkstack(L, *(int *)lua_touserdata(L, 1), "too much"), 0;
}
static inline int compat_nothing(lua_State *L) {
  (void)L;
  return 0;
}
/* A protected call without hooks. At Ctrl-C the interpreter sets a hook that throws at the next call: its error would be
 * taken for a lack of memory, and the program would go on. */
static inline int compat_cpcall(lua_State *L, lua_CFunction function, void *data) {
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  if (hook) lua_sethook(L, NULL, 0, 0);
  int status = lua_cpcall(L, function, data);
  if (hook && !lua_gethook(L)) lua_sethook(L, hook, mask, count); /* Ctrl-C may have come meanwhile */
  return status;
}
/* LuaJIT treats the thread as the running one until something is called on L again. An error thrown before that
 * would make it compile on the wrong thread, and crash. */
static inline int compat_checkstack(lua_State *L, lua_State *thread, int n) {
  int ok = compat_cpcall(thread, compat_grow_stack, &n) == 0;
  if (!ok) lua_pop(thread, 1);
  if (compat_cpcall(L, compat_nothing, NULL)) lua_pop(L, 1);
  return ok && lua_checkstack(thread, n);
}
#else
#define compat_checkstack(L, thread, n) lua_checkstack(thread, n)
#endif

/* Whether lua_isyieldable exists: Lua 5.3 and later and LuaJIT export it; PUC 5.1, which loads the same build as
 * LuaJIT, and 5.2 do not. */
#if LUA_VERSION_NUM == 501
extern int lua_isyieldable(lua_State *L) __attribute__((weak));
#define COMPAT_HAS_ISYIELDABLE (lua_isyieldable != NULL)
#elif LUA_VERSION_NUM == 502
#define lua_isyieldable(L) 0
#define COMPAT_HAS_ISYIELDABLE 0
#else
#define COMPAT_HAS_ISYIELDABLE 1
#endif

/* Integers: 64 bits if this Lua has them, otherwise the range that a double holds exactly. */
#if LUA_VERSION_NUM >= 503
#define COMPAT_INTEGER_MAX INT64_MAX
#define COMPAT_INTEGER_MIN INT64_MIN
#else
#define COMPAT_INTEGER_MAX ((int64_t)1 << 53)
#define COMPAT_INTEGER_MIN (-((int64_t)1 << 53))
#endif

#endif
