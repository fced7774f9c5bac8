/* fuzz/allocations.c - every allocation fails in turn: of the C core (malloc, calloc, realloc), of libcurl and of Lua.
 *
 * The allocations of a run of the main calls are counted once. Then the run is repeated in a new Lua state for each n,
 * with the n-th allocation of one kind failing: it must end in a clean error (or work without), leak nothing, and the
 * same client must work right after. Starting the thread fails too. Memory that the core frees must not contain the key.
 * Built with -Wl,--wrap=malloc,... for csrc/ only; prints how many failed, and at how many places of the program.
 * `allocations URL`: the URL of a server that answers. */
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

#define KEY "S3CRET-key"
enum { PLACES_MAX = 4096 };

/* The places in the program where a kind is allocated during a failing run, and whether it failed there. */
typedef struct {
  void *from;
  bool failed;
} place;
/* Lua collects garbage and tries once more before it reports that memory is out. */
static const long in_a_row[KINDS] = {1, 1, 2, 1};
static place places[KINDS][PLACES_MAX];
static int place_count[KINDS];
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

static void note_place(kind k, void *from, bool failed) {
  pthread_mutex_lock(&places_lock);
  int i = 0;
  while (i < place_count[k] && places[k][i].from != from) i++;
  if (i == place_count[k] && i < PLACES_MAX) places[k][place_count[k]++].from = from;
  if (i < PLACES_MAX) places[k][i].failed |= failed;
  pthread_mutex_unlock(&places_lock);
}

static bool fails(kind k, void *from) {
  long n = atomic_fetch_add(&allocated[k], 1) + 1, first = atomic_load(&failing[k]);
  bool failed = first && n >= first && n < first + in_a_row[k];
  if (failed) atomic_fetch_add(&failures[k], 1);
  if (atomic_load(&failing[k])) note_place(k, from, failed);
  return failed;
}

#define FAILS(k) fails(k, __builtin_return_address(0))

static int places_failed(kind k) {
  int failed = 0;
  for (int i = 0; i < place_count[k]; i++) failed += places[k][i].failed;
  return failed;
}

/* ---- the allocators ----------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user);

static void *counted(kind k, void *p) {
  if (p) atomic_fetch_add(&live[k], 1);
  return p;
}

/* Zeroed, so that later contents were written by the core. */
void *__wrap_malloc(size_t size) {
  void *p = FAILS(CORE) ? NULL : counted(CORE, __real_malloc(size));
  return p ? memset(p, 0, malloc_usable_size(p)) : NULL;
}

void *__wrap_calloc(size_t count, size_t size) {
  void *p = FAILS(CORE) ? NULL : counted(CORE, __real_calloc(count, size));
  return p ? memset(p, 0, malloc_usable_size(p)) : NULL;
}

/* For memory without the key: it may leave a copy behind. */
void *__wrap_realloc(void *p, size_t size) {
  size_t old = p ? malloc_usable_size(p) : 0;
  void *grown = FAILS(CORE) ? NULL : __real_realloc(p, size);
  if (!grown) return NULL;
  if (malloc_usable_size(grown) > old) memset((char *)grown + old, 0, malloc_usable_size(grown) - old);
  return p ? grown : counted(CORE, grown);
}

void __wrap_free(void *p) {
  if (p) atomic_fetch_sub(&live[CORE], 1);
  if (p && memmem(p, malloc_usable_size(p), KEY, sizeof KEY - 1)) {
    fprintf(stderr, "allocations: the key is in what the core freed\n");
    abort();
  }
  __real_free(p);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *user) {
  return FAILS(THREAD) ? EAGAIN : __real_pthread_create(t, a, f, user);
}

static void *curl_malloc(size_t size) {
  return FAILS(CURL_LIBRARY) ? NULL : counted(CURL_LIBRARY, __real_malloc(size));
}

static void *curl_calloc(size_t count, size_t size) {
  return FAILS(CURL_LIBRARY) ? NULL : counted(CURL_LIBRARY, __real_calloc(count, size));
}

static void curl_free_one(void *p) {
  if (p) atomic_fetch_sub(&live[CURL_LIBRARY], 1);
  __real_free(p);
}

static void *curl_realloc(void *p, size_t size) {
  if (FAILS(CURL_LIBRARY)) return NULL;
  return p ? __real_realloc(p, size) : counted(CURL_LIBRARY, __real_realloc(NULL, size));
}

static char *curl_strdup(const char *s) {
  size_t len = strlen(s) + 1;
  char *copy = FAILS(CURL_LIBRARY) ? NULL : counted(CURL_LIBRARY, __real_malloc(len));
  return copy ? memcpy(copy, s, len) : NULL;
}

/* Lua then collects everything that is not anchored and tries again: a full cycle at each allocation. */
static bool refuses_first;
static long refused;

static bool refuse_first(void) {
  static bool again;
  again = refuses_first && !again;
  refused += again;
  return again;
}

static void *lua_allocate(void *user, void *p, size_t old, size_t size) {
  (void)user, (void)old;
  if (size == 0) {
    if (p) atomic_fetch_sub(&live[LUA], 1);
    __real_free(p);
    return NULL;
  }
  if ((!p || size > old) && (FAILS(LUA) || refuse_first())) return NULL; /* Lua assumes that it can shrink */
  return p ? __real_realloc(p, size) : counted(LUA, __real_realloc(NULL, size));
}

/* ---- the run ------------------------------------------------------------------------------ */

static const char calls[] =
    "local core = require 'smmpanel.core'\n"
    "local url, long = ..., ('x'):rep(2000)\n" /* rep's own buffer is of no use after a failure in Lua 5.4.4 */
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
    "  local client = core.client { url = url, key = '" KEY "', max_body = 1e6, connect_timeout = 5,\n"
    "    user_agent = 'x', headers = { 'X-A: b' } }\n"
    "  local transfer, code, text = core.start(client, { action = 'services', deadline = core.now() + 2, decimals = 'number',\n"
    "    fields = { 'a', 1, 'b', 1.5, 'list', { 'c', 'd' }, 'long', long } })\n"
    "  if not transfer then return code, text end\n"
    "  local result = await(transfer)\n"
    "  local cancelled = core.start(client, { action = 'add', deadline = core.now() + 10, write = true })\n"
    "  if cancelled then cancelled:cancel() await(cancelled) end\n"
    "  client:close()\n"
    "  if result.code == '' and result.json == 'whole' then\n"
    "    assert(result.value[1].service == 1 and #result.value == 40, 'WRONG')\n"
    "    return ''\n"
    "  end\n"
    "  assert(result.code ~= '', 'WRONG: no error, but ' .. result.json .. ' ' .. tostring(result.json_error))\n"
    "  return result.code, result.text\n"
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

/* Returns whether it worked without the allocation. */
static char last[200]; /* the result of the run */

static bool run(lua_State *L, kind k, long n) {
  int top = lua_gettop(L);
  bool well = false;
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 0, 2, 0) == LUA_OK) {
    const char *code = lua_tostring(L, -2);
    well = code && !*code;
    snprintf(last, sizeof last, "of no use afterwards: %s %s", code ? code : "nothing", lua_tostring(L, -1));
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

/* Makes the n-th of one kind fail; returns false if the run has fewer. */
static bool try_one(const char *url, kind k, long n, long *errors) {
  lua_State *L = new_state(url);
  long before = atomic_load(&failures[k]);
  atomic_store(&allocated[k], 0);
  atomic_store(&failing[k], n);
  *errors += !run(L, k, n);
  fail_none();
  bool failed = atomic_load(&failures[k]) > before;
  if (!run(L, k, n)) give_up(k, n, last);
  lua_close(L);
  if (settled(CORE) != 0) give_up(k, n, "the core leaked");
  if (settled(LUA) != 0) give_up(k, n, "Lua leaked");
  return failed;
}

/* Everything that is not anchored is collected. */
static void collect_at_each(const char *url) {
  lua_State *L = new_state(url);
  for (int i = 0; i < 20; i++) {
    refuses_first = true;
    if (!run(L, LUA, 0)) give_up(LUA, 0, last);
    refuses_first = false;
  }
  lua_close(L);
  printf("allocations: lua: %ld times all was collected before one\n", refused);
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_free_one, curl_realloc, curl_strdup, curl_calloc);
  lua_State *L = new_state(arguments[1]); /* makes what exists once per process */
  if (!run(L, CORE, 0)) give_up(CORE, 0, "the server does not answer");
  lua_close(L);
  long curl_live = settled(CURL_LIBRARY), total = 0;
  for (kind k = CORE; k < KINDS; k++) {
    long n = 1, errors = 0;
    while (try_one(arguments[1], k, n, &errors)) n++;
    printf("allocations: %s: %ld failed in turn, at %d of %d places; %ld made an error, the others were done without\n",
           names[k], n - 1, places_failed(k), place_count[k], errors);
    total += n - 1;
  }
  collect_at_each(arguments[1]);
  for (int i = 0; i < place_count[CORE]; i++)
    if (!places[CORE][i].failed) fprintf(stderr, "allocations: never failed: %p\n", places[CORE][i].from);
  if (places_failed(CORE) < place_count[CORE]) give_up(CORE, 0, "one was asked for at a place where none failed");
  if (settled(CURL_LIBRARY) > curl_live) {
    printf("allocations: libcurl holds %ld more than after one run\n", settled(CURL_LIBRARY) - curl_live);
    return 1;
  }
  printf("allocations: %ld failed, each cleanly; nothing leaked\n", total);
  return 0;
}
