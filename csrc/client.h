/* client.h - the data that all requests of one panel share.
 *
 * A userdata that Lua's collector owns. Its uservalue is the table of options; the key alone is stored here, so that
 * it can be wiped. Everything runs on the thread of the Lua state. */
#ifndef SMMPANEL_CLIENT_H
#define SMMPANEL_CLIENT_H

#include "buffer.h"

#include <lua.h>

typedef struct {
  buffer key;
  size_t max_body;
  double connect_timeout;
  bool open;
} client;

/* lua_CFunction: { url, key, max_body, connect_timeout, user_agent, headers, proxy, ca_file, crl_file } -> client */
int client_new(lua_State *L);

/* Throws if the argument is not a client. */
client *client_check(lua_State *L, int arg);

/* Registers the metatable: close, tostring. */
void client_open(lua_State *L);

#endif
