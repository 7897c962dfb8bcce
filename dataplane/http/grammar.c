/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/grammar.h"

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define DIGIT(c)              BETWEEN(c, '0', '9')
#define LETTER(c)             (BETWEEN(c, 'a', 'z') || BETWEEN(c, 'A', 'Z'))
#define HEX(c)                (DIGIT(c) || BETWEEN(c, 'a', 'f') || BETWEEN(c, 'A', 'F'))
#define MARK(c)                                                                                     \
    ((c) == '!' || BETWEEN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '.' || \
     BETWEEN(c, '^', '`') || (c) == '|' || (c) == '~')
#define CLASS(c)                                                                                                \
    ((LETTER(c) || DIGIT(c) || MARK(c) ? HTTP_CLASS_TOKEN : 0) |                                                \
     (BETWEEN(c, 0x21, 0x7e) && (c) != '#' ? HTTP_CLASS_TARGET : 0) |                                           \
     ((c) == '\t' || ((c) >= 0x20 && (c) != 0x7f) ? HTTP_CLASS_VALUE : 0) | (DIGIT(c) ? HTTP_CLASS_DIGIT : 0) | \
     (HEX(c) ? HTTP_CLASS_HEX : 0))
#define ROW4(c)  CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

const uint8_t http_byte_classes[256] = {ROW64(0), ROW64(64), ROW64(128), ROW64(192)};
