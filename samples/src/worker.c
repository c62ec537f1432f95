/* Can a build tool use us? worker OUT IN...: OUT becomes the inputs, one after the other; a name with "fail" fails. */
#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    if (count < 2) return 2;
    if (strstr(words[1], "fail")) {
        fprintf(stderr, "worker: will not make %s\n", words[1]);
        return 3;
    }
    FILE *out = fopen(words[1], "wb");
    if (!out) { printf("worker: cannot write %s\n", words[1]); return 1; }
    long total = 0;
    for (int i = 2; i < count; i++) {
        FILE *in = fopen(words[i], "rb");
        if (!in) { printf("worker: cannot read %s\n", words[i]); return 1; }
        char buffer[512];
        size_t size;
        while ((size = fread(buffer, 1, sizeof buffer, in)) > 0) total += (long)fwrite(buffer, 1, size, out);
        fclose(in);
    }
    total += fprintf(out, "%s\n", words[1]);
    fclose(out);
    printf("worker: %s has %ld bytes\n", words[1], total);
    return 0;
}
