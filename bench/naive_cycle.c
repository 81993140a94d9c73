/* naive_cycle.c - what an unchanged cycle costs who parses each listing: fetches it with libcurl, parses it with
 * cJSON, looks at each connector, frees it.  Nothing is asked of a runtime.
 *
 *   naive_cycle URL CYCLES    prints the milliseconds of CPU of one cycle */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char question[] =
    "{\"query\":\"query connectors { connectorsForManagers { id name manager_contract_hash "
    "manager_contract_image manager_current_status manager_requested_status } }\"}";

struct body {
    char *ptr;
    size_t len, size;
};

static size_t
keep(char *bytes, size_t size, size_t n, void *context)
{
    struct body *b = context;
    size_t len = size * n;
    if (b->len + len > b->size) {
        size_t more = (b->len + len) * 2;
        char *grown = realloc(b->ptr, more);
        if (!grown)
            return 0;
        b->ptr = grown;
        b->size = more;
    }
    memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    return len;
}

/* The number of connectors, each of whose hash was looked at; -1: no listing. */
static long
cycle(CURL *curl)
{
    struct body body = {0};
    long count = -1;
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(curl);
    cJSON *json = code == CURLE_OK ? cJSON_ParseWithLength(body.ptr, body.len) : NULL;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(data, "connectorsForManagers");
    if (cJSON_IsArray(list)) {
        const cJSON *item;
        count = 0;
        cJSON_ArrayForEach(item, list)
        {
            const cJSON *hash = cJSON_GetObjectItemCaseSensitive(item, "manager_contract_hash");
            count += cJSON_IsString(hash) && strlen(hash->valuestring) == 8;
        }
    }
    cJSON_Delete(json);
    free(body.ptr);
    return count;
}

static double
cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int
main(int argc, char **argv)
{
    CURL *curl = curl_easy_init();
    long cycles = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (!curl || cycles < 1)
        return 2;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    if (cycle(curl) < 0)
        return 1;
    double began = cpu_ms();
    for (long i = 0; i < cycles; i++)
        if (cycle(curl) < 0)
            return 1;
    printf("%.3f\n", (cpu_ms() - began) / (double)cycles);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return 0;
}
