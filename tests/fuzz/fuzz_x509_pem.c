/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bundle is read to its end, never past its buffers, and what it yields is written and read back as it was. */
#include "fuzz.h"
#include "x509/pem.h"

static void check_again(struct slice der)
{
    size_t need = x509_pem_write(der, NULL, 0);
    char *text = malloc(need);
    uint8_t *buffer = malloc(need);
    struct x509_pem_reader reader;
    struct slice out;
    enum assay_error error;

    FUZZ_CHECK(text != NULL && buffer != NULL && x509_pem_write(der, text, need) == need && strlen(text) == need - 1);
    x509_pem_begin(&reader, slice_of(text, need - 1), buffer, need);
    error = x509_pem_next(&reader, &out);
    /* A PKCS#7 inside opens into its certificates, or turns out empty. */
    FUZZ_CHECK(error == ASSAY_OK || error == ASSAY_ERR_MALFORMED);
    FUZZ_CHECK(error != ASSAY_OK || out.len <= der.len);
    free(text);
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *buffer = malloc(size + 1); /* the sanitizer sees one octet too many */
    struct x509_pem_reader reader;
    struct slice der = {NULL, 0};
    enum assay_error error;
    size_t calls = 0;

    x509_pem_begin(&reader, slice_of(data, size), buffer, size);
    while ((error = x509_pem_next(&reader, &der)) != ASSAY_ERR_NOT_FOUND) {
        FUZZ_CHECK(++calls <= size + 1); /* progress */
        if (error == ASSAY_OK && der.len > 0)
            check_again(der);
    }
    free(buffer);
    return 0;
}
