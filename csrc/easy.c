/* easy.c - see easy.h. */
#include "easy.h"
#include "descriptors.h"
#include "openssl.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* What libcurl reads from a connection at once. From a fast peer it reads up to a hundred times before it returns, and a
 * chunk of one byte takes it as long as a hundred bytes in a large one. With 8 kB, eight panels that send such chunks
 * make another one's calls three times as slow. */
enum { RECEIVE_BYTES = 4 * 1024 };

enum { WRITE_IDLE = 4 }; /* the longest idle seconds of a connection reused for a write */

/* ---- callbacks: they run in the engine's thread, inside libcurl --------------------------- */

/* While the network is down, the system holds what was written. By default it still tries to deliver it for up to two
 * minutes after the connection was closed or the process has ended. An order would be made long after its deadline. */
static void discard_unsent_at_close(int fd) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

/* A child must not inherit a connection on which the key was sent. */
static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)user;
  (void)purpose;
  int fd = descriptors_socket(address->family, address->socktype, address->protocol);
  if (fd >= 0) discard_unsent_at_close(fd);
  return fd;
}

static int on_close_socket(void *user, curl_socket_t fd) {
  (void)user;
  descriptors_close(fd);
  return 0;
}

static bool is_out_of_step(exchange *x, const connection_ends *ends) {
  long opened = 1;
  libcurl.easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &opened);
  connection_state state = connections_look(x->connections, ends, opened != 0);
  x->on_known = state != CONNECTION_UNKNOWN;
  return state == CONNECTION_UNUSABLE;
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
  exchange_received result = x->on_body(x->user, x, data, len);
  if (result == EXCHANGE_PAUSED) return CURL_WRITEFUNC_PAUSE;
  x->raw_bytes += len;
  return result == EXCHANGE_RECEIVED ? len : 0;
}

/* ---- making one --------------------------------------------------------------------------- */

static bool is_accepted(curl_refusal *why, const char *option, CURLcode result) {
  if (result == CURLE_OK) return true;
  if (result == CURLE_OUT_OF_MEMORY) return curl_api_refuse(why, "memory", "out of memory");
  return curl_api_refuse(why, "unsupported", "this libcurl (%s) refuses %s: %s", libcurl.info->version,
                         option, libcurl.easy_strerror(result));
}

/* libcurl reads a long where a number would otherwise be passed as an int. The versions of clang-format differ on
 * _Generic. */
/* clang-format off */
#define SET(option, value)                                                                         \
  do {                                                                                             \
    _Static_assert(_Generic((value), int : 0, unsigned : 0, default : 1), "libcurl reads a long"); \
    if (!is_accepted(why, #option, libcurl.easy_setopt(x->easy, option, value))) return false;     \
  } while (0)
/* clang-format on */

static bool set_request(exchange *x, curl_refusal *why) {
  SET(CURLOPT_URL, x->texts.url);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->request.len);
  SET(CURLOPT_POSTFIELDS, x->request.data); /* libcurl does not copy it, so that we can wipe it */
  SET(CURLOPT_USERAGENT, x->texts.user_agent);
  SET(CURLOPT_HTTP_CONTENT_DECODING, 0L); /* see inflater.h */
  SET(CURLOPT_HTTP_VERSION, (long)(x->multiplex ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (x->multiplex) SET(CURLOPT_PIPEWAIT, 1L);
  SET(CURLOPT_HTTPHEADER, x->texts.headers);
  return true;
}

static bool set_callbacks(exchange *x, curl_refusal *why) {
  SET(CURLOPT_PRIVATE, x);
  SET(CURLOPT_ERRORBUFFER, x->curl_text);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET(CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  SET(CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, x);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, x);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, x);
  return true;
}

/* Redirects are not followed (libcurl's default): the key is in the body. */
static bool set_limits(exchange *x, curl_refusal *why) {
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, x->tls ? "https" : "http");
#else
  SET(CURLOPT_PROTOCOLS, (long)(x->tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* cancelling a DNS lookup does not wait for the resolver */
#endif
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(x->max_body < INT64_MAX ? x->max_body : INT64_MAX));
  if (x->write) SET(CURLOPT_MAXAGE_CONN, (long)WRITE_IDLE);
  return true;
}

/* Always sets both, because otherwise libcurl would read the environment in the engine's thread. */
static bool set_proxy(exchange *x, curl_refusal *why) {
  SET(CURLOPT_PROXY, x->texts.proxy);
  SET(CURLOPT_NOPROXY, x->texts.no_proxy);
  return true;
}

/* The tunnel's TLS is then inside of the proxy's. What the proxy's layer has decrypted is not in the socket any more, so
 * poll() would not report it after a turn of openssl.h. */
static bool has_tls_proxy(const exchange *x) {
  return x->texts.proxy && strncasecmp(x->texts.proxy, "https:", 6) == 0;
}

/* Allows elliptic curves only, which take less than a millisecond. In a finite-field key exchange the server chooses the
 * group, and one of 8192 bits blocks the thread, and so all other calls, for a quarter of a second. OpenSSL from 3.5 on
 * offers no such group for TLS 1.3; other libraries offer no large one. */
static bool set_openssl(exchange *x, curl_refusal *why) {
  const char *library = libcurl.info->ssl_version ? libcurl.info->ssl_version : "";
  if (strncmp(library, "OpenSSL/", 8) != 0) return true;
  if (openssl_has_limit() && !has_tls_proxy(x)) SET(CURLOPT_SSL_CTX_FUNCTION, openssl_limit);
  SET(CURLOPT_SSL_CIPHER_LIST, "DEFAULT:!kDHE");
  if (strncmp(library, "OpenSSL/3.", 10) != 0 || library[10] > '4' || library[11] != '.') return true;
  SET(CURLOPT_SSL_EC_CURVES, "X25519:P-256:X448:P-384:P-521");
  return true;
}

/* With a CApath, which Debian sets, libcurl cannot cache the loaded certificates, and each new connection takes about
 * 30 ms to parse them. One file is enough. */
static bool set_trust(exchange *x, curl_refusal *why) {
  const char *ca_file = x->texts.ca_file;
  if (!x->tls) return true;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* regardless of the system's policy */
  if (!set_openssl(x, why)) return false;
  if (x->texts.crl_file) SET(CURLOPT_CRLFILE, x->texts.crl_file);
#if LIBCURL_VERSION_NUM >= 0x075400
  if (!ca_file && libcurl.info->age >= CURLVERSION_TENTH) ca_file = libcurl.info->cainfo;
#endif
  if (!ca_file) return true;
  SET(CURLOPT_CAINFO, ca_file);
  libcurl.easy_setopt(x->easy, CURLOPT_CAPATH, NULL); /* not supported by every TLS library */
  return true;
}

static bool set_time(exchange *x, int64_t left, curl_refusal *why) {
  long all = left < INT32_MAX ? (long)left : INT32_MAX;
  SET(CURLOPT_TIMEOUT_MS, all);
  SET(CURLOPT_CONNECTTIMEOUT_MS, x->connect_timeout_ms < all ? x->connect_timeout_ms : all);
  return true;
}

#undef SET

/* In a handle that is used again, libcurl 7.88 keeps a dangling pointer to the last header of the previous response, and
 * follows it if a response begins with a folded line. 8.14 clears the pointer. */
static bool may_be_used_again(void) {
  return libcurl.info->version_num >= 0x080e00;
}

bool easy_open(easy_pool *p, exchange *x, int64_t left, curl_refusal *why) {
  x->easy = p->count ? p->idle[--p->count] : libcurl.easy_init();
  if (!x->easy) return curl_api_refuse(why, "memory", "out of memory");
  return set_request(x, why) && set_callbacks(x, why) && set_limits(x, why) && set_proxy(x, why) &&
         set_trust(x, why) && set_time(x, left, why);
}

void easy_close(easy_pool *p, exchange *x) {
  if (!x->easy) return;
  if (p->count < EASY_POOL_MAX && may_be_used_again()) {
    libcurl.easy_reset(x->easy);
    p->idle[p->count++] = x->easy;
  } else {
    libcurl.easy_cleanup(x->easy);
  }
  x->easy = NULL;
}

void easy_pool_free(easy_pool *p) {
  while (p->count) libcurl.easy_cleanup(p->idle[--p->count]);
}

bool easy_may_share(const exchange *x) {
  return x->tls && !x->write && !has_tls_proxy(x) && openssl_allows_http2(libcurl.info);
}
