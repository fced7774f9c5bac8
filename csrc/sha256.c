/* sha256.c - SHA-256 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018). No linked library has them. */
#include "sha256.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 };

typedef struct {
  uint32_t h[8];
  uint64_t length;
  unsigned char block[BLOCK];
  size_t filled;
} sha256;

/* The states after both pads of a key, computed once, so that a round costs two blocks. */
typedef struct {
  sha256 inner, outer;
} hmac;

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

static uint32_t word_at(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule(uint32_t w[64], const unsigned char *block) {
  for (int i = 0; i < 16; i++) w[i] = word_at(block + 4 * i);
  for (int i = 16; i < 64; i++) {
    uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
}

static void compress(uint32_t h[8], const unsigned char *block) {
  uint32_t w[64], s[8];
  schedule(w, block);
  memcpy(s, h, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t a = s[0], e = s[4];
    uint32_t t1 =
        s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) h[i] += s[i];
}

static void begin(sha256 *c) {
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  *c = (sha256){0};
  memcpy(c->h, initial, sizeof initial);
}

static void add(sha256 *c, const void *data, size_t len) {
  const unsigned char *p = data;
  c->length += len;
  for (size_t i = 0; i < len; i++) {
    c->block[c->filled++] = p[i];
    if (c->filled < BLOCK) continue;
    compress(c->h, c->block);
    c->filled = 0;
  }
}

static void finish(sha256 *c, unsigned char out[SHA256_BYTES]) {
  uint64_t bits = c->length * 8;
  unsigned char length[8];
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
  add(c, "\x80", 1);
  while (c->filled != BLOCK - sizeof length) add(c, "", 1);
  add(c, length, sizeof length);
  for (int i = 0; i < SHA256_BYTES; i++) out[i] = (unsigned char)(c->h[i / 4] >> (24 - 8 * (i % 4)));
}

static void hmac_key(hmac *m, const void *key, size_t len) {
  unsigned char block[BLOCK] = {0}, pad[BLOCK];
  if (len > BLOCK) {
    begin(&m->inner);
    add(&m->inner, key, len);
    finish(&m->inner, block);
  } else {
    memcpy(block, key, len);
  }
  begin(&m->inner);
  begin(&m->outer);
  for (int i = 0; i < BLOCK; i++) pad[i] = block[i] ^ 0x36;
  add(&m->inner, pad, BLOCK);
  for (int i = 0; i < BLOCK; i++) pad[i] = block[i] ^ 0x5c;
  add(&m->outer, pad, BLOCK);
}

static void hmac_sign(const hmac *m, const void *data, size_t len, const void *more, size_t more_len,
                      unsigned char out[SHA256_BYTES]) {
  sha256 c = m->inner;
  add(&c, data, len);
  add(&c, more, more_len);
  finish(&c, out);
  c = m->outer;
  add(&c, out, SHA256_BYTES);
  finish(&c, out);
}

void sha256_stretch(const void *secret, size_t secret_len, const void *salt, size_t salt_len, unsigned rounds,
                    unsigned char out[SHA256_BYTES]) {
  unsigned char u[SHA256_BYTES];
  hmac m;
  hmac_key(&m, secret, secret_len);
  hmac_sign(&m, salt, salt_len, "\0\0\0\1", 4, u);
  memcpy(out, u, sizeof u);
  for (unsigned i = 1; i < rounds; i++) {
    hmac_sign(&m, u, sizeof u, "", 0, u);
    for (size_t j = 0; j < sizeof u; j++) out[j] ^= u[j];
  }
}
