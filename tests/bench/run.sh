#!/usr/bin/env bash
# Measures logretry beside the tools that people would use instead, in the same run, and prints BENCHMARKS.md. `just bench` runs it.
#
#   tests/bench/run.sh FOLDER [LINES]      FOLDER has room for the logs; raw runs stay in FOLDER/raw
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${1:?a folder for the logs}; lines=${2:-5000000}
bin=$PWD/target/release; mkdir -p "$data/raw"; cd "$data"
PATH=$bin:$PATH
fifth=$((lines / 5))

has() { command -v "$1" >/dev/null; }
log() { # FORMAT LINES SHARE FILE: made once
    [ -s "$4.log" ] || make-log --format "$1" --lines "$2" --failing "$3" --out "$4.log" --truth "$4.json"
    cat "$4.log" >/dev/null # into the page cache
}
PATH=$bin/examples:$PATH
log combined "$lines" 0.01 combined
log ingress-nginx "$fifth" 0.01 ingress-nginx
log caddy "$fifth" 0.01 caddy
for part in 1 2 3 4; do
    [ -s "part-$part.log.gz" ] || sed -n "$(((part - 1) * fifth + 1)),$((part * fifth))p" combined.log | gzip -4 >"part-$part.log.gz"
done

bytes() { stat -L -c %s "$1"; }
# NAME COMMAND: the runs of a command, as raw/NAME.json
run() { hyperfine --shell bash --style none --warmup 1 --runs "${runs:-3}" --export-json "raw/$1.json" "$2" >/dev/null 2>"raw/$1.err" || { cat "raw/$1.err" >&2; exit 1; }; }
median() { jq -r '.results[0].median' "raw/$1.json"; }
cpu() { jq -r '.results[0] | .user + .system' "raw/$1.json"; }
# WHAT NAME TO BYTES: a row of a table, with the ratio to the run TO
row() {
    jq -rn --arg what "$1" --argjson own "$(median "$2")" --argjson to "$(median "$3")" --argjson cpu "$(cpu "$2")" --argjson bytes "$4" '
        def round(n): (. * n | round) / n;
        "| \($what) | \($own | round(1000)) s | \($cpu | round(100)) s | \($bytes / $own / 1e6 | round(1)) MB/s | \($own / $to | round(100)) |"'
}
head_of() { printf '\n## %s\n\n%s\n\n| | time | CPU | of the log | ratio |\n|---|---:|---:|---:|---:|\n' "$1" "$2"; }
peak() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -1; }
same() { [ "$1" = "$2" ] || { echo "wrong: $3 gives $1, and there are $2" >&2; exit 1; }; }

cat <<END
# Benchmarks

Written by \`just bench\`, which measures logretry and the other tools in one run. Times are medians of ${runs:-3} runs with the log in the page cache; the ratio is to the first row of
each table, less is better. The logs are made by \`make-log\` (\`tests/bench/make_log\`, seed 1, 1 % of the lines 5xx, most of them in bursts).

- Machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)
- combined: $lines lines, $(bytes combined.log) bytes, SHA-256 \`$(jq -r .sha256 combined.json)\`
- $(rg --version | head -1); mawk $(mawk -W version 2>&1 | head -1 | cut -d' ' -f2)$(if has goaccess; then goaccess --version | sed -n "1s|^|; |p"; fi)
END

same "$(lr-read --quiet --status 5xx combined.log | wc -l)" "$(jq .failed combined.json)" "lr-read --status 5xx"
same "$(lr-read --quiet combined.log | lr-filter --quiet --status 5xx | wc -l)" "$(jq .failed combined.json)" "the pipe"
same "$(lr-read --quiet --strict --status 5xx caddy.log | wc -l)" "$(jq .failed caddy.json)" "lr-read on Caddy's JSON"

run find-rg "rg -c '\" 5[0-9][0-9] ' combined.log"
run find-mawk "mawk '\$9>=500' combined.log >/dev/null"
run find-lr "lr-read --quiet --status 5xx combined.log >/dev/null"
head_of "Find the failures" "ripgrep counts lines; logretry reads them: time, target, id, and it counts all lines."
size=$(bytes combined.log)
row '`rg -c '"'"'" 5[0-9][0-9] '"'"'`' find-rg find-rg "$size"
row '`lr-read --status 5xx`' find-lr find-rg "$size"
row '`mawk '"'"'$9>=500'"'"'`' find-mawk find-rg "$size"

run gz-zcat "zcat part-1.log.gz >/dev/null"
run gz-lr "lr-read --quiet --status 5xx part-1.log.gz >/dev/null"
run gz-rg "zcat part-1.log.gz | rg -c '\" 5[0-9][0-9] '"
head_of "Find the failures, compressed" "A fifth of the log, gzip. The third column is of the log as it is unpacked."
size=$(zcat part-1.log.gz | wc -c)
row '`zcat`' gz-zcat gz-zcat "$size"
row '`zcat \| rg -c`' gz-rg gz-zcat "$size"
row '`lr-read --status 5xx`' gz-lr gz-zcat "$size"

run gz-zcat-4 "zcat part-*.log.gz >/dev/null"
run gz-lr-4 "lr-read --quiet --status 5xx part-*.log.gz >/dev/null"
head_of "Find the failures in four logs, compressed" "Four fifths of the log, gzip, one behind the other."
size=$((size * 4))
row '`zcat`' gz-zcat-4 gz-zcat-4 "$size"
row '`lr-read --status 5xx`' gz-lr-4 gz-zcat-4 "$size"

full='^(\S+) (\S+) (.+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (5\d\d) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"$'
run parse-rg "taskset -c 0 rg -c '$full' combined.log"
run parse-lr "taskset -c 0 lr-read --quiet --strict --status 5xx combined.log >/dev/null"
if has goaccess; then runs=1 run parse-goaccess "head -n $fifth combined.log | taskset -c 0 goaccess - --log-format=COMBINED --no-progress -o raw/goaccess.json >/dev/null 2>&1"; fi
head_of "Parse every line, on one core" "\`--strict\` takes every line apart. ripgrep matches a whole combined line."
size=$(bytes combined.log)
row '`rg -c`, all fields' parse-rg parse-rg "$size"
row '`lr-read --strict --status 5xx`' parse-lr parse-rg "$size"
if has goaccess; then row 'goaccess (a fifth of the log)' parse-goaccess parse-rg "$((size / 5))"; fi
for format in ingress-nginx caddy; do
    run "parse-$format" "taskset -c 0 lr-read --quiet --strict --status 5xx $format.log >/dev/null"
    row "\`lr-read --strict\`, $format ($fifth lines)" "parse-$format" "parse-$format" "$(bytes $format.log)"
done

runs=3 run pipe-mawk "mawk '\$9>=500' combined.log >/dev/null"
runs=3 run pipe-lr "lr-read --quiet combined.log | lr-filter --quiet --status 5xx >/dev/null"
head_of "Every line through a pipe" "All lines become records of JSON, cross a pipe, and 1 % are kept."
row '`mawk '"'"'$9>=500'"'"'`' pipe-mawk pipe-mawk "$size"
row '`lr-read \| lr-filter --status 5xx`' pipe-lr pipe-mawk "$size"

# A server that does nothing but answer, on a free port.
port=$((20000 + RANDOM % 12000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
mkdir -p www; printf 'a small answer\n' >www/index.txt
cat >nginx.conf <<END
worker_processes 2; pid $PWD/nginx.pid; error_log $PWD/nginx.err;
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000000;
    client_body_temp_path $PWD/www; proxy_temp_path $PWD/www; fastcgi_temp_path $PWD/www; uwsgi_temp_path $PWD/www; scgi_temp_path $PWD/www;
    server { listen 127.0.0.1:$port reuseport; root $PWD/www; location / { try_files /index.txt =404; } }
}
END
nginx -e "$PWD/nginx.err" -c "$PWD/nginx.conf" # goes into the background when it listens
trap 'kill "$(cat nginx.pid)"' EXIT
refires=100000
failed() { # LINES: a log of so many requests that failed
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
        printf "203.0.113.%d - - [22/Nov/2026:06:%02d:%02d +0000] \"GET /shop/item/%d?ref=home HTTP/1.1\" 502 157 \"-\" \"Mozilla/5.0\"\n", i % 250, i / 60 % 60, i % 60, i }'
}
failed "$refires" >refires.log
failed $((refires * 10)) >more-refires.log
site=http://127.0.0.1:$port
timed() { # NAME COMMAND...: a line more in raw/NAME.times: seconds, CPU seconds and KiB
    local name=$1
    shift
    /usr/bin/time -o raw/refire.time -f '%e %U %S %M' "$@"
    read -r wall user system peak <raw/refire.time
    echo "$wall $user $system $peak" >>"raw/$name.times"
}
own() { # LOG OPTIONS: a run from the beginning, which must refire all
    rm -f retry.log retry.log.*
    # shellcheck disable=SC2086
    timed "run$2" logretry run --quiet "$1" --base-url "$site" -o retry.log --pace fixed --concurrency 64 $2
    same "$(grep -c '" 200 ' retry.log)" "$(wc -l <"$1")" "logretry run $1 $2"
}
fastest() { # NAME TITLE
    sort -n "raw/$1.times" | head -1 | awk -v n="$refires" -v wrk="$wrk" -v title="$2" '{
        printf "| `%s` | %.0f | %.0f µs | %.0f MiB | %.2f |\n", title, n / $1, ($2 + $3) / n * 1e6, $4 / 1024, n / $1 / wrk }'
}
head='| | a second | CPU of each | peak | of wrk |\n|---|---:|---:|---:|---:|\n'
printf "\n## Refire\n\n%s requests, 64 at once, to nginx with 2 workers on the same machine. wrk asks for one page again and again, for a time. oha asks for a random sample of the same URLs. logretry reads a log, asks for what it names, each once, and writes the retry log and the ledger. From start to end; all in turn, the best of %s rounds.\n\n$head" "$refires" "${runs:-3}"
awk -v site="$site" '{ print site $7 }' refires.log >urls
rm -f raw/wrk raw/*.times
for _ in $(seq "${runs:-3}"); do
    wrk -t2 -c64 -d4s "$site/" | awk '$1 == "Requests/sec:" { print $2 }' >>raw/wrk
    if has oha; then
        timed oha oha --no-tui -n "$refires" -c 64 --urls-from-file urls >raw/oha
        same "$(awk '$1 == "[200]" { print $2 }' raw/oha)" "$refires" oha
    fi
    for options in --no-ledger "" "--durability full"; do own refires.log "$options"; done
done
wrk=$(sort -rn raw/wrk | head -1)
printf '| `wrk -t2 -c64` | %.0f | | | 1 |\n' "$wrk"
if has oha; then fastest oha 'oha -c 64 --urls-from-file'; fi
for options in --no-ledger "" "--durability full"; do fastest "run$options" "logretry run${options:+ $options}"; done
own more-refires.log ""
kill "$(cat nginx.pid)"; trap - EXIT

[ -s long.log ] || { head -n 1000 combined.log; head -c 1073741824 /dev/zero | tr '\0' x; echo; tail -n 1000 combined.log; } >long.log
printf '\n## Memory\n\n| | peak |\n|---|---:|\n'
mib() { echo "| $1 | $(($2 / 1024)) MiB |"; }
mib "\`lr-read --status 5xx\`, $(($(bytes combined.log) / 1000000)) MB" "$(peak lr-read --quiet --status 5xx combined.log)"
mib "\`lr-read --status 5xx\`, the same four times in a row (\`cat … \\| lr-read\`)" "$(cat combined.log combined.log combined.log combined.log | peak lr-read --quiet --status 5xx)"
mib "\`lr-read\`, every line a record" "$(peak lr-read --quiet combined.log)"
mib "\`lr-read\`, with a line of 1 GiB" "$(peak lr-read --quiet long.log)"
lr-read --quiet combined.log | head -n "$fifth" >part.ndjson
mib "\`lr-filter --status 5xx\`, $fifth records" "$(peak lr-filter --quiet --status 5xx <part.ndjson)"
rm -f part.ndjson
mib "\`logretry run\`, $((refires * 10)) records refired, with the ledger" "$peak"

printf '\n## Start and size\n\n| | start to end | size |\n|---|---:|---:|\n'
for program in lr-read lr-filter lr-refire lr-write logretry; do
    [ -x "$bin/$program" ] || continue
    case $program in
    logretry) command="logretry --version" ;;
    lr-refire) command="lr-refire --quiet --base-url http://127.0.0.1:9" ;;
    *) command="$program --quiet" ;;
    esac
    hyperfine -N --style none --warmup 5 --runs 50 --export-json "raw/start-$program.json" "$command" >/dev/null 2>&1
    strip -o raw/stripped "$bin/$program"
    echo "| \`$command </dev/null\` | $(jq -r '.results[0].median * 1e4 | round / 10' "raw/start-$program.json") ms | $(($(bytes raw/stripped) / 1000)) kB |"
done
