/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_CANNED_H
#define ASSAY_TEST_CANNED_H
/* An "assayd" that sends the answers a test has laid out, one a connection, and keeps what it was asked. For tests only. */
#include <stdio.h>

/* cmocka set-up and tear-down of a group. */
int canned_begin(void **state);
int canned_end(void **state);

/* The bytes of the next answer, as they go over the wire; NULL: close without one. */
void canned_raw(const char *bytes);
/* A whole HTTP answer with that status and JSON. */
void canned_json(unsigned status, const char *json);
/* The same for the call after the next one; the next answer is laid out first. */
void canned_then_json(unsigned status, const char *json);
/* What was asked last: head and body. */
const char *canned_request(void);
const char *canned_socket(void);

/* Runs a command of assayctl against it (words end with NULL); output and complaints are kept. */
typedef int (*canned_command)(int argc, char **argv, FILE *out, FILE *err);
int canned_run(canned_command command, const char *const *words);
const char *canned_out(void);
const char *canned_err(void);
/* The same for one that needs no daemon: without --socket. */
int canned_run_alone(canned_command command, const char *const *words);
#define CANNED_ALONE(command, ...) canned_run_alone(command, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define CANNED_RUN(command, ...)   canned_run(command, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

#endif
