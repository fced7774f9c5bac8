/* grouped.h - decimals as people write them: 1,234.50, 5.000.000, 1.234,56, 2,5.
 *
 * Pure: nothing is allocated, nothing throws, any thread may call it. */
#ifndef SMMPANEL_GROUPED_H
#define SMMPANEL_GROUPED_H

#include <stdbool.h>
#include <stddef.h>

enum { GROUPED_MAX = 64 }; /* longest text that is looked at */

/* Writes the plain decimal that a text means, if it means one only, to `plain` (GROUPED_MAX bytes), and its length.
 * `count`: the text is a whole number, so a single group of three behind a comma is one ("1,234"); as money it might be
 * decimals, and stays as it is. */
bool grouped_read(const char *text, size_t len, bool count, char *plain, size_t *plain_len);

/* Whether a text with a point may mean thousands as well: "50.000" of a count. */
bool grouped_is_ambiguous(const char *text, size_t len);

#endif
