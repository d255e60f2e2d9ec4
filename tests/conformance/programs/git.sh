#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A repository's life: commits, branches, merges, conflicts, rebase, worktrees, clones, packing, hooks.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
export GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000" GIT_EDITOR=true GIT_PAGER=cat

commit() {
	echo "$2" >"$1" && git add "$1" && git commit -q -m "$2"
}

step init git init -q -b main r
cd r || exit 1
mkdir -p d/e
step commit commit d/e/f one
step tree gives 4 bash -c 'git cat-file -p "HEAD^{tree}" | wc -w'
step rename git mv d/e/f g
step commit-rename git commit -q -m two
step branch git switch -q -c side
step commit-side commit g side
step back git switch -q main
step commit-main commit h three
step merge git merge -q --no-edit side
step conflict-side bash -c 'git switch -q side && echo x >g && git commit -q -am x'
step conflict-main bash -c 'git switch -q main && echo y >g && git commit -q -am y'
step conflict fails 1 git merge -q side
step abort git merge --abort
step stash bash -c 'echo z >g && git stash -q && git stash pop -q && git checkout -q g'
step rebase bash -c 'git switch -q -c re HEAD~1 && echo q >q && git add q && git commit -q -m q && git rebase -q main && git switch -q main'
step tag git tag -a -m tag v1
step symlink bash -c 'ln -s g link && git add link && git commit -q -m link && git ls-files -s link | grep -q ^120000'
step mode bash -c 'chmod +x g && git commit -q -am mode && git ls-files -s g | grep -q ^100755'
step hook bash -c 'printf "#!/bin/sh\necho ran >hooked\n" >.git/hooks/pre-commit && chmod +x .git/hooks/pre-commit && git commit -q --allow-empty -m hook && test -s hooked && rm hooked .git/hooks/pre-commit'
step worktree git worktree add -q ../wt side
step worktree-commit bash -c 'cd ../wt && echo w >w && git add w && git commit -q -m w'
step worktree-remove git worktree remove ../wt
step many bash -c 'for i in $(seq 300); do echo $i >n$i; done; git add . && git commit -q -m many'
step gc git gc -q --aggressive --prune=now
step fsck git fsck --full --strict
step clone git clone -q . ../local
step clone-hardlinks bash -c '[ "$(stat -c %h ../local/.git/objects/pack/*.pack)" -gt 1 ]'
step clone-file bash -c 'git clone -q --no-local "file://$PWD" ../remote'
step push bash -c 'cd ../remote && git switch -q -c new && echo p >p && git add p && git commit -q -m p && git push -q origin new'
step fetch bash -c 'cd ../local && git fetch -q && git log -1 --format=%s origin/new | grep -qx p'
step archive bash -c 'git archive --format=tar HEAD | tar -tf - | grep -qx g'
step bundle bash -c 'git bundle create -q ../b HEAD main && git bundle verify -q ../b'
step grep gives h:1 git grep -c three
step blame bash -c 'git blame -s g | grep -q y'
step bisect bash -c 'git bisect start HEAD HEAD~4 >/dev/null && git bisect run true >/dev/null && git bisect reset >/dev/null'
step clean bash -c 'touch junk && git clean -fq && ! test -e junk'
step diff fails 1 git diff --quiet HEAD~1
step apply bash -c 'git diff HEAD~1 >../p.diff && git apply -R ../p.diff && git apply ../p.diff && git diff --quiet'
step sparse bash -c 'git sparse-checkout set --no-cone /g && ! test -e h && git sparse-checkout disable'
step lock bash -c 'touch .git/index.lock && ! git add g 2>/dev/null && rm .git/index.lock'
finish
