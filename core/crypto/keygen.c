/* keygen.c - a new key in a new file: nobody else can read it, and no key is ever written over. */
#include "crypto_internal.h"
#include "err.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>

static int
already_there(const char *path, struct gantry_error **err)
{
    return err_set(err, GANTRY_E_CONFLICT,
                   "'%s' exists already, and a key is never written over; give another name", path);
}

static int
write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text.ptr += n;
        text.len -= (size_t)n;
    }
    return 0;
}

/* A new file survives a power cut only when its folder has been written too. */
static int
sync_folder_of(const char *path)
{
    AUTO_FREE char *copy = text_dup(path);
    if (!copy)
        return -1;
    AUTO_CLOSE int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A folder that may be written but not read, or cannot be synced (EINVAL): nothing more to do.
     */
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    return fsync(fd) < 0 && errno != EINVAL ? -1 : 0;
}

static int
write_new_file(const char *path, struct str text, struct gantry_error **err)
{
    AUTO_CLOSE int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        int failed = errno;
        if (failed == EEXIST)
            return already_there(path, err);
        return err_set_errno(err, err_code_of_errno(failed), failed, "cannot make key file '%s'",
                             path);
    }
    /* fchmod: a umask may take bits away, and an inherited ACL may add some. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) == 0 && write_all(fd, text) == 0 && fsync(fd) == 0 &&
        sync_folder_of(path) == 0)
        return 0;
    int failed = errno;
    unlink(path); /* half a key would only be in the way of the next attempt */
    return err_set_errno(err, err_code_of_errno(failed), failed, "cannot write key file '%s'",
                         path);
}

int
crypto_keygen_file(const char *path, unsigned bits, struct gantry_error **err)
{
    struct stat there;
    if (lstat(path, &there) == 0) /* said before seconds are spent on a key; O_EXCL decides */
        return already_there(path, err);
    AUTO_CRYPTO_KEY struct crypto_key *key = NULL;
    AUTO_SECRET struct secret pem = {0};
    int rc = crypto_key_generate(bits, &key, err);
    if (rc == 0)
        rc = crypto_key_private_pem(key, &pem, err);
    if (rc < 0)
        return rc;
    return write_new_file(path, secret_bytes(&pem), err);
}
