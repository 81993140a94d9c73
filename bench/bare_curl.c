/* bare_curl.c - fetches one URL with libcurl, says so, and waits for the end of its standard input:
 * a measure of what any program pays that speaks HTTP. */
#include <curl/curl.h>
#include <stdio.h>

static size_t
drop(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes, (void)context;
    return size * n;
}

int
main(int argc, char **argv)
{
    if (argc != 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 2;
    CURL *curl = curl_easy_init();
    if (!curl)
        return 1;
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    CURLcode code = curl_easy_perform(curl);
    puts(code == CURLE_OK ? "fetched" : curl_easy_strerror(code));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return code == CURLE_OK ? 0 : 1;
}
