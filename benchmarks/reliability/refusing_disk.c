/* Loaded before libc: the n-th open for writing, write, fsync or rename under a folder fails, once or from then on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, WRITE, SYNC, RENAME };
static char folder[PATH_MAX];
static int kind = -1, number, error, for_good;
static long counts[4];

void refuse(const char *under, int which, int nth, int with, int always) {
    strncpy(folder, under, sizeof folder - 1);
    kind = which, number = nth, error = with, for_good = always;
    memset(counts, 0, sizeof counts);
}

long counted(int which) { return counts[which]; }

static int fails(int which) {
    long now = ++counts[which];
    if (which != kind || now < number || (now > number && !for_good)) return 0;
    errno = error;
    return 1;
}

static int under(const char *path) {
    char whole[PATH_MAX];
    if (!folder[0] || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(whole, sizeof whole)) return 0;
        strncat(whole, "/", sizeof whole - strlen(whole) - 1);
        strncat(whole, path, sizeof whole - strlen(whole) - 1);
        path = whole;
    }
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int of_folder(int fd) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return under(path);
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define WRITES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT))
#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags) NEXT(name); \
        if (WRITES(flags) && under(path) && fails(OPEN)) return -1; \
        return next(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        MODE(flags) NEXT(name); \
        if (WRITES(flags) && under(path) && fails(OPEN)) return -1; \
        return next(at, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

ssize_t write(int fd, const void *from, size_t size) {
    NEXT(write);
    return of_folder(fd) && fails(WRITE) ? -1 : next(fd, from, size);
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
    NEXT(writev);
    return of_folder(fd) && fails(WRITE) ? -1 : next(fd, parts, n);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    NEXT(pwrite64);
    return of_folder(fd) && fails(WRITE) ? -1 : next(fd, from, size, at);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    NEXT(pwrite);
    return of_folder(fd) && fails(WRITE) ? -1 : next(fd, from, size, at);
}
int fsync(int fd) {
    NEXT(fsync);
    return of_folder(fd) && fails(SYNC) ? -1 : next(fd);
}
int fdatasync(int fd) {
    NEXT(fdatasync);
    return of_folder(fd) && fails(SYNC) ? -1 : next(fd);
}
int rename(const char *from, const char *to) {
    NEXT(rename);
    return under(to) && fails(RENAME) ? -1 : next(from, to);
}
int renameat(int at, const char *from, int there, const char *to) {
    NEXT(renameat);
    return under(to) && fails(RENAME) ? -1 : next(at, from, there, to);
}
