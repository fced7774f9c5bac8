/* sha256.h - derives a tag from a secret that identifies it without revealing it. Pure; any thread; nothing is
 * allocated. */
#ifndef SMMPANEL_SHA256_H
#define SMMPANEL_SHA256_H

#include <stddef.h>

enum { SHA256_BYTES = 32 };

/* PBKDF2-HMAC-SHA-256 (RFC 8018), one block: each guess against the tag costs all the rounds. */
void sha256_stretch(const void *secret, size_t secret_len, const void *salt, size_t salt_len, unsigned rounds,
                    unsigned char out[SHA256_BYTES]);

#endif
