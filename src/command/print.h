/*
 * Text from outside on the operator's terminal.
 */
#ifndef COMMAND_PRINT_H
#define COMMAND_PRINT_H

#include <stdio.h>

#include "base/str.h"

/*
 * As it is, but for what a terminal obeys, hides or turns around: controls (C0, DEL, C1),
 * invisible and direction-changing characters, and octets that are no UTF-8 become \xHH. A
 * failed write shows in ferror(to).
 */
void print_text(FILE *to, struct str s);

/* At least <width> columns wide (counting each character as one); `-` for an empty text. */
void print_column(FILE *to, struct str s, size_t width);

#endif
