/* curl_api.c - see curl_api.h. */
#include "curl_api.h"
#include "openssl.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION_MIN = 0x075000, FORK_WAIT_MS = 1000 };

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static bool fork_waited; /* has `opening` during a fork */
static bool half_opened; /* in this process, which was forked meanwhile */

bool curl_api_refuse(curl_refusal *why, const char *code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  why->code = code;
  vsnprintf(why->text, sizeof why->text, format, arguments);
  va_end(arguments);
  return false;
}

/* ---- the functions ---------------------------------------------------------------------------- */

#ifdef LINK_LIBCURL

#define LINKED(name) .name = curl_##name,
curl_api libcurl = {CURL_API_FUNCTIONS(LINKED)};

static bool find_functions(curl_refusal *why) {
  (void)why;
  openssl_find(NULL);
  return true;
}

#else

#ifdef __APPLE__
static const char *const names[] = {"libcurl.4.dylib"};
#else
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
#endif

curl_api libcurl;

static void *open_library(curl_refusal *why) {
  char reason[256] = "";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
    if (library) return library;
    const char *text = dlerror();
    if (!*reason) snprintf(reason, sizeof reason, "%s", text ? text : names[i]);
  }
  curl_api_refuse(why, "unsupported", "libcurl cannot be loaded; install it (Debian: libcurl4): %s", reason);
  return NULL;
}

/* A library that lacks a function stays loaded: its dependencies may not survive being closed. */
static bool find_functions(curl_refusal *why) {
#define FUNCTION(name) {"curl_" #name, offsetof(curl_api, name)},
  static const struct {
    const char *name;
    size_t offset;
  } functions[] = {CURL_API_FUNCTIONS(FUNCTION)};
  void *library = open_library(why);
  if (!library) return false;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *found = dlsym(library, functions[i].name);
    if (!found) return curl_api_refuse(why, "unsupported", "this libcurl has no %s", functions[i].name);
    memcpy((char *)&libcurl + functions[i].offset, &found, sizeof found);
  }
  openssl_find(library);
  return true;
}

#endif

/* ---- opening ---------------------------------------------------------------------------------- */

static bool is_new_enough(const curl_version_info_data *info, curl_refusal *why) {
  if (info->version_num >= VERSION_MIN) return true;
  return curl_api_refuse(why, "unsupported", "libcurl %s is too old: smmpanel needs 7.80 or newer",
                         info->version);
}

/* The program may have initialised OpenSSL meanwhile: our exit handler must come after OpenSSL's, to run before it. */
static bool open_once(void (*at_exit)(void), curl_refusal *why) {
  if (!find_functions(why)) return false;
  const curl_version_info_data *info = libcurl.version_info(CURLVERSION_NOW);
  if (!is_new_enough(info, why)) return false;
  openssl_initialise(info);
  if (libcurl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || atexit(at_exit) != 0)
    return curl_api_refuse(why, "memory", "libcurl cannot be initialised");
  libcurl.info = info;
  return true;
}

bool curl_api_open(void (*at_exit)(void), curl_refusal *why) {
  if (half_opened)
    return curl_api_refuse(why, "unsupported", "this process was forked while libcurl was being loaded");
  pthread_mutex_lock(&opening);
  bool ok = libcurl.info || open_once(at_exit, why);
  pthread_mutex_unlock(&opening);
  return ok;
}

const curl_version_info_data *curl_api_info(void) {
  if (pthread_mutex_trylock(&opening) != 0) return NULL;
  const curl_version_info_data *info = libcurl.info;
  pthread_mutex_unlock(&opening);
  return info;
}

/* Until glibc 2.36, and in musl, a fork holds a lock that libcurl's libraries need while they are loaded. */
void curl_api_before_fork(void) {
  fork_waited = false;
  for (int i = 0; i < FORK_WAIT_MS && !fork_waited; i++)
    if (!(fork_waited = pthread_mutex_trylock(&opening) == 0)) poll(NULL, 0, 1);
}

void curl_api_after_fork(bool in_child) {
  if (fork_waited)
    pthread_mutex_unlock(&opening);
  else if (in_child)
    half_opened = true;
}
