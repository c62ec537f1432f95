// Does the whole 32-bit exit code reach whoever started us?
#include "sample.h"

int main(int argc, char **argv)
{
    if (argc < 2) {
        printf("usage: exitcode <number>\n");
        return 2;
    }
    unsigned code = strtoul(argv[1], NULL, 0);
    printf("exiting with %u (0x%08x)\n", code, code);
    fflush(stdout);
    ExitProcess(code);
}
