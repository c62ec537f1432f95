// Can a thread that never asks the system for anything still be stopped from outside?
#include "sample.h"

int main(void)
{
    printf("spinning\n");
    fflush(stdout);
    for (volatile unsigned long long turns = 0;; turns++) {}
}
