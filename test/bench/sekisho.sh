# sekisho as a target of the peers' bench. Shipped defaults apart from the connection limit:
# the load comes from one address. Log lines go to a file, as the peers' do.
T_PORT=2570
SK_DIR=$RUN/sekisho.$$      # a fresh one each start: see keep_inodes in run.py
T_MAILDIRS=$SK_DIR/mail/dest.test/bench
T_RCPT=bench@dest.test
t_info() { "$SEKISHO_BIN" version; }
sekisho_conf() {
    cat > "$RUN/sekisho.conf" <<E
hostname = "mx.bench.test"
data_dir = "$SK_DIR"
max_connections_client = 2000
listen "mx" { address = "127.0.0.1:2570" service = smtp }
domain "dest.test" { alias "postmaster" { to = {"bench"} } }
E
}
t_start() {
    sekisho_conf
    chmod 711 "$RUN"
    "$SEKISHO_BIN" user add bench@dest.test -c "$RUN/sekisho.conf" || return 1
    mkdir -p "$SK_DIR/mail/dest.test"
    maildir_fresh 52007:52007 "$T_MAILDIRS"
    chown 52007:52007 "$SK_DIR/mail" "$SK_DIR/mail/dest.test"
    $STRACE "$SEKISHO_BIN" run -c "$RUN/sekisho.conf" > "$RUN/sekisho.out" 2>&1 &
    sekisho_pid=$!
    wait_port 2570
}
t_stop() { kill "$sekisho_pid"; wait "$sekisho_pid" 2>/dev/null; }
