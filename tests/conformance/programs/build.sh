#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program of three sources: gcc, ar, make with jobs and dependencies, shared libraries, running what was built.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

cat >main.c <<'C'
#include <stdio.h>
#include "part.h"
int main(void) { printf("%d\n", part(20) + extra()); return 0; }
C
echo 'int part(int); int extra(void);' >part.h
echo 'int part(int n) { return n * 2; }' >part.c
echo 'int extra(void) { return 2; }' >extra.c
cat >Makefile <<'M'
CFLAGS = -O1 -g -MMD
all: main main-shared main-static
main: main.o libpart.a
	$(CC) -o $@ $^
libpart.a: part.o extra.o
	ar rcs $@ $^
libextra.so: part.c extra.c
	$(CC) -shared -fPIC -o $@ $^
main-shared: main.o libextra.so
	$(CC) -o $@ main.o -L. -lextra -Wl,-rpath,'$$ORIGIN'
main-static: main.o libpart.a
	$(CC) -static -o $@ $^
-include *.d
M
step make make -s -j4
step run gives 42 ./main
step run-shared gives 42 ./main-shared
step run-static gives 42 ./main-static
step up-to-date make -q
step rebuild bash -c 'sleep 1.1; touch part.h; fails() { ! make -q; }; fails && make -s && make -q'
step pipe bash -c 'echo "int main(void){return 7;}" | gcc -pipe -x c -o seven - && { ./seven; [ $? -eq 7 ]; }'
step cplusplus bash -c 'printf "#include <iostream>\nint main(){std::cout<<42<<std::endl;}\n" >c.cc && g++ -o cc c.cc && [ "$(./cc)" = 42 ]'
step lto bash -c 'gcc -flto -O2 -o lto main.c part.c extra.c && [ "$(./lto)" = 42 ]'
step error fails 1 gcc -c -o bad.o - -x c
step signal fails 139 bash -c 'echo "int main(void){*(volatile int*)0=1;}" | gcc -x c -o crash - && ulimit -c 0 && ./crash; exit $?'
step sanitizer bash -c 'echo "#include <stdlib.h>
int main(void){char*p=malloc(1);free(p);return *p;}" >as.c && gcc -fsanitize=address -o as as.c && ! ./as 2>er && grep -q use-after-free er'
step not-executable fails 126 bash -c 'cp main noexec && chmod -x noexec && ./noexec'
step absent fails 127 bash -c './absent'
step no-format fails 126 bash -c 'printf "\0\0\0\0\0\0\0\0" >nf && chmod +x nf && ./nf'
step script bash -c 'printf "#!/bin/sh\necho \$1\n" >sc && chmod +x sc && [ "$(./sc x)" = x ]'
step script-of-script bash -c 'printf "#!%s/sc\n" "$PWD" >ss && chmod +x ss && [ "$(./ss x)" = "./ss" ]'
step busy bash -c 'cp /bin/sleep sl && { ./sl 5 & } && sleep 0.3; { echo x >sl; } 2>er; kill $!; grep -q "Text file busy" er'
step parallel bash -c 'printf "all: %s\n%%:\n\t@sleep 0.05; echo \$@ >\$@\n" "$(seq -s" " -f"j%g" 40)" >P && make -s -f P -j8 && [ "$(ls j[0-9]* | wc -l)" = 40 ]'
finish
