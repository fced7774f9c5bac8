/* typed.c - see typed.h. Reads decimals itself, so that the locale has no effect and integers keep all their digits. */
#include "typed.h"
#include "compat.h"
#include "grouped.h"
#include "json.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined(__APPLE__) || defined(__FreeBSD__)
#include <xlocale.h>
#endif

/* ---- decimals ----------------------------------------------------------------------------- */

/* digits * 10^exponent, with up to 19 digits. */
typedef struct {
  uint64_t digits;
  int exponent;
  bool negative;
  bool truncated; /* more digits than fit */
  bool integer;   /* written without fraction and exponent */
} decimal;

static locale_t c_locale;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The value of a digit; more than 9 for other characters. */
static unsigned digit_value(char c) {
  return (unsigned char)(c - '0');
}

static bool digit(char c) {
  return digit_value(c) <= 9;
}

static const char *read_digits(decimal *d, const char *p, const char *end, bool fraction) {
  const char *start = p;
  uint64_t n = d->digits;
  for (; p < end && digit(*p) && n < UINT64_C(1000000000000000000); p++) n = n * 10 + digit_value(*p);
  d->digits = n;
  if (fraction) d->exponent -= (int)(p - start);
  for (; p < end && digit(*p); p++) {
    if (*p != '0') d->truncated = true;
    if (!fraction) d->exponent++;
  }
  return p;
}

static const char *read_exponent(decimal *d, const char *p, const char *end) {
  bool negative = p < end && *p == '-';
  int n = 0;
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (p == end) return NULL;
  for (; p < end && digit(*p); p++)
    if (n < 100000) n = n * 10 + (*p - '0');
  d->exponent += negative ? -n : n;
  return p;
}

/* The grammar of JSON, plus leading zeros and ".5", which panels write and which are unambiguous. */
static bool read_decimal(decimal *d, const char *p, size_t len) {
  const char *end = p + len, *start;
  if (len > JSON_NUMBER_MAX) return false;
  *d = (decimal){.integer = true};
  d->negative = p < end && *p == '-';
  start = p += d->negative;
  p = read_digits(d, p, end, false);
  if (p == start && (p == end || *p != '.')) return false;
  if (p < end && *p == '.') {
    d->integer = false;
    start = p + 1;
    p = read_digits(d, start, end, true);
    if (p == start) return false;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    d->integer = false;
    p = read_exponent(d, p + 1, end);
  }
  return p == end;
}

static bool fits(bool negative, uint64_t magnitude) {
  return magnitude <= (negative ? 0 - (uint64_t)COMPAT_INTEGER_MIN : (uint64_t)COMPAT_INTEGER_MAX);
}

static void push_integer(lua_State *L, bool negative, uint64_t magnitude) {
  int64_t n = (int64_t)(negative ? 0 - magnitude : magnitude);
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, n);
#else
  lua_pushnumber(L, (lua_Number)n); /* lua_Integer has 32 bits on some machines */
#endif
}

/* The magnitude of a decimal whose value is an integer, in any notation ("100.0", 1e3). */
static bool integral(const decimal *d, uint64_t *magnitude) {
  uint64_t n = d->digits;
  int exponent = d->exponent;
  for (; exponent < 0 && n && n % 10 == 0; exponent++) n /= 10;
  for (; exponent > 0 && n && n <= UINT64_MAX / 10; exponent--) n *= 10;
  *magnitude = n;
  return !d->truncated && (exponent == 0 || n == 0);
}

/* Correctly rounded. One multiplication or division of two exact doubles is (Clinger). All other cases use the C
 * library, which needs a terminated text. */
static double to_double(const decimal *d, const char *text, size_t len) {
#if FLT_EVAL_METHOD == 0
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (!d->truncated && d->digits <= UINT64_C(1) << 53 && d->exponent >= -22 && d->exponent <= 22) {
    double n = (double)d->digits;
    n = d->exponent < 0 ? n / powers[-d->exponent] : n * powers[d->exponent];
    return d->negative ? -n : n;
  }
#else
  (void)d;
#endif
  char terminated[JSON_NUMBER_MAX + 1];
  memcpy(terminated, text, len);
  terminated[len] = '\0';
  return strtod_l(terminated, NULL, c_locale);
}

/* ---- typed values ------------------------------------------------------------------------- */

static bool push_id(lua_State *L, const char *text, size_t len) {
  decimal n;
  if (!read_decimal(&n, text, len) || !n.integer || n.truncated || n.exponent) return false;
  if (text[n.negative] == '0' && len > 1) return false; /* "007", "-0": a number would lose information */
  if (!fits(n.negative, n.digits)) return false;
  push_integer(L, n.negative, n.digits);
  return true;
}

static bool push_count(lua_State *L, const char *text, size_t len) {
  decimal n;
  uint64_t magnitude;
  if (!read_decimal(&n, text, len) || !integral(&n, &magnitude) || !fits(n.negative, magnitude)) return false;
  push_integer(L, n.negative, magnitude);
  return true;
}

static bool push_money(lua_State *L, const char *text, size_t len) {
  decimal n;
  if (!read_decimal(&n, text, len)) return false;
  double value = to_double(&n, text, len);
  if (isinf(value)) return false;
  lua_pushnumber(L, value);
  return true;
}

static bool same(const char *text, size_t len, const char *word) {
  return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool push_flag(lua_State *L, const char *text, size_t len) {
  bool yes = same(text, len, "1") || same(text, len, "true");
  if (!yes && !same(text, len, "0") && !same(text, len, "false")) return false;
  lua_pushboolean(L, yes);
  return true;
}

/* This and push_money_text also read digit groups, as PHP's number_format writes them. */
static bool push_count_text(lua_State *L, const char *text, size_t len) {
  char plain[GROUPED_MAX + 1];
  size_t plain_len;
  if (!grouped_is_ambiguous(text, len) && push_count(L, text, len)) return true;
  return grouped_read(text, len, true, plain, &plain_len) && push_count(L, plain, plain_len);
}

static bool push_money_text(lua_State *L, const char *text, size_t len) {
  char plain[GROUPED_MAX + 1];
  size_t plain_len;
  if (push_money(L, text, len)) return true;
  return grouped_read(text, len, false, plain, &plain_len) && push_money(L, plain, plain_len);
}

bool typed_push_string(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len) {
  switch (type) {
    case FIELD_ID: return push_id(L, text, len);
    case FIELD_MONEY: return !decimal_text && push_money_text(L, text, len);
    case FIELD_COUNT: return push_count_text(L, text, len);
    case FIELD_FLAG: return push_flag(L, text, len);
    default: return false;
  }
}

/* An untyped number. False, so that the text is used, if a number cannot hold all digits of an integer. */
static bool push_number(lua_State *L, const char *text, size_t len) {
  decimal n;
  uint64_t magnitude;
  read_decimal(&n, text, len);
  if (n.integer) {
    if (n.truncated || !integral(&n, &magnitude) || !fits(n.negative, magnitude)) return false;
    push_integer(L, n.negative, magnitude);
    return true;
  }
  double value = to_double(&n, text, len);
  if (isinf(value)) return false;
  lua_pushnumber(L, value);
  return true;
}

/* An integer that is not a count, for example a too large one, stays text. A fraction is pushed as a number. */
static bool push_count_number(lua_State *L, const char *text, size_t len) {
  decimal n;
  if (push_count(L, text, len)) return true;
  read_decimal(&n, text, len);
  return n.exponent < 0 && push_number(L, text, len);
}

bool typed_push_number(lua_State *L, field_type type, bool decimal_text, const char *text, size_t len) {
  switch (type) {
    case FIELD_ID: return push_id(L, text, len);
    case FIELD_MONEY: return !decimal_text && push_money(L, text, len);
    case FIELD_COUNT: return push_count_number(L, text, len);
    case FIELD_FLAG: return push_flag(L, text, len) || push_number(L, text, len);
    default: return push_number(L, text, len);
  }
}

void typed_open(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT; /* a program may have Lua states in several threads */
  pthread_once(&once, make_c_locale);
}
