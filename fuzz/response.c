/* fuzz/response.c - the handling of an answer as a whole: a server sends the input, in two pieces, and closes; the
 * call must end with a record or with an error that prints on one line and contains no key.
 *
 * The input: one byte selects the call, one where the pieces part, the rest is the answer from its first byte. With the
 * highest bits of the first byte set, a second call gets the same answer, on the connection of the first if libcurl
 * reuses it. */
#include "../csrc/compat.h"

#include <lualib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int luaopen_smmpanel_core(lua_State *L);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lua_State *L;
enum { STALL_MS = 2 }; /* the server closes a connection after this time if the client waits for more */
enum { TWICE = 0xF0 };

static int listener, port;
static int connection = -1; /* the server's end of the one that is open */

/* The data that the server sends. */
static struct {
  const uint8_t *bytes;
  size_t len, part;
  bool keep; /* leave the connection open */
} reply;

static const char script[] =
    "local core = require 'smmpanel.core'\n"
    "local dispatch = require 'smmpanel.loop.dispatch'\n"
    "local smmpanel = require 'smmpanel'\n"
    "local port, serve = ...\n"
    "local Signal = {}\n"
    "Signal.__index = Signal\n"
    "function Signal:open() self.is_open = true end\n"
    "function Signal:wait()\n"
    "  while not self.is_open do\n"
    "    serve(core.descriptor())\n"
    "    dispatch.step()\n"
    "  end\n"
    "end\n"
    "local loop = {\n"
    "  active = function() return true end,\n"
    "  signal = function() return setmetatable({}, Signal) end,\n"
    "  sleep = error, spawn = error,\n"
    "}\n"
    "local panel = smmpanel.new { url = ('http://127.0.0.1:%d/'):format(port), key = 'the-secret-key', retries = 0,\n"
    "  loop = loop, timeout = 5, max_body = 100000 }\n"
    "local order = { service = 1, link = 'https://x.example', quantity = 1 }\n"
    "local calls = {\n"
    "  function() return panel:services() end,\n"
    "  function() return panel:add(order) end,\n"
    "  function() return panel:status(1) end,\n"
    "  function() return panel:status { 1, 10, 'x' } end,\n"
    "  function() return panel:refill { 1, 3 } end,\n"
    "  function() return panel:refill_status(1) end,\n"
    "  function() return panel:cancel { 9, 2 } end,\n"
    "  function() return panel:balance() end,\n"
    "}\n"
    "local lists = { [4] = { 1, 10, 'x' }, [5] = { 1, 3 }, [7] = { 9, 2 } }\n"
    "return function(number)\n"
    "  local value, err = calls[number]()\n"
    "  for _, id in ipairs(lists[number] or {}) do assert(type(value[id]) == 'table', 'an id is missing') end\n"
    "  if not lists[number] then assert((value == nil) == (err ~= nil), 'neither or both') end\n"
    "  if err then\n"
    "    local said = tostring(err)\n"
    "    assert(#said < 1000 and not said:find '\\n', 'not one line')\n"
    "    assert(not said:find('the-secret-key', 1, true), 'the key')\n"
    "  end\n"
    "end\n";

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  abort();
}

/* ---- the server --------------------------------------------------------------------------- */

static bool whole_request(const char *text, size_t len) {
  const char *body = memmem(text, len, "\r\n\r\n", 4);
  const char *length = memmem(text, len, "Content-Length: ", 16);
  return body && length && (size_t)(text + len - body - 4) >= strtoul(length + 16, NULL, 10);
}

static bool receive_request(int fd) {
  char request[8192];
  size_t len = 0;
  while (len < sizeof request - 1 && !whole_request(request, len)) {
    ssize_t n = recv(fd, request + len, sizeof request - 1 - len, 0);
    if (n <= 0) return false;
    len += (size_t)n;
    request[len] = '\0';
  }
  return true;
}

static bool send_reply(int fd) {
  size_t first = reply.part < reply.len ? reply.part : reply.len;
  if (send(fd, reply.bytes, first, MSG_NOSIGNAL) < 0) return false;
  return first == reply.len || send(fd, reply.bytes + first, reply.len - first, MSG_NOSIGNAL) > 0;
}

static void hang_up(void) {
  if (connection >= 0) close(connection);
  connection = -1;
}

static void answer(void) {
  bool sent = receive_request(connection) && send_reply(connection);
  if (!sent || !reply.keep) hang_up();
}

/* (the engine's descriptor): waits until it is readable, or answers a request. The thread that waits for the call is
 * the server too, because switching threads takes longer than answering. */
static int serve(lua_State *state) {
  struct pollfd list[] = {{.fd = (int)lua_tointeger(state, 1), .events = POLLIN},
                          {.fd = listener, .events = POLLIN},
                          {.fd = connection, .events = POLLIN}};
  int news = poll(list, 3, connection < 0 ? -1 : STALL_MS);
  if (news == 0) hang_up();
  if (list[2].revents) answer();
  if (!list[1].revents) return 0;
  hang_up();
  connection = accept(listener, NULL, NULL);
  if (connection >= 0) answer();
  return 0;
}

static void start_server(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 64)) die("no port");
  getsockname(listener, (struct sockaddr *)&address, &len);
  port = ntohs(address.sin_port);
}

/* ---- the entry ---------------------------------------------------------------------------- */

static void prepare(void) {
  start_server();
  L = luaL_newstate();
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_smmpanel_core);
  lua_setfield(L, -2, "smmpanel.core");
  lua_pop(L, 1);
  if (luaL_loadstring(L, script)) die(lua_tostring(L, -1));
  lua_pushinteger(L, port);
  lua_pushcfunction(L, serve);
  if (lua_pcall(L, 2, 1, 0)) die(lua_tostring(L, -1));
}

static void call(uint8_t which) {
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 1 + (which & 7));
  if (lua_pcall(L, 1, 0, 0)) die(lua_tostring(L, -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  if (!L) prepare();
  reply.bytes = data + 2;
  reply.len = size - 2;
  reply.part = data[1];
  reply.keep = data[0] >= TWICE;
  call(data[0]);
  reply.keep = false;
  if (data[0] >= TWICE) call(data[0]);
  hang_up();
  return 0;
}
