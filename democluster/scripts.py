"""The shell scripts that run in the containers of the demo cluster.

They are for any POSIX shell, start few processes, and draw their random numbers from a linear
congruential generator because `$RANDOM` is not everywhere.
"""

from __future__ import annotations

_RANDOM = r"""
seed=$$
random() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); pick=$((seed / 65536 % $1)); }
"""

_WEB = r"""
mkdir -p html conf
echo '<h1>The shop is open.</h1>' > html/index.html
printf 'worker_processes 1;\nserver { listen 80; root html; }\n' > conf/nginx.conf
while :; do
  random 7
  case $pick in
    0) path=/ ;; 1) path=/catalog ;; 2) path=/catalog/42 ;; 3) path=/cart ;;
    4) path=/checkout ;; 5) path=/static/app.js ;; *) path=/old-page ;;
  esac
  random 250; address=10.0.0.$pick
  random 20; status=200
  [ $pick = 0 ] && status=500
  [ $path = /old-page ] && status=404
  random 9000
  echo "$address - - [$(date '+%d/%b/%Y:%H:%M:%S %z')] \"GET $path HTTP/1.1\" $status $pick"
  [ $status = 500 ] && echo "[error] upstream timed out while reading $path from $address" >&2
  sleep 1
done
"""

_WORKER = r"""
job=1000
while :; do
  job=$((job + 1)); random 900; level=info; message='job done'
  [ $((job % 7)) = 0 ] && level=warning && message='job was slow'
  [ $((job % 31)) = 0 ] && level=error && message='job failed, will be tried again'
  printf '{"time":"%s","level":"%s","job":%d,"ms":%d,"host":"%s","message":"%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$level" "$job" "$pick" "$HOSTNAME" "$message"
  sleep 2
done
"""

_PAYMENTS = r"""
echo 'payments 0.9 is starting'
echo 'reading configuration'
sleep 2
echo 'connecting to the bank at 10.96.40.1:8443'
sleep 1
echo 'fatal: connection refused: is the bank open?' >&2
exit 3
"""

_CATALOG = r"""
mkdir -p data
printf 'id,name,price\n1,Teapot,12\n2,Kettle,30\n3,Cup,4\n' > data/products.csv
echo 'catalog 4.1 is ready, 3 products'
while :; do random 3; echo "served product $((pick + 1)) from data/products.csv"; sleep 3; done
"""

_CACHE = r"""
echo 'cache is warm'
hits=0
while :; do hits=$((hits + 1)); echo "hits=$hits misses=$((hits / 9))"; sleep 4; done
"""

_RUNNER = r"""
task=0
while :; do
  task=$((task + 1)); id=task-$(date +%s)-$task
  mkdir -p "tasks/$id"
  : > "tasks/$id/stdin"
  echo "task $id started"
  step=0
  while [ $step -lt 5 ]; do
    step=$((step + 1))
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) step $step of 5" >> "tasks/$id/stdout"
    sleep 2
  done
  echo 0 > "tasks/$id/exit_code"
  echo "task $id finished"
  ls -d tasks/task-* | sort | head -n -20 | while read -r old; do rm -rf "$old"; done
done
"""

_AGENT = r"""
echo "agent on node $NODE_NAME"
while :; do
  sleep 30
  echo "$(ls node/var/log | wc -l) entries in the log directory of $NODE_NAME"
done
"""

_GREETER = r"""
n=0
while :; do
  n=$((n + 1))
  case $((n % 6)) in
    0) echo "第 $n 次问候：你好，世界！今天天气很好。" ;;
    1) echo "$n 번째 인사: 안녕하세요, 세계!" ;;
    2) echo "$n 回目の挨拶：こんにちは、世界。半角ｶﾅも。" ;;
    3) echo "greeting $n: 👋🌍 🎉 👩‍💻 🇨🇳 ✅ family 👨‍👩‍👧" ;;
    4) echo "приветствие $n: Привет, мир — ëñçödïng ÄÖÜß" ;;
    5) printf 'colours %s: \033[31m红\033[32m绿\033[34m蓝\033[0m 完\n' "$n" ;;
  esac
  sleep 2
done
"""

SCRIPTS = {
    "web": _RANDOM + _WEB,
    "worker": _RANDOM + _WORKER,
    "payments": _PAYMENTS,
    "catalog": _RANDOM + _CATALOG,
    "cache": _CACHE,
    "runner": _RUNNER,
    "agent": _AGENT,
    "greeter": _GREETER,
}
"""Every script by the name of its workload."""
