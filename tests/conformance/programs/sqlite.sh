#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A database in every journal mode, two writers, a crash in the middle, locks, backup.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

for mode in delete truncate persist memory wal; do
	step "$mode" gives 1000 bash -c "sqlite3 $mode.db 'pragma journal_mode=$mode; create table t(n);
		with recursive c(n) as (select 1 union all select n + 1 from c where n < 1000) insert into t select n from c;' >/dev/null &&
		sqlite3 $mode.db 'select count(*) from t'"
	step "$mode-writers" gives 1040 bash -c "for w in 1 2; do (for i in \$(seq 20); do
		sqlite3 -cmd '.timeout 20000' $mode.db 'insert into t values(0)'; done) & done; wait; sqlite3 $mode.db 'select count(*) from t'"
	step "$mode-check" gives ok sqlite3 $mode.db 'pragma integrity_check'
done
step busy bash -c 'mkfifo hold; (echo "begin exclusive;"; cat hold) | sqlite3 delete.db & sleep 0.5; ! sqlite3 delete.db "insert into t values(1)" 2>er; grep -q "database is locked" er; s=$?; echo "rollback;" >hold; wait; [ $s -eq 0 ]'
step killed bash -c '(echo "begin; delete from t;"; sleep 5) | sqlite3 wal.db & sleep 0.5; kill -9 $!; sqlite3 wal.db "select count(*) from t" | grep -qx 1040'
step mmap gives 1040 bash -c 'sqlite3 -cmd "pragma mmap_size=1048576" wal.db "select count(*) from t" | tail -1'
step backup bash -c 'sqlite3 wal.db ".backup copy.db" && [ "$(sqlite3 copy.db "select count(*) from t")" = 1040 ]'
step vacuum sqlite3 wal.db vacuum
step attach gives 2080 sqlite3 wal.db "attach 'copy.db' as c; select (select count(*) from main.t) + (select count(*) from c.t)"
step large-sort gives 300000 sqlite3 -cmd 'pragma temp_store=1' -cmd 'pragma cache_size=10' delete.db 'with recursive c(n) as (select 1 union all select n + 1 from c where n < 300000) select count(*) from (select hex(n * 7919 % 300007) as h from c order by h)'
step read-only bash -c '! sqlite3 -readonly delete.db "insert into t values(1)" 2>/dev/null'
finish
