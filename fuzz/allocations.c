/* fuzz/allocations.c - every allocation fails in turn: of the C core (malloc, calloc), of libcurl and of Lua.
 *
 * A run of the main calls is counted once, then made again and again in a Lua state of its own, and the n-th
 * allocation of one kind fails: it must end in a clean error (or do without), leave nothing behind, and the
 * same client must be of use right after. The thread itself fails to start as well. Built with
 * -Wl,--wrap=malloc,... over csrc/ alone; prints how many failed. `allocations URL`: of a server that answers. */
#include "../csrc/compat.h"

#include <curl/curl.h>
#include <errno.h>
#include <lualib.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int luaopen_smmpanel_core(lua_State *L);

typedef enum { CORE, CURL_LIBRARY, LUA, THREAD, KINDS } kind;
static const char *const names[KINDS] = {"core", "libcurl", "lua", "thread"};

static atomic_long allocated[KINDS], live[KINDS];
static atomic_long failing[KINDS]; /* which one fails; 0: none */
static atomic_long failures[KINDS];

static bool fails(kind k) {
  if (atomic_fetch_add(&allocated[k], 1) + 1 != atomic_load(&failing[k])) return false;
  atomic_fetch_add(&failures[k], 1);
  return true;
}

/* ---- the allocators ----------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *p);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user);

static void *counted(kind k, void *p) {
  if (p) atomic_fetch_add(&live[k], 1);
  return p;
}

void *__wrap_malloc(size_t size) {
  return fails(CORE) ? NULL : counted(CORE, __real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails(CORE) ? NULL : counted(CORE, __real_calloc(count, size));
}

void __wrap_free(void *p) {
  if (p) atomic_fetch_sub(&live[CORE], 1);
  __real_free(p);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user) {
  return fails(THREAD) ? EAGAIN : __real_pthread_create(t, a, f, user);
}

static void *curl_malloc(size_t size) {
  return fails(CURL_LIBRARY) ? NULL : counted(CURL_LIBRARY, __real_malloc(size));
}

static void *curl_calloc(size_t count, size_t size) {
  return fails(CURL_LIBRARY) ? NULL : counted(CURL_LIBRARY, __real_calloc(count, size));
}

static void curl_free_one(void *p) {
  if (p) atomic_fetch_sub(&live[CURL_LIBRARY], 1);
  __real_free(p);
}

static void *curl_realloc(void *p, size_t size) {
  if (fails(CURL_LIBRARY)) return NULL;
  return p ? realloc(p, size) : counted(CURL_LIBRARY, realloc(NULL, size));
}

static char *curl_strdup(const char *s) {
  size_t len = strlen(s) + 1;
  char *copy = curl_malloc(len);
  return copy ? memcpy(copy, s, len) : NULL;
}

static void *lua_allocate(void *user, void *p, size_t old, size_t size) {
  (void)user, (void)old;
  if (size == 0) {
    if (p) atomic_fetch_sub(&live[LUA], 1);
    __real_free(p);
    return NULL;
  }
  if ((!p || size > old) && fails(LUA)) return NULL; /* Lua trusts that shrinking works */
  return p ? realloc(p, size) : counted(LUA, realloc(NULL, size));
}

/* ---- the run ------------------------------------------------------------------------------ */

static const char calls[] =
    "local core = require 'smmpanel.core'\n"
    "local url = ...\n"
    "local function await(transfer)\n"
    "  local last = core.now() + 20\n"
    "  while core.now() < last do\n"
    "    core.wait(1)\n"
    "    for _, ended in ipairs(core.step() or {}) do\n"
    "      if ended == transfer then return transfer:result() end\n"
    "    end\n"
    "  end\n"
    "  error 'HUNG'\n"
    "end\n"
    "local function run()\n"
    "  local client = core.client { url = url, key = 'key', max_body = 1e6, connect_timeout = 5, user_agent = 'x',\n"
    "    headers = { 'X-A: b' } }\n"
    "  local transfer, word, text = core.start(client, { action = 'services', timeout = 2, decimals = 'number',\n"
    "    fields = { 'a', 1, 'b', 1.5, 'list', { 'c', 'd' }, 'long', ('x'):rep(2000) } })\n"
    "  if not transfer then return word, text end\n"
    "  local result = await(transfer)\n"
    "  local cancelled = core.start(client, { action = 'add', timeout = 10, write = true })\n"
    "  if cancelled then cancelled:cancel() await(cancelled) end\n"
    "  client:close()\n"
    "  if result.word == '' and result.json == 'whole' then\n"
    "    assert(result.value[1].service == 1 and #result.value == 40, 'WRONG')\n"
    "    return ''\n"
    "  end\n"
    "  assert(result.word ~= '', 'WRONG: no error, but ' .. result.json .. ' ' .. tostring(result.json_error))\n"
    "  return result.word, result.text\n"
    "end\n"
    "return run\n";

static lua_State *new_state(const char *url) {
  lua_State *L = lua_newstate(lua_allocate, NULL);
  if (!L) return NULL;
  luaL_openlibs(L);
  luaL_requiref(L, "smmpanel.core", luaopen_smmpanel_core, 0);
  lua_pop(L, 1);
  if (luaL_loadstring(L, calls)) abort();
  lua_pushstring(L, url);
  if (lua_pcall(L, 1, 1, 0)) abort();
  return L;
}

static void give_up(kind k, long n, const char *why) {
  fprintf(stderr, "allocations: %s %ld: %s\n", names[k], n, why);
  exit(1);
}

static void fail_none(void) {
  for (int k = 0; k < KINDS; k++) atomic_store(&failing[k], 0);
}

/* -> whether it did without the allocation */
static char last[200]; /* what the run ended with */

static bool run(lua_State *L, kind k, long n) {
  int top = lua_gettop(L);
  bool well = false;
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 0, 2, 0) == LUA_OK) {
    const char *word = lua_tostring(L, -2);
    well = word && !*word;
    snprintf(last, sizeof last, "of no use afterwards: %s %s", word ? word : "nothing", lua_tostring(L, -1));
  } else {
    const char *why = lua_tostring(L, -1);
    snprintf(last, sizeof last, "%s", why ? why : "nothing");
    if (!why || strstr(why, "HUNG") || strstr(why, "WRONG")) give_up(k, n, why ? why : "no message");
    if (!strstr(why, "memory") && !strstr(why, "cannot be started")) give_up(k, n, why);
  }
  lua_settop(L, top);
  return well;
}

static long settled(kind k) {
  return atomic_load(&live[k]);
}

/* The n-th of one kind fails; -> false when the run has fewer. */
static bool try_one(const char *url, kind k, long n) {
  lua_State *L = new_state(url);
  long before = atomic_load(&failures[k]);
  atomic_store(&allocated[k], 0);
  atomic_store(&failing[k], n);
  run(L, k, n);
  fail_none();
  bool failed = atomic_load(&failures[k]) > before;
  if (!run(L, k, n)) give_up(k, n, last);
  lua_close(L);
  if (settled(CORE) != 0) give_up(k, n, "the core leaked");
  if (settled(LUA) != 0) give_up(k, n, "Lua leaked");
  return failed;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_free_one, curl_realloc, curl_strdup, curl_calloc);
  lua_State *L = new_state(arguments[1]); /* what is made once a process is made now */
  if (!run(L, CORE, 0)) give_up(CORE, 0, "the server does not answer");
  lua_close(L);
  long curl_live = settled(CURL_LIBRARY), total = 0;
  for (kind k = CORE; k < KINDS; k++) {
    long n = 1;
    while (try_one(arguments[1], k, n)) n++;
    printf("allocations: %s: %ld failed in turn\n", names[k], n - 1);
    total += n - 1;
  }
  if (settled(CURL_LIBRARY) > curl_live) {
    printf("allocations: libcurl holds %ld more than after one run\n", settled(CURL_LIBRARY) - curl_live);
    return 1;
  }
  printf("allocations: %ld failed, each cleanly; nothing leaked\n", total);
  return 0;
}
