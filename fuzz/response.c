/* fuzz/response.c - the handling of an answer as a whole: a server sends the input, in two pieces, and closes; the
 * call must end with a record or with an error that prints on one line and holds no key.
 *
 * The input: one byte chooses the call, one where the pieces part, the rest is the answer from its first byte. */
#include "../csrc/compat.h"

#include <lualib.h>
#include <netinet/in.h>
#include <pthread.h>
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
static int listener, port;

/* What the server is to send; a call may be over while it still sends, so it takes a copy. */
typedef struct {
  uint8_t bytes[4096];
  size_t len, part;
} reply;
static reply next_reply;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char script[] =
    "local smmpanel = require 'smmpanel'\n"
    "local port = ...\n"
    "local panel = smmpanel.new { url = ('http://127.0.0.1:%d/'):format(port), key = 'the-secret-key', retries = 0,\n"
    "  timeout = 5, max_body = 100000 }\n"
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

static void serve(int fd) {
  char request[8192];
  size_t len = 0;
  while (len < sizeof request - 1 && !whole_request(request, len)) {
    ssize_t n = recv(fd, request + len, sizeof request - 1 - len, 0);
    if (n <= 0) return;
    len += (size_t)n;
    request[len] = '\0';
  }
  pthread_mutex_lock(&lock);
  reply now = next_reply;
  pthread_mutex_unlock(&lock);
  size_t first = now.part < now.len ? now.part : now.len;
  if (send(fd, now.bytes, first, MSG_NOSIGNAL) < 0) return;
  if (first < now.len) send(fd, now.bytes + first, now.len - first, MSG_NOSIGNAL);
}

static void *serve_all(void *unused) {
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    serve(fd);
    shutdown(fd, SHUT_RDWR);
    close(fd);
  }
  return unused;
}

static void start_server(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof address;
  pthread_t thread;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 64)) die("no port");
  getsockname(listener, (struct sockaddr *)&address, &len);
  port = ntohs(address.sin_port);
  if (pthread_create(&thread, NULL, serve_all, NULL)) die("no thread");
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
  if (lua_pcall(L, 1, 1, 0)) die(lua_tostring(L, -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  if (!L) prepare();
  pthread_mutex_lock(&lock);
  next_reply.len = size - 2 < sizeof next_reply.bytes ? size - 2 : sizeof next_reply.bytes;
  memcpy(next_reply.bytes, data + 2, next_reply.len);
  next_reply.part = data[1];
  pthread_mutex_unlock(&lock);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 1 + (data[0] & 7));
  if (lua_pcall(L, 1, 0, 0)) die(lua_tostring(L, -1));
  return 0;
}
