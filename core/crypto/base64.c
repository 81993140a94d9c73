/* base64.c - strict base64, read only.
 *
 * OpenSSL's decoder takes blanks, line breaks and text cut in mid-quad; a platform sends none of
 * these, and what is not exactly its form must not be taken for a sealed value. */
#include "crypto_internal.h"

#define NOT_A_DIGIT 64u

static unsigned
digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    if (c == '+')
        return 62;
    if (c == '/')
        return 63;
    return NOT_A_DIGIT;
}

bool
base64_check(struct str text, size_t *size)
{
    if (text.len == 0 || text.len % 4 != 0)
        return false;
    size_t padding = 0;
    if (text.ptr[text.len - 1] == '=')
        padding = text.ptr[text.len - 2] == '=' ? 2 : 1;
    size_t digits = text.len - padding;
    for (size_t i = 0; i < digits; i++) {
        if (digit_of(text.ptr[i]) == NOT_A_DIGIT)
            return false;
    }
    /* One digit before two pads carries 2 bits of a byte that is not there; two before one pad, 4.
     */
    unsigned last = digit_of(text.ptr[digits - 1]);
    if ((padding == 2 && (last & 15u) != 0) || (padding == 1 && (last & 3u) != 0))
        return false;
    *size = text.len / 4 * 3 - padding;
    return true;
}

void
base64_decode_quad(const char *quad, unsigned char out[3], size_t *size)
{
    uint32_t bits = 0;
    size_t digits = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = digit_of(quad[i]);
        if (digit != NOT_A_DIGIT)
            digits++;
        bits = (bits << 6) | (digit & 63u); /* a pad gives zero bits, which are not used */
    }
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8 & 255u);
    out[2] = (unsigned char)(bits & 255u);
    *size = digits - 1;
}

void
base64_decode(struct str text, unsigned char *out)
{
    for (size_t at = 0; at + 4 <= text.len; at += 4) {
        unsigned char bytes[3];
        size_t n;
        base64_decode_quad(text.ptr + at, bytes, &n);
        memcpy(out, bytes, n);
        out += n;
    }
}
