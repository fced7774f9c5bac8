/* exchange.c - one request and its response: libcurl's options, its callbacks, the outcome. */
#include "exchange.h"
#include "proxy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if defined(LIBCURL_VERSION_NUM) && LIBCURL_VERSION_NUM < 0x075000
#error "smmpanel needs libcurl 7.80 or newer, for CURLOPT_PREREQFUNCTION"
#endif

void exchange_fail(exchange *x, const char *code, const char *text) {
  if (*x->outcome.code) return;
  x->outcome.code = code;
  snprintf(x->outcome.text, sizeof x->outcome.text, "%s", text);
}

/* ---- callbacks: they run in the engine's thread, inside libcurl --------------------------- */

/* A child program must not inherit a connection on which the key was sent. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose) {
  (void)user;
  (void)purpose;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

static bool is_out_of_step(const exchange *x, const connection_ends *ends) {
  long opened = 1;
  curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &opened);
  return connections_unasked(x->connections, ends, opened != 0);
}

/* Runs right before a request is sent. libcurl calls it again if a reused connection turns out to be dead. The first
 * request may have arrived, so a write is then aborted, and the caller decides. */
static int on_request(void *user, char *peer, char *local, int peer_port, int local_port) {
  exchange *x = user;
  x->out_of_step = is_out_of_step(x, &(connection_ends){local, peer, local_port, peer_port});
  if (x->out_of_step) return CURL_PREREQFUNC_ABORT;
  if (deadline_left(&x->deadline) <= 0) {
    exchange_fail(x, "timeout", "the deadline passed before the request was sent");
    return CURL_PREREQFUNC_ABORT;
  }
  x->outcome.sent = true;
  return ++x->issued > 1 && x->write ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
  exchange *x = user;
  size_t len = size * count;
  if (headers_read(&x->answer, line, len)) return len;
  exchange_fail(x, x->answer.code, x->answer.text);
  return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
  exchange *x = user;
  size_t len = size * count;
  if (len > x->max_body - x->raw_bytes) {
    exchange_fail(x, "too_large", "the answer is larger than max_body");
    return 0;
  }
  x->raw_bytes += len;
  return x->on_body(x->user, x, data, len) ? len : 0;
}

/* ---- making one --------------------------------------------------------------------------- */

static bool is_accepted(exchange_refusal *why, const char *option, CURLcode result) {
  if (result == CURLE_OK) return true;
  *why = (exchange_refusal){.code = "memory", .text = "out of memory"};
  if (result == CURLE_OUT_OF_MEMORY) return false;
  why->code = "unsupported";
  snprintf(why->text, sizeof why->text, "this libcurl (%s) refuses %s: %s",
           curl_version_info(CURLVERSION_NOW)->version, option, curl_easy_strerror(result));
  return false;
}

#define SET(option, value) \
  if (!is_accepted(why, #option, curl_easy_setopt(x->easy, option, value))) return false

static bool add_header(exchange *x, const char *header) {
  struct curl_slist *list = curl_slist_append(x->headers, header);
  if (list) x->headers = list;
  return list != NULL;
}

/* For libcurl "Name:" removes a header, and "Name;" sends one without a value. */
static bool add_given_header(exchange *x, const char *header) {
  const char *colon = strchr(header, ':');
  if (!colon || colon[1 + strspn(colon + 1, " \t")]) return add_header(x, header);
  buffer empty = {0};
  buffer_add(&empty, header, (size_t)(colon - header));
  buffer_add(&empty, ";", 2);
  bool ok = !empty.failed && add_header(x, empty.data);
  buffer_free(&empty);
  return ok;
}

/* "Expect:" removes that header: libcurl would send it before a large body, and some panels never answer it. */
static bool set_header_list(exchange *x, const exchange_options *o, exchange_refusal *why) {
  bool ok = add_header(x, "Accept: application/json") && add_header(x, "Expect:");
#ifndef WITHOUT_ZLIB
  ok = ok && add_header(x, "Accept-Encoding: gzip");
#endif
  for (const char *const *h = o->headers; ok && h && *h; h++) ok = add_given_header(x, *h);
  if (!ok) return is_accepted(why, "headers", CURLE_OUT_OF_MEMORY);
  SET(CURLOPT_HTTPHEADER, x->headers);
  return true;
}

/* Writes do not share a connection: an HTTP/2 stream that the server refuses, for example when it closes a connection
 * after its limit of requests, would make the write uncertain. */
static bool set_request(exchange *x, const exchange_options *o, exchange_refusal *why) {
  SET(CURLOPT_URL, o->url);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->request.len);
  SET(CURLOPT_POSTFIELDS, x->request.data); /* libcurl does not copy it, so that we can wipe it */
  SET(CURLOPT_USERAGENT, o->user_agent);
  SET(CURLOPT_HTTP_CONTENT_DECODING, 0L); /* see inflater.h */
  SET(CURLOPT_HTTP_VERSION, (long)(x->multiplex ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (x->multiplex) SET(CURLOPT_PIPEWAIT, 1L);
  return set_header_list(x, o, why);
}

static bool set_callbacks(exchange *x, exchange_refusal *why) {
  SET(CURLOPT_PRIVATE, x);
  SET(CURLOPT_ERRORBUFFER, x->curl_text);
  SET(CURLOPT_SOCKOPTFUNCTION, on_new_socket);
  SET(CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, x);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, x);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, x);
  return true;
}

/* Redirects are not followed (libcurl's default): the key is in the body. */
static bool set_limits(exchange *x, const exchange_options *o, exchange_refusal *why) {
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, x->tls ? "https" : "http");
#else
  SET(CURLOPT_PROTOCOLS, (long)(x->tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* cancelling a DNS lookup does not wait for the resolver */
#endif
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(o->max_body < INT64_MAX ? o->max_body : INT64_MAX));
  if (x->write) SET(CURLOPT_MAXAGE_CONN, (long)EXCHANGE_WRITE_IDLE);
  return true;
}

/* Always sets both, because otherwise libcurl would read the environment in the engine's thread. */
static bool set_proxy(exchange *x, const exchange_options *o, exchange_refusal *why) {
  SET(CURLOPT_PROXY, o->proxy ? o->proxy : proxy_for(o->url));
  SET(CURLOPT_NOPROXY, proxy_exceptions());
  return true;
}

/* Allow elliptic curves only, which take less than a millisecond. In a finite-field key exchange the server chooses the
 * group, and one of 8192 bits blocks the thread, and so all other calls, for a quarter of a second. OpenSSL from 3.5 on
 * offers no such group for TLS 1.3; other libraries offer no large one. */
static bool set_key_exchange(exchange *x, const curl_version_info_data *built, exchange_refusal *why) {
  const char *library = built->ssl_version ? built->ssl_version : "";
  if (strncmp(library, "OpenSSL/", 8) != 0) return true;
  SET(CURLOPT_SSL_CIPHER_LIST, "DEFAULT:!kDHE");
  if (strncmp(library, "OpenSSL/3.", 10) != 0 || library[10] > '4' || library[11] != '.') return true;
  SET(CURLOPT_SSL_EC_CURVES, "X25519:P-256:X448:P-384:P-521");
  return true;
}

/* With a CApath, which Debian sets, libcurl cannot cache the loaded certificates, and each new connection takes about
 * 30 ms to parse them. One file is enough. */
static bool set_trust(exchange *x, const exchange_options *o, const curl_version_info_data *built,
                      exchange_refusal *why) {
  const char *ca_file = o->ca_file;
  if (!x->tls) return true;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* regardless of the system's policy */
  if (!set_key_exchange(x, built, why)) return false;
  if (o->crl_file) SET(CURLOPT_CRLFILE, o->crl_file);
#if LIBCURL_VERSION_NUM >= 0x075400
  if (!ca_file && built->age >= CURLVERSION_TENTH) ca_file = built->cainfo;
#else
  (void)built;
#endif
  if (!ca_file) return true;
  SET(CURLOPT_CAINFO, ca_file);
  curl_easy_setopt(x->easy, CURLOPT_CAPATH, NULL); /* not supported by every TLS library */
  return true;
}

bool exchange_set_time(exchange *x, int64_t milliseconds) {
  exchange_refusal unused, *why = &unused;
  long all = milliseconds < INT32_MAX ? (long)milliseconds : INT32_MAX;
  SET(CURLOPT_TIMEOUT_MS, all);
  SET(CURLOPT_CONNECTTIMEOUT_MS, x->connect_timeout_ms < all ? x->connect_timeout_ms : all);
  return true;
}

#undef SET

static bool set_options(exchange *x, const exchange_options *o, const curl_version_info_data *built,
                        exchange_refusal *why) {
  *why = (exchange_refusal){.code = "memory", .text = "out of memory"};
  return x->easy && set_request(x, o, why) && set_callbacks(x, why) && set_limits(x, o, why) &&
         set_proxy(x, o, why) && set_trust(x, o, built, why);
}

/* Each exchange gets a new easy handle. In a reused one libcurl 7.88 keeps a dangling pointer to the last header of
 * the previous response, and follows it if a response begins with a folded line; it also keeps its count of resends. */
exchange *exchange_new(const exchange_options *o, buffer *body, exchange_refusal *why) {
  const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
  exchange *x = calloc(1, sizeof *x);
  *why = (exchange_refusal){.code = "memory", .text = "out of memory"};
  if (!x) return NULL;
  atomic_init(&x->references, 1);
  x->max_body = o->max_body;
  x->deadline = o->deadline;
  x->connect_timeout_ms = o->connect_timeout_ms;
  x->write = o->write;
  x->tls = strncasecmp(o->url, "https:", 6) == 0;
  x->multiplex = x->tls && !x->write && built->features & CURL_VERSION_HTTP2;
  x->outcome.code = "";
  x->request = *body;
  *body = (buffer){0};
  x->easy = x->request.failed ? NULL : curl_easy_init();
  if (set_options(x, o, built, why)) return x;
  exchange_release(x);
  return NULL;
}

void exchange_retain(exchange *x) {
  atomic_fetch_add(&x->references, 1);
}

void exchange_release(exchange *x) {
  if (atomic_fetch_sub(&x->references, 1) > 1) return;
  curl_easy_cleanup(x->easy);
  curl_slist_free_all(x->headers);
  buffer_free(&x->request);
  inflater_free(x->inflater);
  body_free(&x->packed);
  body_free(&x->body);
  free(x);
}

/* ---- the outcome --------------------------------------------------------------------------- */

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
  curl_easy_getinfo(easy, what, &microseconds);
  return (double)microseconds / 1e6;
}

static void read_timings(CURL *easy, exchange_outcome *o) {
  long opened = 0;
  o->seconds = seconds_until(easy, CURLINFO_TOTAL_TIME_T);
  o->first_byte = seconds_until(easy, CURLINFO_STARTTRANSFER_TIME_T);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
  o->reused = o->sent && !opened;
  if (o->reused) return;
  o->dns = seconds_until(easy, CURLINFO_NAMELOOKUP_TIME_T);
  o->connect = seconds_until(easy, CURLINFO_CONNECT_TIME_T);
  o->tls = seconds_until(easy, CURLINFO_APPCONNECT_TIME_T);
}

static void read_figures(exchange *x) {
  curl_off_t retry_after = 0;
  long version = 0;
  curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->outcome.http_status);
  curl_easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
  x->outcome.http_version = version_number(version);
  x->outcome.retry_after = (double)retry_after;
  x->outcome.rate_reset = x->answer.rate_reset;
  memcpy(x->outcome.cf_ray, x->answer.cf_ray, sizeof x->outcome.cf_ray);
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
  return curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS;
}

static const char *text_of(const exchange *x, CURLcode result) {
  if (result == CURLE_OK) return "";
  if (result == CURLE_ABORTED_BY_CALLBACK) return "the connection broke and a write is not sent twice";
  if (result == CURLE_OPERATION_TIMEDOUT && !x->outcome.sent && !resolves_asynchronously())
    return "it timed out; this libcurl has a synchronous resolver, so one slow name server holds up all "
           "calls";
  if (result == CURLE_OUT_OF_MEMORY && x->outcome.sent && !x->outcome.bytes)
    return "a header of the answer is too large, or there is no memory for it";
  return *x->curl_text ? x->curl_text : curl_easy_strerror(result);
}

/* If a callback aborted the transfer, it has set the reason already; libcurl's result only says that it was aborted. */
void exchange_finish(exchange *x, CURLcode result) {
  read_figures(x);
  connections_store(x->connections, x->easy, x->outcome.http_version < 20);
  exchange_fail(x, code_of(x, result), text_of(x, result));
}

void exchange_abandon(exchange *x, const char *code, const char *text) {
  read_figures(x);
  exchange_fail(x, code, text);
}
