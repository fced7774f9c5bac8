/* sha256.h - a secret as a tag that tells it from others and does not give it away. Pure; any thread; nothing
 * is allocated. */
#ifndef SMMPANEL_SHA256_H
#define SMMPANEL_SHA256_H

#include <stddef.h>

enum { SHA256_BYTES = 32 };

/* PBKDF2-HMAC-SHA-256 (RFC 8018), one block: who tries keys against the tag pays for every round again. */
void sha256_stretch(const void *secret, size_t secret_len, const void *salt, size_t salt_len, unsigned rounds,
                    unsigned char out[SHA256_BYTES]);

#endif
