// A program of the old runtime: exported variables, macros on FILE, old printf, __getmainargs, onexit.
typedef struct { char *ptr; int cnt; char *base; int flag, file, charbuf, bufsiz; char *name; } FILE;
typedef unsigned long long size_t;
typedef unsigned short wchar;
extern __declspec(dllimport) FILE _iob[];
extern __declspec(dllimport) int _fmode;
extern __declspec(dllimport) char *_acmdln;
extern __declspec(dllimport) char **_environ;
extern __declspec(dllimport) int __mb_cur_max;
#define I __declspec(dllimport)
I int __getmainargs(int *, char ***, char ***, int, int *);
I void __set_app_type(int);
I FILE *__iob_func(void);
I int printf(const char *, ...), fprintf(FILE *, const char *, ...), sprintf(char *, const char *, ...);
I int _snprintf(char *, size_t, const char *, ...), sscanf(const char *, const char *, ...), swprintf(wchar *, const wchar *, ...);
I int _filbuf(FILE *), _flsbuf(int, FILE *), fclose(FILE *), fflush(FILE *), atoi(const char *), *_errno(void);
I FILE *fopen(const char *, const char *);
I void *malloc(size_t), free(void *), exit(int), _lock(int), _unlock(int), *_onexit(void *);
I void *operator_new(size_t);
I double strtod(const char *, char **);
I int _stricmp(const char *, const char *), remove(const char *);
int _fltused;
#define putc(c, f) (--(f)->cnt >= 0 ? (int)(unsigned char)(*(f)->ptr++ = (char)(c)) : _flsbuf((c), (f)))
#define getc(f) (--(f)->cnt >= 0 ? (int)(unsigned char)*(f)->ptr++ : _filbuf(f))

static int bye(void) { printf("bye\n"); return 0; }
void mainCRTStartup(void) {
    int argc, mode = 0, c, n = 0, a;
    char **argv, **env, text[64];
    wchar wide[16];
    float x;
    __set_app_type(1);
    __getmainargs(&argc, &argv, &env, 0, &mode);
    printf("%d %s environment %d command line %d\n", argc, argv[1], env == _environ, _acmdln[0] != 0);
    printf("iob %d mode %d mb %d\n", __iob_func() == _iob, _fmode, __mb_cur_max);
    printf("%g %e %5.1f|%I64x|%S|%s\n", 0.00001, 1.5, 2.25, 0x123456789abULL, L"wide", (char *)0);
    printf("%d %.5s %d\n", _snprintf(text, 5, "%d", 123456), text, sprintf(text, "%x", 255));
    n = sscanf("17 2.5", "%d %f", &a, &x);
    printf("%d:%d %g %d\n", n, a, x, swprintf(wide, L"%s-%d", L"w", 5));
    FILE *f = fopen("old.txt", "w");
    for (int i = 0; i < 5000; i++) putc(i % 100 == 99 ? '\n' : 'a' + i % 26, f);
    fclose(f);
    f = fopen("old.txt", "r");
    for (a = n = 0; (c = getc(f)) != -1; n++) a += c;
    printf("read %d sum %d\n", n, a);
    fclose(f);
    remove("old.txt");
    f = fopen("none.txt", "r");
    printf("missing %d errno %d\n", f != 0, *_errno());
    char *block = malloc(10);
    printf("malloc %d atoi %d stricmp %d strtod %g\n", block != 0, atoi("12"), _stricmp("A", "a"), strtod("0x10", 0));
    free(block);
    _lock(8);
    _lock(8);
    _unlock(8);
    _unlock(8);
    _onexit(bye);
    fprintf(&_iob[2], "old stderr\n");
    exit(9);
}
