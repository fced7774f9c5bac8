/* openssl.c - see openssl.h. Declares OpenSSL's functions itself: the module compiles without its headers. */
#include "openssl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct bio_st BIO;
typedef struct bio_method_st BIO_METHOD;
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

typedef int read_function(BIO *b, char *into, int size);
typedef long control_function(BIO *b, int command, long number, void *pointer);
typedef void information_function(const SSL *ssl, int where, int value);

/* clang-format off */
#define OPENSSL_FUNCTIONS(f)                                                         \
  f(int, OPENSSL_init_crypto, (uint64_t options, const void *settings))              \
  f(long, SSL_CTX_ctrl, (SSL_CTX *context, int command, long number, void *pointer)) \
  f(void, SSL_CTX_set_info_callback, (SSL_CTX *context, information_function *f))    \
  f(BIO *, SSL_get_rbio, (const SSL *ssl))                                           \
  f(void, SSL_set0_rbio, (SSL *ssl, BIO *b))                                         \
  f(BIO_METHOD *, BIO_meth_new, (int type, const char *name))                        \
  f(int, BIO_meth_set_read, (BIO_METHOD *method, read_function *f))                  \
  f(int, BIO_meth_set_ctrl, (BIO_METHOD *method, control_function *f))               \
  f(BIO *, BIO_new, (const BIO_METHOD *method))                                      \
  f(int, BIO_up_ref, (BIO *b))                                                       \
  f(BIO *, BIO_push, (BIO *b, BIO *next))                                            \
  f(BIO *, BIO_next, (BIO *b))                                                       \
  f(int, BIO_read, (BIO *b, void *into, int size))                                   \
  f(long, BIO_ctrl, (BIO *b, int command, long number, void *pointer))               \
  f(void, BIO_set_flags, (BIO *b, int flags))                                        \
  f(void, BIO_clear_flags, (BIO *b, int flags))                                      \
  f(void, BIO_copy_next_retry, (BIO *b))

#define MEMBER(result, name, parameters) result(*name) parameters;
static struct { OPENSSL_FUNCTIONS(MEMBER) } openssl;
/* clang-format on */
static bool complete;      /* all of them were found */
static BIO_METHOD *method; /* of our reader; never freed */

#define CHECK(result, name, parameters) &&openssl.name

#ifdef LINK_LIBCURL

#define WEAK(result, name, parameters) __attribute__((weak)) result name parameters;
OPENSSL_FUNCTIONS(WEAK)

void openssl_find(void *library) {
#define LINKED(result, name, parameters) openssl.name = name;
  (void)library;
  OPENSSL_FUNCTIONS(LINKED)
  complete = true OPENSSL_FUNCTIONS(CHECK);
}

#else

void openssl_find(void *library) {
#define FIND(result, name, parameters) \
  found = dlsym(library, #name);       \
  memcpy(&openssl.name, &found, sizeof found);
  void *found;
  OPENSSL_FUNCTIONS(FIND)
  complete = true OPENSSL_FUNCTIONS(CHECK);
}

#endif

/* ---- the reader ------------------------------------------------------------------------------- */

/* OpenSSL's constants */
enum {
  FILTER = 0x200,
  READ_AGAIN = 0x09,
  ANY_RETRY = 0x0f,
  DUPLICATE = 12,
  SET_READ_AHEAD = 41,
  STARTS = 0x10
};

static _Thread_local struct {
  const BIO *reader;
  int used;
} turn;

void openssl_begin_turn(void) {
  turn.used = 0;
}

static bool has_turn(const BIO *b) {
  if (turn.reader != b) turn.used = 0;
  turn.reader = b;
  return turn.used < OPENSSL_TURN_MAX;
}

/* OpenSSL and libcurl take the refusal for a socket without data. poll() then reports the socket again. */
static int limited_read(BIO *b, char *into, int size) {
  openssl.BIO_clear_flags(b, ANY_RETRY);
  if (!has_turn(b)) {
    openssl.BIO_set_flags(b, READ_AGAIN);
    return -1;
  }
  int len = openssl.BIO_read(openssl.BIO_next(b), into, size);
  openssl.BIO_copy_next_retry(b);
  turn.used += OPENSSL_READ_COST + (len > 0 ? len : 0);
  return len;
}

static long pass_on(BIO *b, int command, long number, void *pointer) {
  return command == DUPLICATE ? 0 : openssl.BIO_ctrl(openssl.BIO_next(b), command, number, pointer);
}

/* OpenSSL calls it at the start of a handshake, and of each further one of the same connection. */
static void on_information(const SSL *ssl, int where, int value) {
  (void)value;
  BIO *inner = where & STARTS ? openssl.SSL_get_rbio(ssl) : NULL;
  if (!inner || openssl.BIO_next(inner)) return;
  BIO *reader = openssl.BIO_new(method);
  if (!reader) return;
  openssl.BIO_up_ref(inner);
  openssl.SSL_set0_rbio((SSL *)(uintptr_t)ssl, openssl.BIO_push(reader, inner));
}

/* Without reading ahead, OpenSSL asks for each record. */
CURLcode openssl_limit(CURL *easy, void *context, void *user) {
  (void)easy;
  (void)user;
  openssl.SSL_CTX_ctrl(context, SET_READ_AHEAD, 0, NULL);
  openssl.SSL_CTX_set_info_callback(context, on_information);
  return CURLE_OK;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static BIO_METHOD *make_method(void) {
  BIO_METHOD *made = openssl.BIO_meth_new(FILTER, "smmpanel");
  bool ok = made && openssl.BIO_meth_set_read(made, limited_read) && openssl.BIO_meth_set_ctrl(made, pass_on);
  return ok ? made : NULL;
}

/* OpenSSL would register an exit handler early in its initialisation, which crashes if the program exits before the
 * rest is done. The end of the process frees the same memory. */
void openssl_initialise(const curl_version_info_data *info) {
  static const uint64_t NO_ATEXIT = 0x80000;
  if (openssl.OPENSSL_init_crypto) openssl.OPENSSL_init_crypto(NO_ATEXIT, NULL);
  bool used = info->ssl_version && strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
  if (used && complete && !method) method = make_method();
}

bool openssl_has_limit(void) {
  return method;
}

bool openssl_allows_http2(const curl_version_info_data *info) {
  return info->features & CURL_VERSION_HTTP2 && openssl_has_limit();
}
