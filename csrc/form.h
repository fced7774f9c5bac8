/* form.h - encodes fields as an application/x-www-form-urlencoded body.
 *
 * Writes into a buffer that the caller owns; out of memory sets its `failed`. Any thread, one at a time per buffer.
 * Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_FORM_H
#define SMMPANEL_FORM_H

#include "buffer.h"

#include <stdint.h>

/* False: the name is empty or has a control character, and must not be passed to form_begin. */
bool form_name_ok(const char *name, size_t len);

/* Starts a field. The pieces added after it, in any number, are its value. */
void form_begin(buffer *b, const char *name, size_t len);

/* Add a piece to the value of the field that was started last: a text, percent-encoded, or a number. */
void form_text(buffer *b, const char *text, size_t len);
void form_integer(buffer *b, int64_t n);
void form_number(buffer *b, double n); /* integral numbers are written without ".0"; ignores the locale */

#endif
