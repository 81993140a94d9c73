/* digest.c - SHA-256 as text. */
#include "crypto_internal.h"

int
crypto_sha256_hex(struct str bytes, char hex[CRYPTO_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];
    size_t n = 0;
    crypto_enter();
    int ok = EVP_Q_digest(NULL, "SHA256", NULL, bytes.len ? bytes.ptr : "", bytes.len, sum, &n);
    bool no_memory = crypto_leave();
    if (!ok || n != sizeof sum)
        return no_memory ? GANTRY_E_NOMEM : GANTRY_E_INTERNAL;
    for (size_t i = 0; i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[CRYPTO_HEX_SIZE - 1] = '\0';
    return 0;
}
