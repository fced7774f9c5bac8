/* exchange.c - one request and its response: its life, and its outcome. */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- its life --------------------------------------------------------------------------------- */

exchange *exchange_new(const exchange_options *o, buffer *body) {
  exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  atomic_init(&x->references, 1);
  x->max_body = o->max_body;
  x->deadline = o->deadline;
  x->connect_timeout_ms = o->connect_timeout_ms;
  x->write = o->write;
  x->tls = strncasecmp(o->request.url, "https:", 6) == 0;
  x->outcome.code = "";
  x->request = *body;
  *body = (buffer){0};
  if (!x->request.failed && request_texts_copy(&x->texts, &o->request)) return x;
  exchange_release(x);
  return NULL;
}

void exchange_retain(exchange *x) {
  atomic_fetch_add(&x->references, 1);
}

void exchange_release(exchange *x) {
  if (atomic_fetch_sub(&x->references, 1) > 1) return;
  request_texts_free(&x->texts);
  buffer_free(&x->request);
  inflater_free(x->inflater);
  body_free(&x->packed);
  body_free(&x->body);
  free(x);
}

/* ---- the outcome --------------------------------------------------------------------------- */

void exchange_fail(exchange *x, const char *code, const char *text) {
  if (*x->outcome.code) return;
  x->outcome.code = code;
  snprintf(x->outcome.text, sizeof x->outcome.text, "%s", text);
}

static const char *code_for(CURLcode result) {
  switch (result) {
    case CURLE_OK: return "";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return "resolve";
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return "connect";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED: return "tls";
    case CURLE_OPERATION_TIMEDOUT: return "timeout";
    case CURLE_PARTIAL_FILE: return "cut";
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_ABORTED_BY_CALLBACK: return "reset";
    case CURLE_FILESIZE_EXCEEDED: return "too_large";
    case CURLE_BAD_CONTENT_ENCODING: return "encoding";
    case CURLE_OUT_OF_MEMORY: return "memory";
    case CURLE_URL_MALFORMAT: return "bad_url";
    default: return "protocol";
  }
}

static int version_number(long version) {
  switch (version) {
    case CURL_HTTP_VERSION_1_0: return 10;
    case CURL_HTTP_VERSION_2_0: return 20;
    case CURL_HTTP_VERSION_3: return 30;
    default: return version == CURL_HTTP_VERSION_NONE ? 0 : 11;
  }
}

static double seconds_until(CURL *easy, CURLINFO what) {
  curl_off_t microseconds = 0;
  libcurl.easy_getinfo(easy, what, &microseconds);
  return (double)microseconds / 1e6;
}

static void read_timings(CURL *easy, exchange_outcome *o) {
  long opened = 0;
  o->seconds = seconds_until(easy, CURLINFO_TOTAL_TIME_T);
  o->first_byte = seconds_until(easy, CURLINFO_STARTTRANSFER_TIME_T);
  libcurl.easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
  o->reused = o->sent && !opened;
  if (o->reused) return;
  o->dns = seconds_until(easy, CURLINFO_NAMELOOKUP_TIME_T);
  o->connect = seconds_until(easy, CURLINFO_CONNECT_TIME_T);
  o->tls = seconds_until(easy, CURLINFO_APPCONNECT_TIME_T);
}

static void read_figures(exchange *x) {
  curl_off_t retry_after = 0;
  long version = 0;
  libcurl.easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->outcome.http_status);
  libcurl.easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
  libcurl.easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
  x->outcome.http_version = version_number(version);
  x->outcome.retry_after = retry_after < HEADERS_PAUSE_MAX ? (long)retry_after : HEADERS_PAUSE_MAX;
  x->outcome.rate_reset = x->answer.rate_reset;
  x->outcome.headers_len = x->answer.kept_len;
  memcpy(x->outcome.headers, x->answer.kept, x->answer.kept_len);
  read_timings(x->easy, &x->outcome);
}

/* A failure before the request was sent is a failure to connect, for example when a proxy refuses the tunnel. libcurl
 * reports a header above its size limit as out of memory. */
static const char *code_of(const exchange *x, CURLcode result) {
  const char *code = code_for(result);
  if (strcmp(code, "reset") == 0 && !x->outcome.sent) return "connect";
  if (result == CURLE_UNSUPPORTED_PROTOCOL && !x->outcome.sent) return "unsupported"; /* built without TLS */
  if (result == CURLE_OUT_OF_MEMORY && x->outcome.sent && !x->outcome.bytes) return "protocol";
  return code;
}

static bool resolves_asynchronously(void) {
  return libcurl.info->features & CURL_VERSION_ASYNCHDNS;
}

static const char *text_of(const exchange *x, CURLcode result) {
  if (result == CURLE_OK) return "";
  if (result == CURLE_ABORTED_BY_CALLBACK) return "the connection broke and a write is not sent twice";
  if (result == CURLE_OPERATION_TIMEDOUT && !x->outcome.sent && !resolves_asynchronously())
    return "it timed out; this libcurl has a synchronous resolver, so one slow name server holds up all "
           "calls";
  if (result == CURLE_OUT_OF_MEMORY && x->outcome.sent && !x->outcome.bytes)
    return "a header of the answer is too large, or there is no memory for it";
  return *x->curl_text ? x->curl_text : libcurl.easy_strerror(result);
}

/* If a callback aborted the transfer, it has set the reason already; libcurl's result only says that it was aborted. */
void exchange_finish(exchange *x, CURLcode result) {
  read_figures(x);
  if (!x->on_known) connections_store(x->connections, x->easy, x->outcome.http_version < 20);
  exchange_fail(x, code_of(x, result), text_of(x, result));
}

void exchange_abandon(exchange *x, const char *code, const char *text) {
  if (x->easy) read_figures(x);
  exchange_fail(x, code, text);
}
