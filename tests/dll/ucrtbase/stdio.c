// Streams: modes, buffering, positions, text translation, scanf.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <io.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <wchar.h>

static void text_mode(void) {
    FILE *f = fopen("t.txt", "w");
    fprintf(f, "line %d\nline %s\n", 1, "two");
    printf("tell %ld\n", ftell(f));
    fclose(f);
    f = fopen("t.txt", "rb");
    char raw[64];
    size_t n = fread(raw, 1, sizeof raw, f);
    printf("raw %zu cr %d eof %d\n", n, raw[6] == '\r', feof(f) != 0);
    fclose(f);
    f = fopen("t.txt", "r");
    char line[32];
    printf("gets %s", fgets(line, sizeof line, f));
    printf("at %ld\n", ftell(f));
    printf("next %c peek %c\n", getc(f), ungetc('q', f));
    printf("got %c then %c\n", getc(f), getc(f));
    rewind(f);
    int a; char word[16];
    printf("scanned %d:", fscanf(f, "line %d line %15s", &a, word));
    printf(" %d %s\n", a, word);
    printf("end %d %d\n", fgetc(f), fgetc(f));
    printf("feof %d\n", feof(f) != 0);
    clearerr(f);
    printf("write to it %d errno %d ferror %d\n", fputc('x', f), errno, ferror(f) != 0);
    fclose(f);
}
static void update_mode(void) {
    FILE *f = fopen("u.bin", "w+b");
    for (int i = 0; i < 10000; i++) fputc(i & 255, f);
    fseek(f, 300, SEEK_SET);
    printf("at 300: %d\n", fgetc(f));
    fseek(f, 0, SEEK_CUR);
    fwrite("ABC", 1, 3, f);
    fseek(f, -4, SEEK_CUR);
    printf("around: %d %c%c%c %d\n", fgetc(f), fgetc(f), fgetc(f), fgetc(f), fgetc(f));
    fseek(f, -1, SEEK_END);
    int last = fgetc(f);
    printf("last %d size %ld\n", last, ftell(f));
    fpos_t where;
    fgetpos(f, &where);
    rewind(f);
    fsetpos(f, &where);
    printf("back at %ld\n", ftell(f));
    fclose(f);
    f = fopen("u.bin", "ab+");
    fputs("tail", f);
    printf("append at %ld\n", ftell(f));
    rewind(f);
    char big[12000];
    printf("whole %zu\n", fread(big, 1, sizeof big, f));
    printf("close %d\n", fclose(f));
}
static void modes(void) {
    FILE *f = fopen("none.txt", "r");
    printf("missing: %d errno %d %s\n", f != NULL, errno, strerror(errno));
    f = fopen("t.txt", "wx");
    printf("exclusive: %d errno %d\n", f != NULL, errno);
    f = fopen("v.txt", "w");
    char buffer[64];
    printf("setvbuf %d\n", setvbuf(f, buffer, _IOFBF, 64));
    fputs("abc", f);
    printf("in my buffer %.3s, fflush %d\n", buffer, fflush(f));
    struct _stat64 st;
    printf("stat %d size %lld regular %d\n", _stat64("v.txt", &st), st.st_size, (st.st_mode & _S_IFREG) != 0);
    fclose(f);
    f = freopen("v.txt", "r", stdin);
    int c = getchar();
    printf("stdin is now the file: %c fileno %d\n", c, _fileno(stdin));
    FILE *tmp = tmpfile();
    fputs("temporary", tmp);
    rewind(tmp);
    char word[20];
    printf("tmpfile %s\n", fgets(word, 20, tmp));
    fclose(tmp);
    printf("remove %d rename %d remove %d\n", remove("v.txt") , rename("t.txt", "w.txt"), remove("w.txt"));
    printf("remove again %d errno %d\n", remove("w.txt"), errno);
}
static void low_level(void) {
    int fd = _open("low.bin", _O_RDWR | _O_CREAT | _O_TRUNC | _O_BINARY, _S_IREAD | _S_IWRITE);
    printf("write %d\n", _write(fd, "0123456789", 10));
    printf("seek %ld\n", _lseek(fd, 3, SEEK_SET));
    char b[8] = {0};
    printf("read %d %s\n", _read(fd, b, 4), b);
    int copy = _dup(fd);
    printf("shared position %ld length %ld\n", _tell(copy), _filelength(copy));
    printf("chsize %d length %ld\n", _chsize(copy, 5), _filelength(fd));
    _close(copy);
    _close(fd);
    printf("closed: %d errno %d\n", _write(fd, "x", 1), errno);
    int ends[2];
    printf("pipe %d\n", _pipe(ends, 256, _O_TEXT));
    _write(ends[1], "a\nb\x1a z", 6);
    _close(ends[1]);
    char text[16] = {0};
    int n = _read(ends[0], text, 15);
    printf("from pipe %d: %.*s\n", n, n, text);
    printf("mode %x then %x\n", _setmode(ends[0], _O_BINARY), _setmode(ends[0], _O_TEXT));
    printf("tty %d\n", _isatty(ends[0]) != 0);
    _close(ends[0]);
    remove("low.bin");
    remove("u.bin");
}
static void wide(void) {
    FILE *f = _wfopen(L"wide.txt", L"w, ccs=UTF-8");
    fputws(L"h\u00e4\u20ac\n", f);
    fclose(f);
    f = fopen("wide.txt", "rb");
    unsigned char raw[32];
    size_t n = fread(raw, 1, 32, f);
    for (size_t i = 0; i < n; i++) printf("%02x", raw[i]);
    printf("\n");
    fclose(f);
    f = _wfopen(L"wide.txt", L"r, ccs=UTF-8");
    wchar_t line[16];
    fgetws(line, 16, f);
    printf("%d %x %x\n", (int)wcslen(line), line[1], line[2]);
    fclose(f);
    remove("wide.txt");
    wprintf(L"wide %s and %hs\n", L"one", "narrow");
}
static void formats(void) {
    char s[32];
    wchar_t w[32];
    printf("%d %s\n", snprintf(s, 4, "%d", 123456), s);
    printf("%d\n", _snprintf(s, 4, "%d", 123456));
    printf("%d %.6s\n", _snprintf(s, 6, "%d", 123456), s);
    printf("%d %ls\n", swprintf(w, 32, L"%05d|%-4ls|", 42, L"ab"), w);
    printf("%+d %#x %08.3f %e %g %a\n", 5, 255, 3.14159, 12345.678, 0.0001, 1.0);
    printf("[%*d] [%-*d] [%.*s]\n", 5, 1, 5, 2, 2, "abcdef");
    printf("%I64d %lld %hhd %zu %p\n", 1LL << 40, -1LL, 300, (size_t)7, (void *)0x1234);
    int a, b; char c; float x; double y; char set[8];
    printf("%d:", sscanf("12 0x1f q 2.5 1e3 abcX", "%d %i %c %f %lf %7[a-c]", &a, &b, &c, &x, &y, set));
    printf(" %d %d %c %g %g %s\n", a, b, c, x, y, set);
}
int main(void) {
    text_mode();
    update_mode();
    modes();
    low_level();
    wide();
    formats();
    fprintf(stderr, "to stderr\n");
    printf("not flushed by hand");
    return 3;
}
