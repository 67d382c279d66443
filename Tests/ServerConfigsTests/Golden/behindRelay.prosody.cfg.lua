-- Written by snikket from snikket.conf at each start: changes made here are lost.

data_path = "/var/lib/snikket/prosody"
plugin_paths = { "/usr/share/snikket/templates/prosody/modules" }
log = { { levels = { min = "info" }; to = "stdout"; timestamps = false } }
-- Small collections often: half the garbage between them, for a little work.
gc = { mode = "incremental"; threshold = 105; speed = 500 }

-- Storage: one SQLite file, that people can open. The archive is in it too.
storage = "sql"
sql = { driver = "SQLite3"; database = "/var/lib/snikket/prosody/prosody.sqlite" }
sqlite_tune = "normal"
archive_expires_after = 604800
muc_log_expires_after = 604800

-- Accounts: SCRAM-SHA-256 only, from the first account on (the stored hash decides what can be offered).
authentication = "internal_hashed"
password_hash = "SHA-256"
disable_sasl_mechanisms = { "PLAIN"; "LOGIN"; "DIGEST-MD5"; "OAUTHBEARER" }
tls_server_end_point_hash = "auto"
password_policy = { length = 10 }
allow_registration = true
registration_invite_only = true
allow_user_invites = false
allow_contact_invites = true
invites_page = "https://xn--bcher-kva.example/invite/{invite.token}/"
site_name = "xn--bcher-kva.example"

-- Encryption: required everywhere, certificates verified between servers.
tls_profile = "modern"
certificates = "/run/snikket/prosody/tls"
ssl = { certificate = "/run/snikket/prosody/tls/fullchain.pem"; key = "/run/snikket/prosody/tls/privkey.pem" }
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = true

-- Ports. Direct TLS for clients negotiates ALPN itself (XEP-0368); mod_net_multiplex would open the HTTP server there too.
interfaces = { "*" }
use_ipv6 = false
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5223 }
c2s_direct_tls_ssl = { certificate = "/run/snikket/prosody/tls/fullchain.pem"; key = "/run/snikket/prosody/tls/privkey.pem"; alpn = { "xmpp-client" } }
s2s_ports = { 5269 }
s2s_direct_tls_ports = { 5270 }
s2s_direct_tls_ssl = { certificate = "/run/snikket/prosody/tls/fullchain.pem"; key = "/run/snikket/prosody/tls/privkey.pem"; alpn = { "xmpp-server" } }
proxy65_ports = { 5000 }

-- HTTP: for nginx only.
http_interfaces = { "127.0.0.1" }
http_ports = { 5280 }
https_ports = {}
trusted_proxies = { "127.0.0.1" }
http_default_host = "xn--bcher-kva.example"
http_external_url = "https://xn--bcher-kva.example/"
consider_bosh_secure = true
consider_websocket_secure = true

limits = {
	c2s = { rate = "100kb/s"; burst = "2s" };
	s2sin = { rate = "100kb/s"; burst = "2s" };
}
smacks_hibernation_time = 600
snikket_maximum_clients = 10

contact_info = {
	admin = { "mailto:admin@chat.example" };
}

modules_enabled = {
	-- RFC 6120, RFC 6121
	"disco"; "roster"; "saslauth"; "tls"; "s2s_bidi";
	-- Logging in: SASL2, Bind 2, FAST, stream management in one step, protection against downgrades
	"sasl2"; "sasl2_bind2"; "sasl2_fast"; "sasl2_sm"; "sasl_ssdp";
	-- Several devices, and devices that sleep
	"carbons"; "mam"; "smacks"; "csi_simple"; "cloud_notify"; "cloud_notify_extensions"; "snikket_session_limit";
	-- That nothing is lost, on a full disk, with a wrong clock and during a backup
	"snikket_archive_first"; "snikket_clock"; "snikket_write_ahead";
	-- About people
	"pep"; "vcard4"; "vcard_legacy"; "bookmarks"; "private"; "blocklist"; "tombstones"; "account_activity";
	-- Invitations and accounts
	"register"; "invites"; "invites_adhoc"; "invites_register"; "password_policy"; "user_account_management";
	-- About the server
	"ping"; "time"; "uptime"; "version"; "server_contact_info"; "limits"; "spam_reporting"; "watch_spam_reports";
	-- The web
	"bosh"; "websocket"; "http_altconnect";
	-- Calls
	"turn_external"; "external_services";
	-- The appliance's own door, on loopback, behind a secret
	"snikket_api";
}
modules_disabled = {
}
snikket_api_secret = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"

VirtualHost "bücher.example"
	http_host = "xn--bcher-kva.example"
	turn_external_host = "xn--bcher-kva.example"
	turn_external_port = 3478
	turn_external_tcp = true
	turn_external_secret = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"
	-- mod_turn_external announces turns without credentials, so it is announced here.
	external_services = {
		{ type = "turns"; transport = "tcp"; host = "xn--bcher-kva.example"; port = 5349; ttl = 86400;
			secret = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"; algorithm = "turn" };
	}

Component "groups.bücher.example" "muc"
	name = "Group chats of xn--bcher-kva.example"
	modules_enabled = { "muc_mam"; "muc_moderation"; "snikket_archive_first"; "snikket_clock" }
	restrict_room_creation = "local"
	muc_room_default_public = false
	muc_room_default_persistent = true
	muc_room_default_members_only = true
	muc_room_default_allow_member_invites = true
	muc_room_default_public_jids = true
	muc_log_by_default = true

Component "share.bücher.example" "http_file_share"
	name = "Files of xn--bcher-kva.example"
	modules_enabled = { "snikket_clock" }
	http_host = "share.xn--bcher-kva.example"
	http_external_url = "https://share.xn--bcher-kva.example/"
	http_paths = { file_share = "/upload" }
	http_file_share_size_limit = 104857616
	http_file_share_daily_quota = 1073741824
	http_file_share_expires_after = 604800

Component "proxy.bücher.example" "proxy65"
	proxy65_address = "xn--bcher-kva.example"
	proxy65_acl = { "bücher.example" }
