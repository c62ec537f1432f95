// What the samples share: output through the C runtime, and nothing that hides what is asked of Windows.
#pragma once
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// mingw's startup file wants a vsnprintf for its failure messages; this one keeps 50 KB of formatter out.
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    return __stdio_common_vsprintf(2, buffer, size, format, NULL, arguments);
}
