/* exchange.c - one request and its answer: libcurl's options, its callbacks, the outcome. No Lua. */
#include "exchange.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void set_outcome(exchange *x, const char *code, const char *text) {
  x->outcome.code = code;
  snprintf(x->outcome.text, sizeof x->outcome.text, "%s", text);
}

/* ---- callbacks: they run in the engine's thread, inside libcurl --------------------------- */

/* A program that the host starts must not inherit a connection on which the key was sent. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose) {
  (void)user;
  (void)purpose;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

#if CONNECTIONS_GUARDED
static bool is_out_of_step(const exchange *x, const connection_ends *ends) {
  long opened = 1;
  curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &opened);
  return connections_unasked(x->connections, ends, opened != 0);
}
#endif

/* libcurl sends a request again by itself when a kept connection turns out dead. The first time
 * may have arrived: a second one is refused, and whoever asked decides. */
static int on_request(void *user, char *peer, char *local, int peer_port, int local_port) {
  exchange *x = user;
#if CONNECTIONS_GUARDED
  x->out_of_step = is_out_of_step(x, &(connection_ends){local, peer, local_port, peer_port});
  if (x->out_of_step) return CURL_PREREQFUNC_ABORT;
#else
  (void)peer;
  (void)local;
  (void)peer_port;
  (void)local_port;
#endif
  x->outcome.sent = true;
  return ++x->issued > 1 && x->write ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool starts_with(const char *line, size_t len, const char *name) {
  size_t n = strlen(name);
  return len >= n && strncasecmp(line, name, n) == 0;
}

/* One encoding is what we asked for. Stacked ones are a bomb: each multiplies the next. */
static bool encodings_ok(exchange *x, const char *line, size_t len) {
  if (!starts_with(line, len, "content-encoding:")) return true;
  x->encodings += memchr(line, ',', len) ? 2 : 1;
  return x->encodings <= 1;
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
  exchange *x = user;
  size_t len = size * count;
  if (starts_with(line, len, "HTTP/")) x->encodings = 0;
  x->header_bytes += len;
  if (x->header_bytes > EXCHANGE_HEADERS_MAX) {
    set_outcome(x, "protocol", "the answer's headers are too large");
    return 0;
  }
  if (!encodings_ok(x, line, len)) {
    set_outcome(x, "encoding", "the answer is encoded more than once");
    return 0;
  }
  return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
  exchange *x = user;
  size_t len = size * count;
  if (len > x->max_body - x->outcome.bytes) {
    set_outcome(x, "too_large", "the answer is larger than max_body");
    return 0;
  }
  x->outcome.bytes += len;
  if (x->on_body(x->user, x, data, len)) return len;
  set_outcome(x, "memory", "out of memory");
  return 0;
}

/* ---- making one --------------------------------------------------------------------------- */

static bool add_header(exchange *x, const char *header) {
  struct curl_slist *list = curl_slist_append(x->headers, header);
  if (list) x->headers = list;
  return list != NULL;
}

/* "Expect:" for libcurl would ask before it sends a large body, and some panels never answer. */
static bool set_headers(exchange *x, const exchange_options *o) {
  bool ok = add_header(x, "Accept: application/json") && add_header(x, "Expect:");
  for (const char *const *h = o->headers; ok && h && *h; h++) ok = add_header(x, *h);
  return ok && curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

#define SET(option, value) \
  if (curl_easy_setopt(x->easy, option, value) != CURLE_OK) return false

static bool set_request(exchange *x, const exchange_options *o) {
  SET(CURLOPT_URL, o->url);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->request.len);
  SET(CURLOPT_POSTFIELDS, x->request.data); /* not copied: ours to wipe */
  SET(CURLOPT_USERAGENT, o->user_agent);
  SET(CURLOPT_ACCEPT_ENCODING, ""); /* all that this libcurl can */
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  return set_headers(x, o);
}

static bool set_callbacks(exchange *x) {
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
static bool set_limits(exchange *x, const exchange_options *o) {
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* a cancelled look-up does not wait for the resolver */
#endif
  SET(CURLOPT_NOSIGNAL, 1L);
  if (x->tls) SET(CURLOPT_PIPEWAIT, 1L); /* HTTP/2 is for TLS alone */
  SET(CURLOPT_TIMEOUT_MS, o->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, o->connect_timeout_ms);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)o->max_body);
  if (o->write) SET(CURLOPT_MAXAGE_CONN, (long)EXCHANGE_WRITE_IDLE);
  return true;
}

/* With a CApath set, as Debian does, libcurl cannot keep the loaded certificates and each new
 * connection costs some 30 ms of parsing. One file is enough. */
static bool set_trust(exchange *x, const exchange_options *o) {
  const char *ca_file = o->ca_file;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* whatever the system's policy allows */
  if (o->crl_file) SET(CURLOPT_CRLFILE, o->crl_file);
#if LIBCURL_VERSION_NUM >= 0x075400
  const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
  if (!ca_file && built->age >= CURLVERSION_TENTH) ca_file = built->cainfo;
#endif
  if (o->proxy) SET(CURLOPT_PROXY, o->proxy);
  if (!ca_file) return true;
  SET(CURLOPT_CAINFO, ca_file);
  curl_easy_setopt(x->easy, CURLOPT_CAPATH, NULL); /* not every TLS library has one */
  return true;
}

#undef SET

/* A new handle for each: in a used one libcurl 7.88 keeps a pointer to the last header of the answer before, which
 * it has freed, and follows it where an answer begins with a folded line; and it counts in it what it sent again. */
exchange *exchange_new(const exchange_options *o, buffer *body) {
  exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  atomic_init(&x->references, 1);
  x->max_body = o->max_body;
  x->write = o->write;
  x->tls = strncasecmp(o->url, "https:", 6) == 0;
  x->timeout_ms = o->timeout_ms;
  x->outcome.code = "";
  x->request = *body;
  *body = (buffer){0};
  x->easy = x->request.failed ? NULL : curl_easy_init();
  if (x->easy && set_request(x, o) && set_callbacks(x) && set_limits(x, o) && set_trust(x, o)) return x;
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
  body_free(&x->body);
  free(x);
}

/* ---- what became of it -------------------------------------------------------------------- */

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

static void read_figures(exchange *x) {
  curl_off_t microseconds = 0, retry_after = 0;
  long version = 0;
  curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->outcome.http_status);
  curl_easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &microseconds);
  curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
  x->outcome.http_version = version_number(version);
  x->outcome.seconds = (double)microseconds / 1e6;
  x->outcome.retry_after = (double)retry_after;
}

/* What breaks before the request went out is a connection that did not come about, as where a proxy refuses
 * the tunnel. And a single header that outgrows libcurl's own limit, it calls out of memory. */
static const char *code_of(const exchange *x, CURLcode result) {
  const char *code = code_for(result);
  if (strcmp(code, "reset") == 0 && !x->outcome.sent) return "connect";
  if (result == CURLE_OUT_OF_MEMORY && x->outcome.sent && !x->outcome.bytes) return "protocol";
  return code;
}

static const char *text_of(const exchange *x, CURLcode result) {
  if (result == CURLE_OK) return "";
  if (result == CURLE_ABORTED_BY_CALLBACK) return "the connection broke and a write is not sent twice";
  if (result == CURLE_OUT_OF_MEMORY && x->outcome.sent && !x->outcome.bytes)
    return "a header of the answer is too large, or there is no memory for it";
  return *x->curl_text ? x->curl_text : curl_easy_strerror(result);
}

/* A callback that refused has said why already: libcurl only knows that it was refused. */
void exchange_finish(exchange *x, CURLcode result) {
  read_figures(x);
#if CONNECTIONS_GUARDED
  connections_store(x->connections, x->easy, x->outcome.http_version < 20);
#endif
  if (*x->outcome.code) return;
  set_outcome(x, code_of(x, result), text_of(x, result));
}

void exchange_abandon(exchange *x, const char *code, const char *text) {
  read_figures(x);
  set_outcome(x, code, text);
}
