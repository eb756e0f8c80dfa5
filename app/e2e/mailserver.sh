#!/usr/bin/env bash
# Postfix and Dovecot on loopback, in one directory, for tests: two users,
# TLS by a certificate authority of their own, and no way out of the machine.
#
#   mailserver.sh install      apt-get install both, when root on Debian; else says what is missing
#   mailserver.sh start DIR    alice@a.test and bob@b.test; writes DIR/ca.pem
#   mailserver.sh stop DIR
#
# IMAP 127.0.0.1:15993 (TLS) and :15143 (STARTTLS), SMTP :15465 and :15587;
# a password is the user's name and "-pw".
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

missing() {
  local m=()
  command -v postfix >/dev/null || m+=(postfix)
  command -v dovecot >/dev/null || m+=(dovecot-imapd)
  [ -e /usr/lib/dovecot/lmtp ] || m+=(dovecot-lmtpd)
  command -v openssl >/dev/null || m+=(openssl)
  command -v rsync >/dev/null || m+=(rsync)
  echo "${m[@]}"
}

install_packages() {
  local m
  m=$(missing)
  [ -z "$m" ] && return
  [ "$(id -u)" = 0 ] && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  # shellcheck disable=SC2086
  if ! RUNLEVEL=1 "$(dirname "$0")/../../assets/linux/apt.sh" $m; then
    echo "these tests need: $m. Install them, and run the tests as root." >&2
    exit 1
  fi
}

certificates() {
  cd "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Foldpost test CA" -keyout ca.key -out ca.pem 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mail.test -keyout leaf.key -out leaf.csr 2>/dev/null
  printf 'subjectAltName=DNS:mail.test,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >leaf.ext
  openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile leaf.ext -out leaf.pem 2>/dev/null
}

dovecot_conf() {
  cat <<EOF
base_dir = $1/run
state_dir = $1/state
log_path = $1/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <$1/leaf.pem
ssl_key = <$1/leaf.key
mail_location = maildir:$1/mail/%d/%n
first_valid_uid = 1
auth_mechanisms = plain login
default_internal_user = dovecot
passdb {
  driver = passwd-file
  args = username_format=%u $1/users
}
userdb {
  driver = static
  args = uid=$2 gid=$3 home=$1/mail/%d/%n
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = subscribe
    special_use = \Junk
  }
}
service imap-login {
  inet_listener imap {
    port = 15143
  }
  inet_listener imaps {
    port = 15993
    ssl = yes
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service auth {
  unix_listener auth-pf {
    mode = 0666
  }
}
EOF
}

postfix_conf() {
  cat >"$1/pf/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $1/queue
data_directory = $1/data
maillog_file = $1/postfix.log
maillog_file_prefixes = $1
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = a.test, b.test
virtual_mailbox_maps = inline:{ {alice@a.test=1}, {bob@b.test=1} }
virtual_transport = lmtp:unix:$1/run/lmtp
smtpd_tls_cert_file = $1/leaf.pem
smtpd_tls_key_file = $1/leaf.key
smtpd_sasl_type = dovecot
smtpd_sasl_path = $1/run/auth-pf
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_login_maps = inline:{ {alice@a.test=alice@a.test}, {bob@b.test=bob@b.test} }
smtpd_sender_restrictions = reject_sender_login_mismatch
message_size_limit = 26214400
default_transport = error:closed test bed
alias_maps =
alias_database =
EOF
  cat >"$1/pf/master.cf" <<EOF
127.0.0.1:15587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
127.0.0.1:15465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
EOF
}

start() {
  local dir uid gid
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  chmod 755 "$dir"
  id foldpost-test >/dev/null 2>&1 || useradd -r -M -s /usr/sbin/nologin foldpost-test
  uid=$(id -u foldpost-test) gid=$(id -g foldpost-test)
  mkdir -p "$dir"/{run,state,mail,queue,data,pf}
  chown "$uid:$gid" "$dir/mail"
  chown postfix "$dir/data"
  printf 'alice@a.test:{PLAIN}alice-pw::::::\nbob@b.test:{PLAIN}bob-pw::::::\n' >"$dir/users"
  (certificates "$dir")
  dovecot_conf "$dir" "$uid" "$gid" >"$dir/dovecot.conf"
  postfix_conf "$dir"
  dovecot -c "$dir/dovecot.conf" </dev/null >>"$dir/dovecot.err" 2>&1
  postfix -c "$dir/pf" start </dev/null >/dev/null 2>"$dir/postfix.err" || { cat "$dir/postfix.err" "$dir/postfix.log" >&2; exit 1; }
}

stop() {
  local dir
  dir=$(cd "$1" && pwd) # postfix takes an absolute path only
  postfix -c "$dir/pf" stop >/dev/null 2>&1 || true
  doveadm -c "$dir/dovecot.conf" stop || true
}

case "${1:-}" in
  install) install_packages ;;
  start) start "$2" ;;
  stop) stop "$2" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
