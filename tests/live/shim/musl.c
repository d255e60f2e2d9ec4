/* SPDX-License-Identifier: Apache-2.0 */
/* What a program on another libc must still be able to do. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char name[] = "t-XXXXXX", text[32] = "";
	FILE *stream = fopen("stream", "w+e");
	DIR *folder = opendir(".");
	int fd = mkstemp(name), status = -1;
	pid_t child;

	fprintf(stream, "hello\n");
	rewind(stream);
	printf("%s%d %d\n", fgets(text, sizeof(text), stream), fd >= 0, folder && readdir(folder));
	printf("%d %d\n", mkdir("d", 0700), rename(name, "d/moved"));
	printf("%d %d\n", unlink("d/moved"), remove("d"));
	printf("%#x\n", (unsigned int)system("exit 3"));
	child = fork();
	if (child == 0) {
		execlp("sh", "sh", "-c", "exit 4", (char *)NULL);
		_exit(99);
	}
	waitpid(child, &status, 0);
	printf("%#x\n", (unsigned int)status);
	return 0;
}
