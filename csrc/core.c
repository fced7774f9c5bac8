/* core.c - the module `smmpanel.core`: the functions for Lua. The only file that exports a symbol.
 *
 * A Lua error (out of memory, a wrong argument) can leave every function here. So when a function calls Lua, everything
 * it owns must already be in a userdata. */
#include "append.h"
#include "client.h"
#include "compat.h"
#include "curl_api.h"
#include "decoder.h"
#include "engine.h"
#include "fields.h"
#include "leftovers.h"
#include "machine.h"
#include "openssl.h"
#include "smmpanel.h"
#include "state.h"
#include "step.h"
#include "transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

enum { UNWATCHED_MS = 2 }; /* between two looks while nginx's dispatcher has the descriptor */

/* ---- the descriptor, waiting, the clock --------------------------------------------------- */

static int core_descriptor(lua_State *L) {
  lua_pushinteger(L, engine_watched_descriptor(state_need_engine(L)));
  return 1;
}

static int core_wait(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  /* without an engine it only sleeps: a program that uses only the option `transport` needs no thread */
  engine *e = state_get(L)->engine ? state_need_engine(L) : NULL;
  struct pollfd p = {.fd = e ? engine_descriptor(e) : -1, .events = POLLIN};
  /* transfers that a fork has ended are ready without the descriptor */
  long ms = seconds > 0 && !state_get(L)->ended ? transfer_milliseconds(seconds) : 0;
  if (e && p.fd < 0 && ms > UNWATCHED_MS) ms = UNWATCHED_MS;
  lua_pushboolean(L, poll(&p, 1, (int)ms) > 0);
  return 1;
}

/* (seconds) -> whether standard input is readable. A signal ends the wait, even in programs where a signal restarts a
 * read, such as LuaJIT. */
static int core_input_ready(lua_State *L) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  lua_pushboolean(L, poll(&p, 1, (int)transfer_milliseconds(luaL_checknumber(L, 1))) > 0);
  return 1;
}

static int core_in_flight(lua_State *L) {
  state *s = state_get(L);
  lua_pushinteger(L, s->engine && engine_is_ours(s->engine) ? engine_in_flight(s->engine) : 0);
  return 1;
}

static int core_listen(lua_State *L) {
  const char *path = engine_listen(state_need_engine(L));
  if (!path) {
    lua_pushnil(L);
    lua_pushliteral(L, "listen");
    lua_pushstring(L, strerror(errno));
    return 3;
  }
  lua_pushstring(L, path);
  return 1;
}

static int core_accept(lua_State *L) {
  lua_pushboolean(L, engine_accept(state_need_engine(L)));
  return 1;
}

static void set_feature(lua_State *L, const char *name, bool has) {
  lua_pushboolean(L, has);
  lua_setfield(L, -2, name);
}

/* () -> { version, http2 (is used), asynchronous_names }; nil until the first request has opened libcurl. */
static int core_libcurl(lua_State *L) {
  const curl_version_info_data *info = curl_api_info();
  if (!info) return 0;
  lua_createtable(L, 0, 3);
  lua_pushstring(L, info->version);
  lua_setfield(L, -2, "version");
  set_feature(L, "http2", openssl_allows_http2(info));
  set_feature(L, "asynchronous_names", info->features & CURL_VERSION_ASYNCHDNS);
  return 1;
}

/* (path, text) -> true, or nil and the error. Blocks until the text is written. */
static int core_append(lua_State *L) {
  size_t len;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &len);
  int why = append_to_file(path, text, len);
  if (why) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(why));
    return 2;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* (path): removes the temporary files of killed processes that were saving this file. */
static int core_remove_leftovers(lua_State *L) {
  leftovers_remove(luaL_checkstring(L, 1));
  return 0;
}

static int core_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_nanoseconds() / 1e9);
  return 1;
}

static int core_awake(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_awake_nanoseconds() / 1e9);
  return 1;
}

/* For back-off, and for the tokens of a ledger's claims, so two processes must not get the same numbers. */
static int core_random(lua_State *L) {
  uint32_t bits = 0;
  if (getentropy(&bits, sizeof bits)) return luaL_error(L, "smmpanel: the system returned no random numbers");
  lua_pushnumber(L, bits / 4294967296.0);
  return 1;
}

/* ---- files and processes, for ledgers -------------------------------------------------------- */

static int fail_with(lua_State *L, int error) {
  lua_pushnil(L);
  lua_pushstring(L, strerror(error));
  lua_pushboolean(L, error == ENOENT);
  return 3;
}

/* (path) -> the file's identity, its number of hard links; or nil, the error, whether the file does not exist */
static int core_file(lua_State *L) {
  file_identity id;
  int failed = file_identify(luaL_checkstring(L, 1), &id);
  if (failed) return fail_with(L, failed);
  char text[2 * 20 + 2];
  snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)id.device, (unsigned long long)id.inode);
  lua_pushstring(L, text);
  lua_pushnumber(L, (lua_Number)id.links);
  return 2;
}

/* (path) -> the absolute path; or fails like core_file */
static int core_absolute(lua_State *L) {
  char path[PATH_SIZE];
  int failed = file_absolute(luaL_checkstring(L, 1), path);
  if (failed) return fail_with(L, failed);
  lua_pushstring(L, path);
  return 1;
}

static int core_pid(lua_State *L) {
  lua_pushnumber(L, (lua_Number)getpid());
  return 1;
}

/* (schema, decimals, max_body, spare) -> decoder; each may be nil. A spare is a decoder that is no longer used: it is
 * reset and returned, because a new one takes 15 kB. Throws if an argument is wrong, and when out of memory. */
static int core_decoder(lua_State *L) {
  const char *decimals = luaL_optstring(L, 2, "number");
  decoder *spare = lua_isnoneornil(L, 4) ? NULL : decoder_check(L, 4);
  decoder_options o = {.schema = schema_optional(L, 1),
                       .decimal_text = strcmp(decimals, "string") == 0,
                       .max_body = field_size(luaL_optnumber(L, 3, 0))};
  if (spare) {
    lua_settop(L, 4);
    decoder_reset(L, spare, &o);
  } else {
    decoder_push(L, &o);
  }
  decoder_keep(L, 1);
  return 1;
}

/* nginx's coroutine table lacks isyieldable, and so does LuaJIT before 2.1. */
static int core_is_yieldable(lua_State *L) {
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}

/* ---- the module --------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"schema", schema_new},
                                     {"decoder", core_decoder},
                                     {"client", client_new},
                                     {"form", transfer_form},
                                     {"start", transfer_start},
                                     {"step", step_run},
                                     {"descriptor", core_descriptor},
                                     {"wait", core_wait},
                                     {"input_ready", core_input_ready},
                                     {"in_flight", core_in_flight},
                                     {"libcurl", core_libcurl},
                                     {"listen", core_listen},
                                     {"accept", core_accept},
                                     {"append", core_append},
                                     {"remove_leftovers", core_remove_leftovers},
                                     {"now", core_now},
                                     {"awake", core_awake},
                                     {"random", core_random},
                                     {"file", core_file},
                                     {"absolute", core_absolute},
                                     {"pid", core_pid},
                                     {NULL, NULL}};

/* The only exported name: a program that embeds Lua may have functions with the names of ours. */
__attribute__((visibility("default"))) int luaopen_smmpanel_core(lua_State *L);
int luaopen_smmpanel_core(lua_State *L) {
  schema_open(L);
  decoder_open(L);
  client_open(L);
  transfer_open(L);
  state_open(L);
  step_open(L);
  luaL_newlib(L, functions);
  lua_pushliteral(L, SMMPANEL_VERSION);
  lua_setfield(L, -2, "version");
  if (COMPAT_HAS_ISYIELDABLE) {
    lua_pushcfunction(L, core_is_yieldable);
    lua_setfield(L, -2, "is_yieldable");
  }
  return 1;
}
