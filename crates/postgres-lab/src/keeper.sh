# Keeps one server: starts and stops it as it is told on standard input, and when there is nobody left who could tell, ends
# it and removes its folder. Arguments: the folder, which holds `data`, and the command that runs the server.
folder=$1
shift
trap '' INT TERM HUP

stop() {
    # The server's own number: who starts it as another user may stand between.
    server=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)
    if [ -n "$server" ] && [ -n "$started" ]; then
        kill "-$1" "$server" 2>/dev/null
    fi
    if [ -n "$started" ]; then
        wait "$started"
        started=
    fi
    # After a kill the server's own processes end by themselves, but not at once.
    if [ "$1" = KILL ]; then
        rm -f "$folder/data/postmaster.pid"
    fi
}

started=
while read -r order signal; do
    case $order in
    start)
        "$@" >>"$folder/log" 2>&1 </dev/null &
        started=$!
        ;;
    stop) stop "$signal" ;;
    esac
    echo "$order"
done
stop QUIT
rm -rf "$folder"
