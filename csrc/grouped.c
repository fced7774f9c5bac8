/* grouped.c - see grouped.h. */
#include "grouped.h"

static bool digit(char c) {
  return c >= '0' && c <= '9';
}

static size_t digits_at(const char *p, const char *end) {
  const char *start = p;
  while (p < end && digit(*p)) p++;
  return (size_t)(p - start);
}

/* The separators of a text. */
typedef struct {
  int commas, points;
  const char *last; /* the last separator */
} separators;

/* False: the text has a character that is not a digit or a separator. */
static bool find_separators(const char *p, const char *end, separators *s) {
  *s = (separators){0};
  for (; p < end; p++) {
    if (digit(*p)) continue;
    if (*p != ',' && *p != '.') return false;
    if (*p == ',')
      s->commas++;
    else
      s->points++;
    s->last = p;
  }
  return true;
}

/* Whether p to end is groups of three digits separated by `mark`; the first group may be shorter. */
static bool are_groups(const char *p, const char *end, char mark) {
  size_t n = digits_at(p, end);
  if (n < 1 || n > 3 || *p == '0') return false;
  for (p += n; p < end; p += 4)
    if (*p != mark || digits_at(p + 1, end) != 3) return false;
  return true;
}

static void append(char *plain, size_t *len, const char *p, const char *end) {
  for (; p < end; p++)
    if (digit(*p)) plain[(*len)++] = *p;
}

/* Writes the number without separators, and with a point before its decimals. */
static void write_plain(const char *p, const char *end, const char *decimals, char *plain, size_t *len) {
  append(plain, len, p, decimals ? decimals : end);
  if (!decimals) return;
  plain[(*len)++] = '.';
  append(plain, len, decimals + 1, end);
}

/* Whether the last separator is a decimal point: the only one of its kind, with groups before it. */
static bool mixed(const char *p, const char *end, const separators *s) {
  char mark = *s->last;
  int same = mark == ',' ? s->commas : s->points;
  return same == 1 && s->last + 1 < end && are_groups(p, s->last, mark == ',' ? '.' : ',');
}

static bool one_comma(const char *p, const char *end, const separators *s, bool count,
                      const char **decimals) {
  bool group = are_groups(p, end, ',');
  if (group && count) return true;
  if (group || s->last == p || s->last + 1 == end) return false;
  *decimals = s->last;
  return true;
}

bool grouped_read(const char *text, size_t len, bool count, char *plain, size_t *plain_len) {
  const char *p = text, *end = text + len, *decimals = NULL;
  separators s;
  if (len == 0 || len >= GROUPED_MAX) return false;
  *plain_len = 0;
  if (*p == '-') plain[(*plain_len)++] = *p++;
  if (!find_separators(p, end, &s) || s.commas + s.points == 0) return false;
  if (s.commas && s.points) {
    if (!mixed(p, end, &s)) return false;
    decimals = s.last;
  } else if (s.commas == 1) {
    if (!one_comma(p, end, &s, count, &decimals)) return false;
  } else if (s.points == 1 || !are_groups(p, end, *s.last)) {
    return false;
  }
  write_plain(p, end, decimals, plain, plain_len);
  return true;
}

bool grouped_is_ambiguous(const char *text, size_t len) {
  const char *p = text, *end = text + len;
  if (len < sizeof "1.000" - 1 || end[-4] != '.') return false; /* the last group has three digits */
  if (*p == '-') p++;
  return are_groups(p, end, '.');
}
