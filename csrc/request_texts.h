/* request_texts.h - the texts of a request other than its body, copied for the engine's thread.
 *
 * Owner: the code that declares it; zero-initialise it and call request_texts_free once. Nothing here throws. */
#ifndef SMMPANEL_REQUEST_TEXTS_H
#define SMMPANEL_REQUEST_TEXTS_H

#include <curl/curl.h>
#include <stdbool.h>

typedef struct {
  const char *url, *proxy, *ca_file, *crl_file, *user_agent;
  const char *const *headers; /* "Name: value", NULL at the end */
} request_options;

/* The texts may be NULL where those of the options may be. The list is one for libcurl. */
typedef struct {
  const char *url, *proxy, *no_proxy, *ca_file, *crl_file, *user_agent;
  struct curl_slist *headers;
  void *memory; /* all of the above */
} request_texts;

/* Call it on the Lua state's thread, because it reads the environment for a proxy. False: out of memory. */
bool request_texts_copy(request_texts *t, const request_options *o);
void request_texts_free(request_texts *t);

#endif
