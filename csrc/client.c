/* client.c - see client.h. */
#include "client.h"
#include "compat.h"
#include "fields.h"
#include "sha256.h"

#include <stdint.h>

#define CLIENT "smmpanel.client"

client *client_check(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, CLIENT);
}

static int client_close(lua_State *L) {
  client *c = client_check(L, 1);
  c->open = false;
  buffer_free(&c->key);
  return 0;
}

/* account_tag(salt) -> a text that identifies the key. Guessing a key from it costs about a millisecond for each guess.
 * Returns nothing if the client is closed. */
static int client_account_tag(lua_State *L) {
  enum { ROUNDS = 2048, TAG_BYTES = 16 };
  static const char digits[] = "0123456789abcdef";
  unsigned char hash[SHA256_BYTES];
  char tag[2 * TAG_BYTES];
  client *c = client_check(L, 1);
  size_t len;
  const char *salt = luaL_checklstring(L, 2, &len);
  if (!c->open) return 0;
  sha256_stretch(c->key.data, c->key.len, salt, len, ROUNDS, hash);
  for (int i = 0; i < TAG_BYTES; i++) {
    tag[2 * i] = digits[hash[i] >> 4];
    tag[2 * i + 1] = digits[hash[i] & 15];
  }
  lua_pushlstring(L, tag, sizeof tag);
  return 1;
}

static int client_tostring(lua_State *L) {
  client *c = client_check(L, 1);
  lua_pushfstring(L, "smmpanel.client (%s)", c->open ? "open" : "closed");
  return 1;
}

static void copy_options(lua_State *L) {
  static const char *const names[] = {"url", "user_agent", "headers", "proxy", "ca_file", "crl_file"};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getfield(L, 1, names[i]);
    lua_setfield(L, -2, names[i]);
  }
  lua_setuservalue(L, -2);
}

int client_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  client *c = lua_newuserdata(L, sizeof *c);
  *c = (client){0};
  luaL_setmetatable(L, CLIENT);
  c->max_body = field_size(field_number(L, 1, "max_body"));
  c->connect_timeout = field_number(L, 1, "connect_timeout");
  copy_options(L);
  lua_getfield(L, 1, "key");
  size_t len;
  const char *key = luaL_checklstring(L, -1, &len);
  buffer_add(&c->key, key, len);
  lua_pop(L, 1);
  if (c->key.failed) return luaL_error(L, "not enough memory");
  c->open = true;
  return 1;
}

void client_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", client_close}, {"account_tag", client_account_tag}, {NULL, NULL}};
  compat_new_class(L, CLIENT, methods, client_close, client_tostring);
}
