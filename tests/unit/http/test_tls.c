/* TLS against `openssl s_server`: whom we trust, and who trusts us.  Skipped where there is no
 * openssl. */
#include "file.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define VECTORS GANTRY_SOURCE_DIR "/tests/vectors/http/"

struct peer {
    pid_t pid;
    FILE *out;
    char url[64];
};

/* Start a server on a port that the system chooses; it says which. */
static void
peer_start(struct peer *peer, bool wants_certificate)
{
    const char *plain[] = {"openssl",
                           "s_server",
                           "-accept",
                           "127.0.0.1:0",
                           "-www",
                           "-cert",
                           VECTORS "server.pem",
                           "-key",
                           VECTORS "server.key",
                           "-naccept",
                           "20",
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL};
    int ends[2];
    char line[256];

    if (wants_certificate) {
        plain[11] = "-Verify";
        plain[12] = "1";
        plain[13] = "-CAfile";
        plain[14] = VECTORS "client.pem";
    }
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    pid_t parent = getpid();
    peer->pid = fork();
    assert_true(peer->pid >= 0);
    if (peer->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        int nothing = open("/dev/null", O_RDWR);
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDERR_FILENO);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execvp(plain[0], (char *const *)(uintptr_t)plain);
        _exit(127);
    }
    (void)close(ends[1]);
    peer->out = fdopen(ends[0], "r");
    assert_non_null(peer->out);
    for (;;) {
        if (!fgets(line, sizeof line, peer->out))
            fail_msg("openssl s_server has ended without saying its port");
        if (strncmp(line, "ACCEPT ", 7) == 0)
            break;
    }
    const char *port = strrchr(line, ':');
    assert_non_null(port);
    (void)snprintf(peer->url, sizeof peer->url, "https://localhost:%ld/",
                   strtol(port + 1, NULL, 10));
}

static void
peer_stop(struct peer *peer)
{
    (void)kill(peer->pid, SIGKILL);
    assert_int_equal(peer->pid, waitpid(peer->pid, NULL, 0));
    (void)fclose(peer->out);
}

static void
visit(const struct peer *peer, const struct gantry_http_tls *tls, int code, const char *part)
{
    struct http_loop *loop = new_loop();
    struct gantry_http_request request = request_to("GET", peer->url);
    struct seen seen;

    request.tls = tls;
    seen_init(&seen);
    ask(loop, &request, &seen);
    if (seen.code != code)
        fail_msg("%d instead of %d: %s", seen.code, code, seen.message);
    assert_contains(code ? seen.message : buf_text(&seen.body), part);
    seen_clear(&seen);
    http_loop_free(loop);
}

static void
a_server_is_trusted_by_its_ca_file_alone(void **state)
{
    struct peer peer;
    struct gantry_http_tls tls = {.size = sizeof tls};

    (void)state;
    peer_start(&peer, false);
    visit(&peer, NULL, GANTRY_E_DENIED, "certificate is not trusted");
    visit(&peer, NULL, GANTRY_E_DENIED, "set ca_file");
    tls.ca_file = VECTORS "client.pem"; /* another's */
    visit(&peer, &tls, GANTRY_E_DENIED, "set ca_file");
    tls.ca_file = VECTORS "server.pem";
    visit(&peer, &tls, 0, "s_server");
    tls.ca_file = NULL;
    tls.insecure = 1;
    visit(&peer, &tls, 0, "s_server");
    tls.insecure = 0;
    tls.ca_file = VECTORS "not-there.pem";
    visit(&peer, &tls, GANTRY_E_INVALID, "ca_file cannot be used");
    peer_stop(&peer);
}

static void
trust_given_to_one_request_is_not_the_next_ones(void **state)
{
    struct peer peer;
    struct gantry_http_tls tls = {.size = sizeof tls, .insecure = 1};
    struct http_loop *loop = new_loop();

    (void)state;
    peer_start(&peer, false);
    for (int round = 0; round < 2; round++) {
        struct gantry_http_request request = request_to("GET", peer.url);
        struct seen seen;
        request.tls = round == 0 ? &tls : NULL;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(round == 0 ? 0 : GANTRY_E_DENIED, seen.code);
        seen_clear(&seen);
    }
    http_loop_free(loop);
    peer_stop(&peer);
}

/* A certificate authority is renewed under the same path, and the program runs on. */
static void
a_ca_file_that_is_replaced_is_read_again(void **state)
{
    static const char *const contents[] = {VECTORS "client.pem", VECTORS "server.pem"};
    struct peer peer;
    char path[] = "/tmp/gantry-ca-XXXXXX";
    int fd = mkstemp(path);
    struct gantry_http_tls tls = {.size = sizeof tls, .ca_file = path};
    struct http_loop *loop = new_loop();

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    peer_start(&peer, false);
    for (int round = 0; round < 2; round++) {
        struct gantry_http_request request = request_to("GET", peer.url);
        struct seen seen;
        char *pem = NULL;
        size_t len = 0;
        assert_int_equal(0, file_read(contents[round], 1 << 20, &pem, &len, NULL));
        assert_int_equal(0, file_write_atomic(path, (struct str){pem, len}, 0600, NULL));
        free(pem);
        request.tls = &tls;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(round == 0 ? GANTRY_E_DENIED : 0, seen.code);
        seen_clear(&seen);
    }
    http_loop_free(loop);
    peer_stop(&peer);
    unlink(path);
}

static void
a_certificate_for_another_name_is_refused(void **state)
{
    struct peer peer;
    struct gantry_http_tls tls = {.size = sizeof tls, .ca_file = VECTORS "server.pem"};

    (void)state;
    peer_start(&peer, false);
    const char *port = strrchr(peer.url, ':');
    char other[sizeof peer.url];
    (void)snprintf(other, sizeof other, "https://127.0.0.1%s", port);
    (void)snprintf(peer.url, sizeof peer.url, "%s", other); /* the certificate is localhost's */
    visit(&peer, &tls, GANTRY_E_DENIED, "certificate is not trusted");
    peer_stop(&peer);
}

static void
a_client_certificate_is_shown_where_one_is_asked_for(void **state)
{
    struct peer peer;
    struct gantry_http_tls tls = {.size = sizeof tls, .ca_file = VECTORS "server.pem"};

    (void)state;
    peer_start(&peer, true);
    visit(&peer, &tls, GANTRY_E_DENIED, "set cert_file and key_file");
    tls.cert_file = VECTORS "client.pem";
    tls.key_file = VECTORS "client.key";
    visit(&peer, &tls, 0, "s_server");
    tls.key_file = VECTORS "server.key"; /* does not belong to it */
    visit(&peer, &tls, GANTRY_E_INVALID, "cert_file or key_file cannot be used");
    peer_stop(&peer);
}

/* TLS spoken to a server that does not speak it, and the other way round. */
static void
plain_http_to_a_tls_port_is_an_error(void **state)
{
    struct peer peer;
    struct http_loop *loop = new_loop();
    struct seen seen;
    char url[64];

    (void)state;
    peer_start(&peer, false);
    (void)snprintf(url, sizeof url, "http%s", peer.url + 5);
    struct gantry_http_request request = request_to("GET", url);
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(GANTRY_E_UNAVAILABLE, seen.code);
    seen_clear(&seen);
    http_loop_free(loop);
    peer_stop(&peer);
}

static bool
has_openssl(void)
{
    static const char *const places[] = {"/usr/bin/openssl", "/bin/openssl",
                                         "/usr/local/bin/openssl"};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (access(places[i], X_OK) == 0)
            return true;
    return false;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_trusted_by_its_ca_file_alone),
        cmocka_unit_test(trust_given_to_one_request_is_not_the_next_ones),
        cmocka_unit_test(a_ca_file_that_is_replaced_is_read_again),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(a_client_certificate_is_shown_where_one_is_asked_for),
        cmocka_unit_test(plain_http_to_a_tls_port_is_an_error),
    };
    if (!has_openssl()) {
        (void)fprintf(stderr, "skipped: the program openssl is not installed\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
