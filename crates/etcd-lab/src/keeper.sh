# Keeps one server: starts, stops and signals it as it is told on standard input, and when there is nobody left who could
# tell, ends it and removes its folder. Arguments: the folder, and the command that runs the server.
folder=$1
shift
trap '' INT TERM HUP

stop() {
    if [ -n "$started" ]; then
        kill "-$1" "$started" 2>/dev/null
        # Not what the shell says of it.
        wait "$started" 2>/dev/null
        started=
    fi
}

# Waits until each of its threads has stopped, where that can be seen: the signal alone takes its time.
settled() {
    while [ -d "/proc/$started/task" ] &&
        grep -L '^State:[[:space:]]*T' "/proc/$started/task"/*/status 2>/dev/null | grep -q .; do
        sleep 0.01
    done
}

started=
while read -r order signal; do
    case $order in
    start)
        "$@" >>"$folder/log" 2>&1 </dev/null &
        started=$!
        ;;
    stop) stop "$signal" ;;
    signal)
        kill "-$signal" "$started"
        if [ "$signal" = STOP ]; then
            settled
        fi
        ;;
    esac
    echo "$order"
done
stop KILL
rm -rf "$folder"
