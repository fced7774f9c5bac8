/* form.h - fields to an application/x-www-form-urlencoded body.
 *
 * Writes into a buffer that the caller owns; whether memory sufficed is in its `failed`. Any thread, one at a time
 * per buffer. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_FORM_H
#define SMMPANEL_FORM_H

#include "buffer.h"

#include <stdint.h>

/* False: the name is empty or has a control character, and must not be given to form_begin. */
bool form_name_ok(const char *name, size_t len);

/* Starts a field. Its value is whatever is added after it, in any number of pieces. */
void form_begin(buffer *b, const char *name, size_t len);

void form_text(buffer *b, const char *text, size_t len);
void form_integer(buffer *b, int64_t n);
void form_number(buffer *b,
                 double n); /* an integral one is written without ".0"; the locale changes nothing */

#endif
