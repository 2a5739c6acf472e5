# sekisho handing over to Dovecot by LMTP: the same Dovecot, in the same root and with the same
# configuration, as the peers' postfix-lmtp hands over to.
. "$BENCH_HERE/targets/sekisho.sh"
sk_delivers_here=$(declare -f sekisho_conf)
. "$BENCH_HERE/targets/postfix-lmtp.sh"
eval "$sk_delivers_here"
T_PORT=2570; T_MAILDIRS=$T_ROOT/home/bench/Maildir; T_RCPT=bench@dest.test
t_info() { echo "$("$SEKISHO_BIN" version) + dovecot $(in_root postfix dovecot --version)"; }
t_start() {
    sekisho_conf
    sed -i 's|^domain "dest.test" {|& deliver = "lmtp:127.0.0.1:2424"|' "$RUN/sekisho.conf"
    chmod 711 "$RUN"
    "$SEKISHO_BIN" user add bench@dest.test -c "$RUN/sekisho.conf" || return 1
    maildir_fresh 5000:5000 "$T_MAILDIRS"
    dc_start
    $STRACE "$SEKISHO_BIN" run -c "$RUN/sekisho.conf" > "$RUN/sekisho.out" 2>&1 &
    sekisho_pid=$!
    wait_port 2570
}
t_stop() {
    kill "$sekisho_pid"; wait "$sekisho_pid" 2>/dev/null
    in_root postfix doveadm -c /etc/dovecot/bench.conf stop > /dev/null 2>&1 || true
}
