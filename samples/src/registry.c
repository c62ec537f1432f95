// Can the registry be read, and can keys and values be made, listed and removed?
#include "sample.h"

static const wchar_t KEY[] = L"Software\\ntos registry sample";

static void machine(void)
{
    HKEY key;
    wchar_t text[128];
    DWORD type = 0, size = sizeof text, number = 0;
    printf("open %ld\n", RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"software\\MICROSOFT\\Windows NT\\CurrentVersion", 0, KEY_READ, &key));
    printf("ProductName %ld", RegQueryValueExW(key, L"ProductName", NULL, &type, (BYTE *)text, &size));
    printf(" type %lu, begins with Windows %d, terminated %d\n", type, !wcsncmp(text, L"Windows", 7), size / 2 == wcslen(text) + 1);
    size = 2;
    printf("small buffer %ld", RegQueryValueExW(key, L"productname", NULL, &type, (BYTE *)text, &size));
    printf(", needs more %d\n", size > 2);
    printf("missing value %ld\n", RegQueryValueExW(key, L"No Such Value", NULL, NULL, NULL, NULL));
    size = sizeof text;
    printf("CurrentBuild %ld", RegGetValueW(key, NULL, L"CurrentBuild", RRF_RT_REG_SZ, NULL, text, &size));
    printf(" a number %d, ", _wtoi(text) > 2000);
    size = sizeof number;
    printf("as a dword: %ld\n", RegGetValueW(key, NULL, L"CurrentBuild", RRF_RT_REG_DWORD, NULL, &number, &size));
    RegCloseKey(key);
    printf("missing key %ld\n", RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\No Such Key", 0, KEY_READ, &key));
}

static void values(HKEY key)
{
    DWORD number = 0x12345678, type, size, names, longest;
    wchar_t name[64];
    BYTE data[64];
    RegSetValueExW(key, L"text", 0, REG_SZ, (BYTE *)L"hello", 12);
    RegSetValueExW(key, L"number", 0, REG_DWORD, (BYTE *)&number, 4);
    RegSetValueExW(key, L"list", 0, REG_MULTI_SZ, (BYTE *)L"one\0two\0", 18);
    RegSetValueExW(key, NULL, 0, REG_SZ, (BYTE *)L"default", 16);
    RegSetValueExW(key, L"NUMBER", 0, REG_BINARY, (BYTE *)"\1\2\3", 3);
    RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, &names, &longest, &size, NULL, NULL);
    printf("values %lu, longest name %lu, largest data %lu\n", names, longest, size);
    unsigned bytes = 0, types = 0;
    for (DWORD i = 0;; i++) {
        DWORD length = 64;
        size = sizeof data;
        LONG status = RegEnumValueW(key, i, name, &length, NULL, &type, data, &size);
        if (status) {
            printf("enumeration ends at %lu with %ld: bytes %u, types %x\n", i, status, bytes, types);
            break;
        }
        bytes += size;
        types |= 1u << type;
    }
    size = sizeof data;
    RegQueryValueExW(key, L"number", NULL, &type, data, &size);
    printf("replaced: type %lu size %lu\n", type, size);
    printf("delete %ld, again %ld\n", RegDeleteValueW(key, L"text"), RegDeleteValueW(key, L"text"));
}

int main(void)
{
    HKEY key, sub;
    DWORD disposition = 0, length;
    wchar_t name[64];
    machine();
    RegDeleteTreeW(HKEY_CURRENT_USER, KEY);
    printf("create %ld", RegCreateKeyExW(HKEY_CURRENT_USER, KEY, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, &disposition));
    printf(" disposition %lu\n", disposition);
    printf("create again %ld", RegCreateKeyExW(HKEY_CURRENT_USER, KEY, 0, NULL, 0, KEY_READ, NULL, &sub, &disposition));
    printf(" disposition %lu, write through a reading handle %ld\n", disposition, RegSetValueExW(sub, L"x", 0, REG_SZ, (BYTE *)L"", 2));
    RegCloseKey(sub);
    values(key);
    RegCreateKeyExW(key, L"Beta\\Deep", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &sub, NULL);
    RegCloseKey(sub);
    RegCreateKeyExW(key, L"alpha", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &sub, NULL);
    RegCloseKey(sub);
    for (DWORD i = 0; length = 64, !RegEnumKeyExW(key, i, name, &length, NULL, NULL, NULL, NULL); i++) printf("subkey %ls\n", name);
    printf("delete a key with children %ld\n", RegDeleteKeyW(key, L"Beta"));
    printf("delete a leaf %ld, again %ld\n", RegDeleteKeyW(key, L"alpha"), RegDeleteKeyW(key, L"alpha"));
    RegCloseKey(key);
    printf("delete the tree %ld\n", RegDeleteTreeW(HKEY_CURRENT_USER, KEY));
    printf("open it %ld\n", RegOpenKeyExW(HKEY_CURRENT_USER, KEY, 0, KEY_READ, &key));
    printf("closed handle %ld\n", RegCloseKey((HKEY)0xABC0));
    return 0;
}
