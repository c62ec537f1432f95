// Does the universal C runtime start, format and flush?
#include <stdio.h>

int main(void)
{
    printf("Hello from printf: %d %5s|%-5s|%05.2f %llx %c\n", 42, "ab", "cd", 3.14159, 0x123456789abcdefULL, 'z');
    puts("second line");
    return 7;
}
