/*
 * Runs a fuzz target over files: its corpus as a plain test. Arguments: files or folders (one
 * level). A folder that is absent or empty still runs the empty input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1U << 20)

static int
run_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	size_t n = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
	/* in memory of its exact size, so that a sanitizer sees every octet read past it */
	uint8_t *exact = malloc(n + (n == 0));
	if (exact == NULL)
		return 1;
	for (size_t i = 0; i < n; i++)
		exact[i] = data[i];
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

static int
run_folder(const char *path)
{
	DIR *d = opendir(path);
	int failed = 0;
	char name[4096];

	if (d == NULL)
		return 0;
	for (struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		failed |= run_file(name);
	}
	(void)closedir(d);
	return failed;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode))
			failed |= run_file(argv[i]);
		else
			failed |= run_folder(argv[i]);
	}
	return failed;
}
