/* log_output.c - where log lines go when the embedder takes none: standard error, or a file that
 * rotates. */
#include "settings.h"

#include "buf.h"
#include "err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct log_output {
    int fd;
    char *path; /* NULL: standard error */
    int64_t size_bytes, max_size_bytes;
    int64_t max_files;
};

static int
open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* path.1 is the newest of the old ones.  max_files counts the one that is written. */
static void
rotate(struct log_output *o)
{
    for (int64_t i = o->max_files - 1; i > 0; i--) {
        AUTO_BUF struct buf from = BUF_INIT(4096), to = BUF_INIT(4096);
        buf_add_text(&from, o->path);
        if (i > 1)
            buf_add_fmt(&from, ".%lld", (long long)(i - 1));
        buf_add_fmt(&to, "%s.%lld", o->path, (long long)i);
        if (!buf_failed(&from) && !buf_failed(&to))
            (void)rename(buf_text(&from), buf_text(&to));
    }
    if (o->max_files <= 1)
        (void)unlink(o->path);
    int fd = open_file(o->path);
    if (fd >= 0) { /* else: go on in the old one, which loses nothing */
        close(o->fd);
        o->fd = fd;
        o->size_bytes = 0;
    }
}

static void
write_line(void *context, enum log_level level, const char *line, size_t length)
{
    struct log_output *o = context;
    (void)level;
    if (o->path && o->size_bytes > 0 && o->size_bytes + (int64_t)length + 1 > o->max_size_bytes)
        rotate(o);
    struct iovec parts[2] = {{(void *)(uintptr_t)line, length}, {(void *)(uintptr_t) "\n", 1}};
    ssize_t n = writev(o->fd, parts, 2); /* a full disk must not stop the manager */
    if (n > 0)
        o->size_bytes += n;
}

int
log_output_new(const struct config_log *settings, struct log_output **out, struct log_sink *sink,
               bool *json, struct gantry_error **err)
{
    struct log_output *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    o->fd = STDERR_FILENO;
    o->max_size_bytes = settings->max_size_bytes;
    o->max_files = settings->max_files;
    if (settings->file) {
        o->path = text_dup(settings->file);
        o->fd = o->path ? open_file(o->path) : -1;
        if (o->fd < 0) {
            int code = o->path ? err_set_errno(err, err_code_of_errno(errno), errno,
                                               "[log] file '%s': cannot be written", settings->file)
                               : err_nomem(err);
            free(o->path);
            free(o);
            return code;
        }
        struct stat st;
        if (fstat(o->fd, &st) == 0)
            o->size_bytes = st.st_size;
    }
    *json = settings->format == CONFIG_LOG_JSON ||
            (settings->format == CONFIG_LOG_AUTO && !isatty(o->fd));
    *sink = (struct log_sink){write_line, o};
    *out = o;
    return 0;
}

void
log_output_swap(struct log_output *a, struct log_output *b, struct log *log)
{
    pthread_mutex_lock(&log->lock);
    struct log_output other = *a;
    *a = *b;
    *b = other;
    pthread_mutex_unlock(&log->lock);
}

void
log_output_free(struct log_output *o)
{
    if (!o)
        return;
    if (o->path)
        close(o->fd);
    free(o->path);
    free(o);
}
