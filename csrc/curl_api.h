/* curl_api.h - libcurl's functions in a table, which is filled when the first request starts.
 *
 * libcurl loads about thirty libraries, which costs more than the rest of the module. A program that makes no request
 * does not open it, and in other programs the engine's thread opens it, so that the host does not wait. With
 * LINK_LIBCURL, the table has the functions that the module was linked with.
 *
 * Owner: the process; libcurl is never closed. Call curl_api_open on an engine's thread; the table may be read once it
 * has returned true there. Nothing here throws. */
#ifndef SMMPANEL_CURL_API_H
#define SMMPANEL_CURL_API_H

#include <curl/curl.h>
#include <stdbool.h>

#if defined(LIBCURL_VERSION_NUM) && LIBCURL_VERSION_NUM < 0x075000
#error "smmpanel needs libcurl 7.80 or newer, for CURLOPT_PREREQFUNCTION"
#endif

#define CURL_API_FUNCTIONS(f)                                                                                \
  f(global_init) f(version_info) f(easy_init) f(easy_setopt) f(easy_getinfo) f(easy_pause) f(easy_strerror)  \
      f(easy_reset) f(easy_cleanup) f(multi_init) f(multi_setopt) f(multi_add_handle) f(multi_remove_handle) \
          f(multi_info_read) f(multi_assign) f(multi_socket_action) f(multi_cleanup)

#define CURL_API_MEMBER(name) __typeof__(curl_##name) *name;
typedef struct {
  CURL_API_FUNCTIONS(CURL_API_MEMBER)
  const curl_version_info_data *info;
} curl_api;
#undef CURL_API_MEMBER

extern curl_api libcurl;

/* Why libcurl cannot do something. `code` is memory, or unsupported: libcurl is missing, too old or lacks a feature. */
typedef struct {
  const char *code;
  char text[320];
} curl_refusal;

/* Sets *why and returns false. */
bool curl_api_refuse(curl_refusal *why, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Opens and initialises libcurl, unless that is done. Then registers a function to run when the program exits. */
bool curl_api_open(void (*at_exit)(void), curl_refusal *why);

/* What libcurl says of itself, for any thread; NULL until it is open. Never waits. */
const curl_version_info_data *curl_api_info(void);

/* Around a fork, which waits until a thread that is opening libcurl has done so, but at most a second. */
void curl_api_before_fork(void);
void curl_api_after_fork(bool in_child);

#endif
