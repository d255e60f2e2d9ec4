#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL: a cluster made, a server on a unix socket and on loopback, queries, a crash, a stop.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 | tail -1)
if [ "$(id -u)" -eq 0 ]; then
	put skipped as-root
	finish
	exit 0
fi
export PGDATA=$PWD/data PGHOST=$PWD/s PGDATABASE=postgres PGPORT=$((20000 + $$ % 30000))
mkdir s
query() {
	"$bin/psql" -X -A -t -c "$1"
}
settings="-k $PWD/s -c listen_addresses= -c shared_buffers=8MB -c max_connections=20"

step initdb "$bin/initdb" -A trust -E UTF8 --no-sync
step start "$bin/pg_ctl" -w -t 60 -l log -o "$settings" start
step query gives 2 query 'select 1 + 1'
step table query 'create table t as select generate_series(1, 10000) as n'
step index query 'create index on t(n); analyze t'
step count gives 10000 query 'select count(*) from t'
step parallel gives 10000 env PGOPTIONS='-c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c force_parallel_mode=on' \
	"$bin/psql" -X -A -t -c 'select count(*) from t'
step copy-out query "copy t to '$PWD/out.csv' csv"
step copy-in gives 'COPY 10000' query "copy t from '$PWD/out.csv' csv"
step notify query "listen x; notify x, 'y'"
step advisory gives t query 'select pg_try_advisory_lock(1)'
step pgbench-init "$bin/pgbench" -i -q -s 1
step pgbench "$bin/pgbench" -n -c 4 -j 2 -t 20
step cancel fails 124 timeout -s INT 1 "$bin/psql" -X -c 'select pg_sleep(30)'
step terminate gives t query "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'logical replication launcher'"
step peer bash -c "echo 'local all all peer' >data/pg_hba.conf && '$bin/pg_ctl' reload >/dev/null && sleep 1 && '$bin/psql' -X -A -t -c 'select 1'; s=\$?; echo 'local all all trust
host all all 127.0.0.1/32 trust' >data/pg_hba.conf; '$bin/pg_ctl' reload >/dev/null; exit \$s"
step restart "$bin/pg_ctl" -w -m fast -l log -o "${settings/listen_addresses=/listen_addresses=127.0.0.1}" restart
step tcp gives 20000 env PGHOST=127.0.0.1 "$bin/psql" -X -A -t -c 'select count(*) from t'
step crash bash -c 'kill -9 "$(head -1 data/postmaster.pid)"; sleep 2'
step recover "$bin/pg_ctl" -w -t 60 -l log -o "$settings" start
step after-crash gives 20000 query 'select count(*) from t'
step dump bash -c "'$bin/pg_dump' -t t >dump.sql && grep -q '^COPY public.t' dump.sql"
step stop "$bin/pg_ctl" -w -m fast stop
[ -f log ] && tail -30 log >&2
finish
