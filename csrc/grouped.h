/* grouped.h - reads decimals with digit groups or a decimal comma: 1,234.50, 5.000.000, 1.234,56, 2,5.
 *
 * Pure: nothing is allocated, nothing throws, any thread may call it. */
#ifndef SMMPANEL_GROUPED_H
#define SMMPANEL_GROUPED_H

#include <stdbool.h>
#include <stddef.h>

enum { GROUPED_MAX = 64 }; /* longest text that is accepted */

/* Writes the plain decimal of a text to `plain` (GROUPED_MAX bytes), and its length. False: the text is ambiguous, no
 * number, or plain already. `count`: the text is a whole number, so three digits after a single comma are a group
 * ("1,234"). For money they might be decimals, so the text is refused. */
bool grouped_read(const char *text, size_t len, bool count, char *plain, size_t *plain_len);

/* Whether the point in a text may also be a thousands separator: "50.000" as a count. */
bool grouped_is_ambiguous(const char *text, size_t len);

#endif
