// C++ of the Microsoft ABI without its headers: what throws, what catches, what is destroyed, in which order.
extern "C" int puts(const char *);
extern "C" void exit(int);
extern "C" void *__acrt_iob_func(unsigned);
extern "C" int __stdio_common_vfprintf(unsigned long long, void *, const char *, void *, char *);
extern "C" int __uncaught_exceptions();
extern "C" int _fltused = 0;

// Type descriptors point to type_info's virtual functions, which Visual C++ links in from a library.
__asm__(".section .rdata,\"dr\"\n.globl \"??_7type_info@@6B@\"\n\"??_7type_info@@6B@\":\n.quad 0\n.text\n");
void operator delete(void *, unsigned long long) noexcept {}
void operator delete(void *) noexcept {}

static void say(const char *format, ...) {
    __builtin_va_list list;
    __builtin_va_start(list, format);
    __stdio_common_vfprintf(0, __acrt_iob_func(1), format, 0, (char *)list);
    __builtin_va_end(list);
}

struct Noisy {
    int id;
    Noisy(int n) : id(n) { say("make %d\n", id); }
    Noisy(const Noisy &other) : id(other.id + 100) { say("copy %d\n", id); }
    ~Noisy() { say("end %d, unwinding %d\n", id, __uncaught_exceptions()); }
};
struct Base {
    int b;
    virtual int who() { return 1; }
};
struct Left : virtual Base { int who() override { return 2; } };
struct Right { int r = 7; virtual ~Right() {} };
struct Derived : Right, Left { int who() override { return 3; } };

__declspec(noinline) static void thrower(int kind) {
    Noisy local(kind);
    if (kind == 1) throw 42;
    if (kind == 2) throw Noisy(20);
    if (kind == 3) throw Derived();
    if (kind == 4) throw "text";
    say("no throw\n");
}
__declspec(noinline) static void nested(int kind) {
    try {
        thrower(kind);
    } catch (int value) {
        say("inner int %d\n", value);
        Noisy in_catch(50);
        if (value == 42) throw;
    } catch (const Noisy &noisy) {
        say("inner noisy %d\n", noisy.id);
        throw 99;
    }
}
__declspec(noinline) static void outer(int kind) {
    Noisy guard(kind + 10);
    try {
        nested(kind);
        say("after nested\n");
    } catch (int value) {
        say("outer int %d\n", value);
    } catch (Base &base) {
        say("base says %d\n", base.who());
    } catch (...) {
        say("something\n");
    }
    say("outer goes on\n");
}
__declspec(noinline) static int in_loop() {
    int caught = 0;
    for (int i = 0; i < 3; i++) {
        try {
            try { throw i; }
            catch (int value) { if (value == 1) throw 'c'; caught += 10; }
        } catch (char) { caught++; }
    }
    return caught;
}
__declspec(noinline) static void by_value() {
    try { throw Noisy(1); }
    catch (Noisy copy) { say("value %d\n", copy.id); }
}
extern "C" void mainCRTStartup() {
    for (int kind = 0; kind < 5; kind++) outer(kind);
    say("loop %d\n", in_loop());
    by_value();
    Derived d;
    Right *right = &d;
    say("across %d, down %d\n", dynamic_cast<Left *>(right)->who(), dynamic_cast<Derived *>(right) == &d);
    say("done\n");
    exit(5);
}
