/* openssl.h - limits what OpenSSL reads in one call of libcurl, if it is libcurl's TLS library.
 *
 * As long as data arrives, OpenSSL handles session tickets, key updates and requests for a new handshake before it
 * returns, and libcurl handles HTTP/2 frames without data. A server that sends one of these without end would hold the
 * thread, and with it all other calls. So a reader of ours, between OpenSSL and libcurl's, ends each turn.
 *
 * Owner: the process. All calls are on an engine's thread, after openssl_find; openssl_allows_http2 may be called on
 * any thread once curl_api_info has returned something. Nothing here throws. */
#ifndef SMMPANEL_OPENSSL_H
#define SMMPANEL_OPENSSL_H

#include <curl/curl.h>
#include <stdbool.h>

/* What one connection may read in one call of libcurl: bytes, and so many more for each read. OpenSSL reads a record in
 * two. A key update has 27 bytes and takes OpenSSL 20 microseconds. */
enum { OPENSSL_TURN_MAX = 32 * 1024, OPENSSL_READ_COST = 512 };

/* Finds OpenSSL's functions. `library` is libcurl; unused with LINK_LIBCURL. */
void openssl_find(void *library);

/* Initialises OpenSSL, if it was found. */
void openssl_initialise(const curl_version_info_data *info);

/* Whether there is a limit. */
bool openssl_has_limit(void);

/* Whether HTTP/2 is used: libcurl has it, and there is a limit for its frames. */
bool openssl_allows_http2(const curl_version_info_data *info);

/* CURLOPT_SSL_CTX_FUNCTION, if there is a limit: sets it. */
CURLcode openssl_limit(CURL *easy, void *context, void *user);

/* Call it before each call of libcurl that may read. */
void openssl_begin_turn(void);

#endif
