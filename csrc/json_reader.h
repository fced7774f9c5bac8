/* json_reader.h - shared by json.c (structure, numbers, notices) and json_text.c (strings), and private to them.
 * json.h has the contract. */
#ifndef SMMPANEL_JSON_READER_H
#define SMMPANEL_JSON_READER_H

#include "json.h"

enum state {
  AT_BEGIN,     /* white space, a byte order mark */
  AT_NOISE,     /* seeking a { or [ */
  AT_FIRST_KEY, /* a key or } */
  AT_KEY,
  AT_COLON,
  AT_FIRST_VALUE, /* a value or ] */
  AT_VALUE,
  AT_COMMA,  /* a comma or the closing bracket */
  AT_AFTER,  /* white space after the document */
  IN_STRING, /* in a token split between pieces */
  IN_NUMBER,
  IN_LITERAL,
  ENDED,
  FAILED
};

/* Fails at the offset of j->in. Returns JSON_ERROR. */
json_event json_fail(json *j, const char *error);

/* The same, and sets `limit`. */
json_event json_too_large(json *j, const char *error);

/* A syntax error. If the input so far may be a notice, gives the attempt up with JSON_RESET. */
json_event json_malformed(json *j, const char *error);

/* The whole piece was read. Returns JSON_MORE, or at the end of the input JSON_END or JSON_ERROR. */
json_event json_piece_used_up(json *j);

/* Reads the string whose opening quote is at p; `next` is the state after it. */
json_event json_string(json *j, const char *p, unsigned char next);

/* Continues a string that is split between pieces. */
json_event json_string_rest(json *j);

#endif
