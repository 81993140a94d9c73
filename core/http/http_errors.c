/* http_errors.c - what went wrong with a request, as a code that says what to do and a line that
 * says what failed.
 *
 * Nothing secret gets into the line: not the path and query of a URL, not its credentials, no
 * header. curl's own text is taken over for TLS alone; elsewhere it may quote a proxy with its
 * password. */
#include "http_internal.h"

#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void
http_say(struct http_transfer *t, int code, const char *fmt, ...)
{
    va_list args;

    t->code = code;
    va_start(args, fmt);
    (void)vsnprintf(t->message, sizeof t->message, fmt, args);
    va_end(args);
    for (char *c = t->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

const char *
http_span(uint64_t ms, char text[HTTP_SPAN_SIZE])
{
    bool whole = ms % 1000 == 0 && ms > 0;

    (void)snprintf(text, HTTP_SPAN_SIZE, "%llu %s", (unsigned long long)(whole ? ms / 1000 : ms),
                   whole ? "s" : "ms");
    return text;
}

/* What to try, for the ways in which a connection is refused. */
static const char *
connect_advice(const struct http_transfer *t, int errnum)
{
    if (t->unix_socket && (errnum == EACCES || errnum == EPERM))
        return "; run as a user that may open it, or add this one to its group";
    if (t->unix_socket && errnum == ENOENT)
        return "; start the service, or correct the path";
    if (errnum == ECONNREFUSED)
        return "; is the service running?";
    return "";
}

static void
say_connect(struct http_transfer *t)
{
    long errnum = 0;
    char text[128] = "the connection failed";

    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
    const char *reason = errnum ? strerror_r((int)errnum, text, sizeof text) : text;
    int code = errnum == EACCES || errnum == EPERM ? GANTRY_E_DENIED : GANTRY_E_UNAVAILABLE;
    if (t->via[0])
        http_say(t, code, "cannot connect to %s through proxy %s: %s; check the proxy", t->where,
                 t->via, reason);
    else
        http_say(t, code, "cannot connect to %s: %s%s", t->where, reason,
                 connect_advice(t, (int)errnum));
}

/* A proxy that answered CONNECT with something else than 2xx; false when that is not what happened.
 */
static bool
say_tunnel(struct http_transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return false;
    if (status == 401 || status == 403 || status == 407)
        http_say(t, GANTRY_E_DENIED,
                 "%s: the proxy refused the connection (%ld); check its rules and the user and "
                 "password in its URL",
                 t->where, status);
    else
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: the proxy could not connect (%ld)", t->where,
                 status);
    return true;
}

/* With TLS 1.3 a server tells that it does not like our certificate only after the handshake. */
static bool
say_client_certificate(struct http_transfer *t)
{
    static const char *const alerts[] = {
        "certificate required",    "bad certificate",     "unknown ca",
        "certificate unknown",     "certificate expired", "certificate revoked",
        "unsupported certificate",
    };

    if (!strstr(t->curl_text, "alert"))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(alerts); i++)
        if (strstr(t->curl_text, alerts[i])) {
            http_say(t, GANTRY_E_DENIED,
                     "%s: the server does not accept our certificate (%s); set cert_file and "
                     "key_file to one that it trusts",
                     t->where, alerts[i]);
            return true;
        }
    return false;
}

static void
say_broken(struct http_transfer *t, CURLcode rc)
{
    if (say_tunnel(t) || say_client_certificate(t))
        return;
    if (t->answered)
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: the answer broke off after %llu bytes of its body",
                 t->where, (unsigned long long)t->received);
    else if (rc == CURLE_SSL_CONNECT_ERROR)
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: no TLS connection: %s", t->where,
                 t->curl_text[0] ? t->curl_text : curl_easy_strerror(rc));
    else
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: the connection was closed before an answer",
                 t->where);
}

static void
say_tls(struct http_transfer *t, CURLcode rc)
{
    const char *text = t->curl_text[0] ? t->curl_text : curl_easy_strerror(rc);

    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        http_say(
            t, GANTRY_E_DENIED,
            "%s: the server's certificate is not trusted: %s; set ca_file to the file of the CA "
            "that issued it",
            t->where, text);
    else if (rc == CURLE_SSL_CACERT_BADFILE)
        http_say(t, GANTRY_E_INVALID, "%s: ca_file cannot be used: %s", t->where, text);
    else
        http_say(t, GANTRY_E_INVALID, "%s: cert_file or key_file cannot be used: %s", t->where,
                 text);
}

static void
say_other(struct http_transfer *t, CURLcode rc)
{
    static const struct {
        CURLcode rc;
        int code;
        const char *text;
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST, GANTRY_E_UNAVAILABLE,
         "the name cannot be resolved; check its spelling and DNS"},
        {CURLE_COULDNT_RESOLVE_PROXY, GANTRY_E_UNAVAILABLE,
         "the proxy's name cannot be resolved; check the proxy"},
        {CURLE_PROXY, GANTRY_E_UNAVAILABLE, "the proxy could not connect"},
        {CURLE_UNSUPPORTED_PROTOCOL, GANTRY_E_UNAVAILABLE, "the answer is not HTTP"},
        {CURLE_WEIRD_SERVER_REPLY, GANTRY_E_UNAVAILABLE, "the answer is not proper HTTP"},
        {CURLE_BAD_CONTENT_ENCODING, GANTRY_E_UNAVAILABLE, "the answer's compression is broken"},
        {CURLE_HTTP2, GANTRY_E_UNAVAILABLE, "the HTTP/2 connection failed"},
        {CURLE_HTTP2_STREAM, GANTRY_E_UNAVAILABLE, "the HTTP/2 stream was reset"},
        {CURLE_URL_MALFORMAT, GANTRY_E_INVALID, "the URL is not valid"},
        {CURLE_OUT_OF_MEMORY, GANTRY_E_NOMEM, "out of memory"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (table[i].rc == rc) {
            http_say(t, table[i].code, "%s: %s", t->where, table[i].text);
            return;
        }
    http_say(t, GANTRY_E_UNAVAILABLE, "%s: %s", t->where, curl_easy_strerror(rc));
}

void
http_say_curl(struct http_transfer *t, CURLcode rc)
{
    char span[HTTP_SPAN_SIZE];

    /* curl has some hundred codes of other protocols: only a few are our affair. */
    if (rc == CURLE_COULDNT_CONNECT)
        say_connect(t);
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        http_say(t, GANTRY_E_TIMEOUT, "%s: no connection within %s", t->where,
                 http_span(t->limits.connect_ms, span));
    else if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE ||
             rc == CURLE_SSL_CERTPROBLEM)
        say_tls(t, rc);
    else if (rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR || rc == CURLE_GOT_NOTHING ||
             rc == CURLE_PARTIAL_FILE || rc == CURLE_SSL_CONNECT_ERROR)
        say_broken(t, rc);
    else
        say_other(t, rc);
}
