#!/usr/bin/env bash
# A report on this host: CPU, memory, root file system, load, and the processes that use most right now.
#
# It reads /proc and asks `df`. It needs no root and works in a container. Shares of CPU are measured over SECONDS (default 1);
# `top -bn1` would show a few ticks (old versions: the average since boot), and `ps` a process's average since its start.
#
#   bash host_report.sh [SECONDS]
set -euo pipefail
export LC_ALL=C    # points as decimals, English words, whatever the machine's language

seconds=${1:-1}
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "host_report.sh: SECONDS is a whole number from 1, not '$seconds'" >&2
    exit 2
fi
if [[ ! -r /proc/stat ]]; then
    echo "host_report.sh: there is no /proc/stat here, so this is no Linux" >&2
    exit 1
fi

ticks=$(getconf CLK_TCK 2>/dev/null || echo 100)
page_kib=$(( $(getconf PAGESIZE 2>/dev/null || echo 4096) / 1024 ))

cpu_line() { head -n 1 /proc/stat; }

# "pid ticks" for each process. The name may hold blanks and brackets, so fields are counted after the last bracket.
process_times() {
    local file line fields
    for file in /proc/[0-9]*/stat; do
        { read -r line < "$file"; } 2>/dev/null || continue    # it has ended meanwhile
        read -ra fields <<< "${line##*) }"
        echo "${line%% *} $(( fields[11] + fields[12] ))"
    done
}

# "resident-KiB pid name" for each process.
process_memory() {
    local folder name words
    for folder in /proc/[0-9]*; do
        { read -ra words < "$folder/statm" && read -r name < "$folder/comm"; } 2>/dev/null || continue
        echo "$(( words[1] * page_kib )) ${folder#/proc/} $name"
    done
}

name_of() { cat "/proc/$1/comm" 2>/dev/null || echo "(ended)"; }

before_cpu=$(cpu_line)
before=$(process_times)
sleep "$seconds"
after_cpu=$(cpu_line)
after=$(process_times)

echo "Host report of ${HOSTNAME:-this host}, $(date -u +%Y-%m-%dT%H:%M:%SZ)"

echo
echo "CPU over $seconds s, % of all cores"
# Fields of /proc/stat, see proc(5): user nice system idle iowait irq softirq steal
printf '%s\n%s\n' "$before_cpu" "$after_cpu" | awk '
    NR == 1 { for (i = 2; i <= 9; i++) first[i] = $i }
    NR == 2 {
        for (i = 2; i <= 9; i++) { grown[i] = $i - first[i]; if (grown[i] < 0) grown[i] = 0; all += grown[i] }
        if (all == 0) all = 1
        printf "  user %.1f  system %.1f  idle %.1f  iowait %.1f  steal %.1f\n", 100 * (grown[2] + grown[3]) / all,
            100 * (grown[4] + grown[7] + grown[8]) / all, 100 * grown[5] / all, 100 * grown[6] / all, 100 * grown[9] / all
    }'

echo
echo "Memory, MiB"
awk '
    /^MemTotal:/ { total = $2 }
    /^MemAvailable:/ { available = $2 }
    END {
        printf "  total %.0f  available %.0f  used %.1f %%\n", total / 1024, available / 1024,
            total ? 100 * (total - available) / total : 0
    }' /proc/meminfo
# In a container, /proc/meminfo is still the host's. The limit stands in the control group's files: version 2, version 1.
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    { read -r limit < "$file"; } 2>/dev/null || continue
    if [[ $limit =~ ^[0-9]+$ ]] && (( ${#limit} < 19 )); then echo "  limit of this control group: $(( limit / 1048576 ))"; fi
done

echo
echo "Root file system, MiB"
df -P -k / | awk 'NR == 2 {
    printf "  size %.0f  available %.0f  used %.1f %%\n", $2 / 1024, $4 / 1024, $3 + $4 ? 100 * $3 / ($3 + $4) : 0 }'

echo
read -r one five fifteen _ < /proc/loadavg
echo "Load average: $one $five $fifteen, on $(grep -c '^cpu[0-9]' /proc/stat) cores"

echo
echo "Processes by CPU over $seconds s, % of one core"
# A process that was not there at the first look counts from its start.
printf '%s\n-\n%s\n' "$before" "$after" | awk -v ticks="$ticks" -v seconds="$seconds" '
    $1 == "-" { second = 1; next }
    !second { first[$1] = $2; next }
    { printf "%.1f %s\n", 100 * ($2 - first[$1]) / ticks / seconds, $1 }
' | sort -rn | awk 'NR <= 5' | while read -r share pid; do
    printf '  %6s  %8s  %s\n' "$share" "$pid" "$(name_of "$pid")"
done

echo
echo "Processes by memory, MiB resident"
process_memory | sort -rn | awk 'NR <= 5' | while read -r kib pid name; do
    printf '  %6d  %8s  %s\n' "$(( kib / 1024 ))" "$pid" "$name"
done
