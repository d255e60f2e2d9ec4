#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Archives of every kind of file, with modes, times, links and holes; and the file tools around them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# Whole seconds: the default format keeps no more.
listing() {
	(cd "$1" && find . -type d -printf '%p %m\n' -o -printf '%p %y %m %s %Ts %l %n\n' | sort)
}

same() {
	diff <(listing "$1") <(listing "$2")
}

mkdir -p t/a/b/c
echo one >t/a/one
echo two >t/a/b/two
step link ln t/a/one t/hard
step symlink ln -s ../one t/a/b/soft
step dangling ln -s nowhere t/dangling
step fifo mkfifo t/fifo
step sparse truncate -s 5M t/hole
step modes chmod 751 t/a/b
step set-id chmod 6755 t/a/one
step sticky chmod 1777 t/a
step mode-kept gives 6755 stat -c %a t/a/one
step read-only chmod 444 t/a/b/two
step times touch -d '2001-02-03 04:05:06.789 UTC' t/a/b/two
step time-kept gives 981173106.789000000 stat -c %.9Y t/a/b/two
step link-time touch -h -d '2002-02-03 04:05:06 UTC' t/dangling
step xattr bash -c 'python3 -c "import os; os.setxattr(\"t/a/one\", \"user.k\", b\"v\")"'
step create tar -C t -cf t.tar .
step list bash -c 'tar -tf t.tar | wc -l | grep -qx 11'
step extract bash -c 'mkdir x && tar -C x -xpf t.tar'
step same same t x
step create-sparse bash -c 'tar -C t -cSf s.tar . && [ "$(stat -c %s s.tar)" -lt 100000 ]'
step create-xattr bash -c 'tar --xattrs -C t -cf xa.tar . && mkdir xa && tar --xattrs -C xa -xf xa.tar && python3 -c "import os; assert os.getxattr(\"xa/a/one\", \"user.k\") == b\"v\""'
step gzip bash -c 'tar -C t -czf t.tgz . && mkdir z && tar -C z -xpf t.tgz'
step same-gzip same t z
step compare tar -C x -df t.tar
step overwrite tar -C x -xpf t.tar
step recursive-unlink tar -C x --recursive-unlink --unlink-first -xpf t.tar
step keep-old fails 2 tar -C x --keep-old-files -xf t.tar
step append bash -c 'echo new >t/new && tar -C t -rf t.tar ./new && tar -tf t.tar | grep -qx ./new'
step remove-files bash -c 'cp -a t t2 && tar -cf t2.tar --remove-files t2 && ! test -e t2'
step incremental bash -c 'tar -C t --listed-incremental=snar -cf i0.tar . && echo more >t/more && tar -C t --listed-incremental=snar -cf i1.tar . && tar -tf i1.tar | grep -q more'
step copy-archive bash -c 'cp -a t ca'
step same-copy same t ca
step copy-reflink cp --reflink=auto t/a/one r1
step copy-update cp -u t/a/one r1
step move mv ca cb
step move-over bash -c 'echo 1 >m1; echo 2 >m2; mv -f m1 m2 && [ "$(cat m2)" = 1 ]'
step exchange python3 -c 'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); open("e1", "w").write("1"); open("e2", "w").write("2"); r = c.renameat2(-100, b"e1", -100, b"e2", 2); assert r == 0, ctypes.get_errno(); assert open("e1").read() == "2"'
step install bash -c 'install -m 640 t/a/one in && [ "$(stat -c %a in)" = 640 ]'
step dd dd if=/dev/zero of=zeros bs=4k count=16 conv=fsync status=none
step direct bash -c 'dd if=/dev/zero of=direct bs=4k count=4 oflag=direct status=none || true'
step fallocate bash -c 'fallocate -l 1M fa && [ "$(stat -c %s fa)" = 1048576 ]'
step flock bash -c 'flock lockfile true && flock -n lockfile -c "! flock -n lockfile true"'
step split bash -c 'split -b 1000 zeros part. && cat part.* | cmp - zeros'
step sort bash -c 'seq 200000 | shuf | sort -n -S 1M -T . | tail -1 | grep -qx 200000'
step sed-in-place bash -c 'echo a >sd && sed -i s/a/b/ sd && [ "$(cat sd)" = b ]'
step patch bash -c 'echo a >pa; echo b >pb; diff -u pa pb >p.diff; patch -s pa p.diff && cmp pa pb'
step find-delete bash -c 'find part.* -delete && ! ls part.* 2>/dev/null'
step xargs bash -c 'seq 50 | xargs -P 4 -I{} sh -c "echo {} >xa/n{}" && [ "$(ls xa/n* | wc -l)" = 50 ]'
step mktemp bash -c 'd=$(mktemp -d) && f=$(mktemp -p "$d") && rm -r "$d"'
step truncate bash -c 'truncate -s 3 zeros && [ "$(stat -c %s zeros)" = 3 ]'
step not-empty fails 1 rmdir t
step is-folder fails 1 cat t
step no-such fails 1 cat nowhere
step loop bash -c 'ln -s l2 l1; ln -s l1 l2; ! cat l1 2>er; grep -q "Too many levels" er'
step long-name bash -c 'n=$(printf "%0256d" 0); ! touch "$n" 2>er; grep -q "too long" er'
step not-folder bash -c '! touch t/new/x 2>er; grep -q "Not a directory" er'
step not-owner bash -c '! chmod 600 /etc/passwd 2>/dev/null'
step deep bash -c 'd=deep; for i in $(seq 170); do mkdir "$d" && cd "$d" || exit; d=dddddddddddddddddddd; done; echo x >x && cat x >/dev/null'
# Deeper than an absolute path can say.
step deeper bash -c 'd=deeper; for i in $(seq 220); do mkdir "$d" && cd "$d" || exit; d=dddddddddddddddddddd; done; echo x >x && cat x >/dev/null'
step remove-deep rm -r deep deeper
step remove rm -rf t x z xa cb
finish
