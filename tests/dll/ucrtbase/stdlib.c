// Numbers, strings, time, locale, signals, threads, processes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <math.h>
#include <time.h>
#include <locale.h>
#include <signal.h>
#include <setjmp.h>
#include <process.h>
#include <ctype.h>
#include <wctype.h>
#include <io.h>
#include <direct.h>
#include <stdarg.h>
#include <float.h>
#include <wchar.h>
#include <windows.h>

static void numbers(void) {
    char *end;
    errno = 0;
    printf("%ld %s", strtol("  -0x1Fz", &end, 0), end);
    printf(" %ld %d\n", strtol("99999999999", NULL, 10), errno);
    printf("%llu %lld\n", strtoull("18446744073709551615", NULL, 10), strtoll("-077", NULL, 0));
    printf("%.17g %s", strtod("1.25e2xyz", &end), end);
    printf(" %g %g\n", strtod("inf", NULL), atof("-.5"));
    printf("%d %ld %lld %d\n", atoi(" 42x"), atol("-7"), _atoi64("5000000000"), _wtoi(L"33"));
    char b[70];
    printf("%s", _itoa(-255, b, 16));
    printf(" %s", _i64toa(-5, b, 10));
    printf(" %s\n", _ultoa(4000000000u, b, 2));
    srand(1);
    int r1 = rand(), r2 = rand(), r3 = rand();
    printf("%d %d %d\n", r1, r2, r3);
    div_t d = div(-7, 2);
    lldiv_t ld = lldiv(-7, 2);
    printf("%d %d %lld %lld %d\n", d.quot, d.rem, ld.quot, ld.rem, abs(-3));
    printf("%x %llx\n", _byteswap_ulong(0x11223344), _rotl64(1, 63));
    int sorted[5] = {3, 1, 2, 5, 4};
    int compare(const void *a, const void *b);
    qsort(sorted, 5, sizeof(int), compare);
    printf("%d%d%d%d%d\n", sorted[0], sorted[1], sorted[2], sorted[3], sorted[4]);
}
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

// mingw brings much of math.h itself: these are asked of the DLL.
static double of_dll(const char *name, double x, double y) {
    double (*f)(double, double) = (void *)GetProcAddress(GetModuleHandleA("ucrtbase"), name);
    errno = 0;
    return f(x, y);
}
static void of_dll_all(void) {
    static const struct { const char *name; double x, y; } rows[] = {
        {"sqrt", -1}, {"log", 0}, {"log", -1}, {"pow", 1e308, 2}, {"pow", -2, 3}, {"pow", -8, 1 / 3.}, {"pow", 0, 0},
        {"fmod", -7.5, 2}, {"fmod", 1, 0}, {"floor", -1.5}, {"ceil", -1.5}, {"round", -2.5}, {"rint", 2.5}, {"trunc", 2.7},
        {"exp", 1000}, {"exp", -1000}, {"sin", 1}, {"atan2", 1, -1}, {"hypot", 3, 4}, {"cbrt", 27}, {"atanh", 1},
        {"lgamma", 0}, {"tgamma", 5}, {"logb", 48}, {"nextafter", 1, 2}, {"fmax", NAN, 2}, {"acos", 2}, {"fdim", 5, 3},
    };
    for (int i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = of_dll(rows[i].name, rows[i].x, rows[i].y);
        printf("%s(%g, %g) = %.12g errno %d\n", rows[i].name, rows[i].x, rows[i].y, value, errno);
    }
    float (*single)(float) = (void *)GetProcAddress(GetModuleHandleA("ucrtbase"), "sinf");
    printf("sinf %.9g\n", single(1));
    int e;
    double (*take)(double, int *) = (void *)GetProcAddress(GetModuleHandleA("ucrtbase"), "frexp");
    double part = take(48, &e);
    long (*whole)(double) = (void *)GetProcAddress(GetModuleHandleA("ucrtbase"), "lrint");
    short (*kind)(double) = (void *)GetProcAddress(GetModuleHandleA("ucrtbase"), "_dclass");
    printf("frexp %g %d lrint %ld class %d %d\n", part, e, whole(-3.5), kind(0), kind(NAN));
}
static void mathematics(void) {
    of_dll_all();
    volatile double zero = 0, one = 1;
    int e; double i;
    double m = frexp(48.0, &e), f = modf(-3.25, &i);
    printf("%g %d %g %g %g\n", m, e, f, i, ldexp(0.75, 4));
    printf("%ld %ld %lld\n", lrint(2.5), lround(2.5), llrint(-3.5));
    printf("%d %d %d\n", isnan(sqrt(-one)) != 0, isinf(one / zero) != 0, fpclassify(1e-310) == FP_SUBNORMAL);
}
static void strings(void) {
    char text[] = "one, two;three";
    for (char *t = strtok(text, ", ;"); t; t = strtok(NULL, ", ;")) printf("<%s>", t);
    char *copy = _strdup("dup");
    printf(" %s\n", copy);
    free(copy);
    char small[6];
    printf("%d %s", strncpy_s(small, 6, "abcdefgh", _TRUNCATE), small);
    printf(" %d %s\n", strcpy_s(small, 6, "xyz"), small);
    wchar_t w[8];
    printf("%d %x\n", (int)mbstowcs(w, "a\xe9", 8), w[1]);
    printf("%d %d %d\n", isalpha('a') != 0, iswupper(L'\x00c4') != 0, towupper(L'b'));
    printf("%d %d\n", _stricmp("ABC", "abd"), strcoll("a", "B") > 0);
    printf("%s %s\n", _strupr(small), strerror(13));
    char *p = _fullpath(NULL, "sub\\..\\file.txt", 0), drive[_MAX_DRIVE], dir[_MAX_DIR], name[_MAX_FNAME], ext[_MAX_EXT];
    _splitpath(p, drive, dir, name, ext);
    printf("%s|%s|%s\n", drive, name, ext);
}
static void calendar(void) {
    time_t t = 86400 * 365LL + 3661;
    struct tm *tm = gmtime(&t);
    printf("%d-%d-%d %d:%d:%d %d %d\n", tm->tm_year, tm->tm_mon, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec,
           tm->tm_wday, tm->tm_yday);
    char b[64];
    strftime(b, 64, "%Y-%m-%d %H:%M:%S %a %j", tm);
    printf("%s\n%s", b, asctime(tm));
    struct tm broken = {.tm_year = 100, .tm_mon = 14, .tm_mday = 31, .tm_isdst = -1};
    time_t made = mktime(&broken);
    printf("%d-%d-%d same %d\n", broken.tm_year, broken.tm_mon, broken.tm_mday, mktime(&broken) == made);
    printf("now sane %d clock sane %d\n", time(NULL) > 1500000000, clock() >= 0);
    printf("diff %g\n", difftime(10, 4));
}
static void locales(void) {
    printf("%s", setlocale(LC_ALL, NULL));
    printf(" %s", setlocale(LC_ALL, ""));
    printf(" %s", localeconv()->decimal_point);
    printf(" %d", iswupper(L'\x00c4') != 0);
    printf(" %s\n", setlocale(LC_ALL, "C"));
}
static volatile int seen;
static void on_signal(int number) { seen = number; }
static jmp_buf back;
static void jump(int v) { longjmp(back, v); }
static void control(void) {
    signal(SIGTERM, on_signal);
    printf("raise %d seen %d\n", raise(SIGTERM), seen);
    printf("bad signal %d errno %d\n", signal(99, on_signal) == SIG_ERR, errno);
    int v = setjmp(back);
    if (v < 3) jump(v + 1);
    printf("jumped %d\n", v);
}
static unsigned __stdcall worker(void *p) { errno = 77; *(int *)p = errno; return 9; }
static void threads(void) {
    int got = 0;
    unsigned id;
    errno = 5;
    HANDLE h = (HANDLE)_beginthreadex(NULL, 0, worker, &got, 0, &id);
    WaitForSingleObject(h, INFINITE);
    DWORD code;
    GetExitCodeThread(h, &code);
    printf("thread said %d, exit %lu, own errno %d\n", got, code, errno);
}
static void files(void) {
    printf("mkdir %d again %d errno %d\n", _mkdir("dir1"), _mkdir("dir1"), errno);
    FILE *f = fopen("dir1\\a.txt", "w");
    fputs("12345", f);
    fclose(f);
    struct _finddata_t found;
    intptr_t h = _findfirst("dir1\\*.txt", &found);
    printf("found %s size %d next %d errno %d\n", found.name, (int)found.size, _findnext(h, &found), errno);
    _findclose(h);
    printf("access %d %d\n", _access("dir1\\a.txt", 0), _access("dir1\\b.txt", 0));
    printf("chdir %d", _chdir("dir1"));
    char cwd[260];
    _getcwd(cwd, 260);
    printf(" %s", strrchr(cwd, '\\'));
    printf(" unlink %d chdir %d rmdir %d\n", _unlink("a.txt"), _chdir(".."), _rmdir("dir1"));
}
static void at_exit(void) { printf("first registered\n"); }
static void at_exit_2(void) { printf("second registered\n"); }
int main(int argc, char **argv) {
    if (argc > 1) {
        printf("child %s %s\n", argv[1], getenv("NTOS_CHILD"));
        return 42;
    }
    numbers();
    mathematics();
    strings();
    calendar();
    locales();
    control();
    threads();
    files();
    _putenv("NTOS_CHILD=yes");
    fflush(stdout);
    printf("spawned %d\n", (int)_spawnl(_P_WAIT, argv[0], argv[0], "argument", NULL));
    printf("missing %d errno %d\n", (int)_spawnl(_P_WAIT, "nothere.exe", "nothere", NULL), errno);
    atexit(at_exit);
    atexit(at_exit_2);
    exit(6);
}
