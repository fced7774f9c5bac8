/* bench.clock() -> seconds of processor time of the calling thread. */
#include <lauxlib.h>
#include <lua.h>
#include <time.h>

static int thread_seconds(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
  return 1;
}

int luaopen_bench_clock(lua_State *L);
int luaopen_bench_clock(lua_State *L) {
  lua_pushcfunction(L, thread_seconds);
  return 1;
}
