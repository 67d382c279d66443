"""`snikket check` on a server with public addresses: what a newcomer sees, for a right world and for each thing that can be wrong."""

import json
import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from world.appliance import CONFIGURATION, installation, scratch
from world.checking import Server
from world.internet import ADDRESS, ADDRESS6, GOOD_ZONE, ROOT_SERVERS, Internet
from world.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with scratch("check") as folder, Internet(folder) as internet:
        internet.publish(GOOD_ZONE)
        yield Server(folder, internet)


def test_a_right_world_is_green(server: Server) -> None:
    assert server.not_green() == []
    names = {check["name"] for check in server.checks()}
    assert names == {
        "settings", "resolver", "address", "service", "caa", "ipv6", "ports", "reachable", "firewall", "clock", "disk", "memory", "files",
        "programs", "updates", "other_servers", "certificate"}
    text = server.check()
    assert text.returncode == 0 and "\x1b" not in text.stdout
    assert text.stdout.splitlines()[-1].split(":")[0] in ("green", "yellow")
    assert f"  green   chat.example.org has the address {ADDRESS}, this machine's" in text.stdout.splitlines()


def test_missing_records_are_given_as_they_have_to_be_added(server: Server) -> None:
    server.internet.publish("groups.chat.example.org. A 203.0.113.5")
    found = server.not_green()
    assert [(check["name"], check["level"]) for check in found] == [("address", "red")] * 2
    assert [check["records"] for check in found] == [
        [f"chat.example.org. A {ADDRESS}"], ["share.chat.example.org. CNAME chat.example.org."]]
    # They are what is missing: with them everything is green.
    server.internet.publish("groups.chat.example.org. A 203.0.113.5\n" + "\n".join(record for check in found for record in check["records"]))
    assert server.not_green() == []
    text = server.check().stdout
    assert "does not exist" not in text


def test_an_address_that_is_another_machines_is_red(server: Server) -> None:
    server.internet.publish(GOOD_ZONE.replace(f"A {ADDRESS}", "A 198.51.100.9"))
    found = [check for check in server.not_green() if check["name"] == "address"]
    assert {check["level"] for check in found} == {"red"} and len(found) == 3
    assert "198.51.100.9" in found[0]["what"] and ADDRESS in found[0]["what"]
    # The aliases lead to the same record.
    assert {tuple(check["records"]) for check in found} == {(f"chat.example.org. A {ADDRESS}",)}


def test_an_ipv6_address_that_leads_nowhere_is_red(server: Server) -> None:
    server.internet.publish(GOOD_ZONE.replace(ADDRESS6, "2001:db8:9::9"))
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ipv6", "red")
    assert found["records"] == [f"chat.example.org. AAAA {ADDRESS6}"]


def test_ipv6_without_a_way_out_is_red(server: Server) -> None:
    server.internet.on_server("ip", "-6", "route", "del", "default", check=True)
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ipv6", "red") and "route" in found["what"]
    # Without the record nobody misses it.
    server.internet.publish("\n".join(line for line in GOOD_ZONE.splitlines() if "AAAA" not in line))
    assert server.not_green() == []


def test_ipv6_over_which_nobody_answers_is_yellow_though_there_is_a_route(server: Server) -> None:
    # A gateway that takes everything and hands on nothing.
    for root in ROOT_SERVERS:
        server.internet.in_the_world("ip", "-6", "addr", "del", f"{root}/128", "dev", "lo", check=True)
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ipv6", "yellow") and "nobody on the internet answers" in found["what"]


def test_a_web_server_on_our_port_is_named_with_what_can_be_done(server: Server) -> None:
    folder = server.folder
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}} http {{ access_log off; server {{ listen 80; }} }}")
    nginx = server.internet.started_on_server("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    until(lambda: ":80 " in server.internet.on_server("ss", "-tlnH").stdout, 10, "nginx listens")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ports", "red")
    assert f"nginx (process {nginx.pid})" in found["what"] and "80/tcp" in found["what"]
    assert "SNIKKET_CHALLENGE=tls-alpn-01" in found["try"]
    assert "`sudo snikket render --target proxy=nginx`" in found["try"]
    # With that the port may be somebody else's.
    server.config.write_text(CONFIGURATION + "SNIKKET_CHALLENGE=tls-alpn-01\n")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ports", "yellow")


def test_a_web_server_in_front_is_told_of_and_then_has_to_answer(server: Server) -> None:
    # As a newcomer who has one sees it: both ports are taken, and the command that is named says what to do.
    folder = server.folder
    (folder / "apache2.conf").write_text(
        f"ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/apache2.pid\nErrorLog {folder}/error.log\nServerName localhost\n"
        "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
        "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\nUser nobody\nGroup nogroup\nListen 80\nListen 443\n")
    apache = server.internet.started_on_server("apache2", "-DFOREGROUND", "-f", str(folder / "apache2.conf"))
    until(lambda: ":443 " in server.internet.on_server("ss", "-tlnH").stdout, 10, "Apache listens")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("ports", "red") and f"apache2 (process {apache.pid})" in found["what"]
    assert "`sudo snikket render --target proxy=apache`" in found["try"]
    refused = server.snikket("render", "--target", "proxy=apache")
    assert refused.returncode == 78
    lines = [line.removeprefix("snikket: cause: ") for line in refused.stderr.splitlines() if "=" in line and "cause" in line]
    server.config.write_text(CONFIGURATION + "\n".join(lines) + "\n")
    assert "ServerName chat.example.org" in server.snikket("render", "--target", "proxy=apache").stdout
    assert server.not_green() == []
    # It is not there any more.
    server.internet.end(apache)
    gone = server.not_green()
    assert {(check["name"], check["level"]) for check in gone} == {("reachable", "red")}
    assert all("443" in check["what"] and "`sudo snikket render --target proxy=" in check["try"] for check in gone)


def test_without_dns_it_says_so_within_seconds(server: Server) -> None:
    server.internet.publish("")
    # Gone without a word: not even a refusal comes back.
    subprocess.run([*Internet.inside(server.internet.world), "iptables", "-A", "INPUT", "-p", "udp", "--dport", "53", "-j", "DROP"], check=True)
    (server.internet.etc / "resolv.conf").write_text("nameserver 203.0.113.1\nnameserver 203.0.113.2\nnameserver 203.0.113.3\n")
    start = time.monotonic()
    found = server.not_green()
    # Six of them are the resolver's.
    assert time.monotonic() - start < 15
    assert [(check["name"], check["level"]) for check in found] == [("resolver", "red")]
    assert "203.0.113.1" in found[0]["what"]


def test_another_resolver_can_be_asked(server: Server) -> None:
    (server.internet.etc / "resolv.conf").write_text("nameserver 203.0.113.77\n")
    assert [check["name"] for check in server.not_green()] == ["resolver"]
    assert server.not_green("--resolver", "203.0.113.1") == []
    start = time.monotonic()
    assert server.not_green("--resolver", "203.0.113.77", "--resolver", "203.0.113.1:53") == []
    assert time.monotonic() - start < 10, "the one that does not answer is asked every time"
    wrong = server.check("--resolver", "resolver.example.org")
    assert wrong.returncode == 64 and "resolver.example.org" in wrong.stderr


def test_wrong_settings_are_reported_as_everywhere(server: Server) -> None:
    server.config.write_text("SNIKKET_DOMAN=chat.example.org\nSNIKKET_RETENTION_DAYS=soon\n")
    answer = server.check()
    assert answer.returncode == 78 and answer.stdout == ""
    assert "line 1: SNIKKET_DOMAN" in answer.stderr and "line 2: SNIKKET_RETENTION_DAYS" in answer.stderr
    report = json.loads(server.check("--json").stdout)
    assert report["verdict"] == "red"
    assert [check["what"].split(":")[0] for check in report["checks"][:2]] == ["line 1", "line 2"]
    assert {check["name"] for check in report["checks"]} == {"settings"}


def test_caa_and_srv_records_that_stand_in_the_way_are_replaced_by_right_ones(server: Server) -> None:
    server.internet.publish(GOOD_ZONE + """
example.org. CAA 0 issue "other.net"
_xmpp-client._tcp.chat.example.org. SRV 0 5 5000 chat.example.org.
_xmpps-client._tcp.chat.example.org. SRV 0 5 5223 old.example.org.
_xmpp-server._tcp.groups.chat.example.org. SRV 0 5 5269 gone.example.org.
_xmpps-server._tcp.chat.example.org. SRV 0 5 5270 chat.example.org.
old.example.org. A 198.51.100.9
""")
    found = {check["records"][0]: check for check in server.not_green()}
    assert {check["level"] for check in found.values()} == {"red"}
    assert set(found) == {
        'example.org. CAA 0 issue "letsencrypt.org"', "_xmpp-client._tcp.chat.example.org. SRV 0 5 5222 chat.example.org.",
        "_xmpps-client._tcp.chat.example.org. SRV 0 5 5223 chat.example.org.",
        "_xmpp-server._tcp.groups.chat.example.org. SRV 0 5 5269 chat.example.org."}
    server.internet.publish(GOOD_ZONE + "\n".join(found))
    assert server.not_green() == []


def test_other_ports_need_records_that_lead_there(server: Server) -> None:
    server.config.write_text(CONFIGURATION + "SNIKKET_TWEAK_XMPP_CLIENT_PORT=15222\n")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("service", "red")
    server.internet.publish(GOOD_ZONE + "\n".join(found["records"]))
    assert server.not_green() == []


def test_everything_on_one_port_needs_records_that_announce_it(server: Server) -> None:
    server.config.write_text(CONFIGURATION + "SNIKKET_ALL_ON_HTTPS_PORT=on\n")
    found = server.not_green()
    assert {(check["name"], check["level"]) for check in found} == {("service", "yellow")}
    records = {record for check in found for record in check["records"]}
    assert {record for record in records if " 443 " in record} == {
        "_xmpps-client._tcp.chat.example.org. SRV 10 5 443 chat.example.org.",
        "_xmpps-server._tcp.chat.example.org. SRV 10 5 443 chat.example.org.",
        "_xmpps-server._tcp.groups.chat.example.org. SRV 10 5 443 chat.example.org."}
    # Whoever looks at records looks at nothing else, so the usual ports are among them.
    assert "_xmpp-client._tcp.chat.example.org. SRV 0 5 5222 chat.example.org." in records
    server.internet.publish(GOOD_ZONE + "\n".join(records))
    assert server.not_green() == []


def test_a_domain_that_is_a_website_already_needs_records_and_lines(server: Server) -> None:
    folder, internet = server.folder, server.internet
    server.config.write_text(CONFIGURATION.replace("chat.example.org", "example.org") + "SNIKKET_WEB_HOST=chat.example.org\n")
    zone = "example.org. A 203.0.113.1\nchat.example.org. A 203.0.113.5\nshare.example.org. CNAME chat.example.org.\n"
    internet.publish(zone)
    # The website, on a machine of its own.
    subprocess.run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=example.org",
        "-addext", "subjectAltName=DNS:example.org", "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True)
    lines = folder / "lines"
    lines.write_text("")
    (folder / "nginx.conf").write_text(f"""
        daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr; events {{}}
        http {{ access_log off; server {{ listen 80; listen 443 ssl; server_name example.org; root {folder}/nothing;
            ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; include {lines}; }} }}""")

    def website() -> "subprocess.Popen[bytes]":
        started = subprocess.Popen(
            [*Internet.inside(internet.world), "nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
        until(lambda: internet.on_server("curl", "-sk", "https://203.0.113.1/").returncode == 0, 10, "the website answers")
        return started

    trusted = {**os.environ, "CURL_CA_BUNDLE": str(folder / "certificate.pem")}
    process = website()
    try:
        found = {(check["name"], check["level"]): check for check in server.not_green(environment=trusted)}
        assert set(found) == {("address", "red"), ("service", "red"), ("website", "red"), ("website", "yellow")}
        assert found["address", "red"]["records"] == ["groups.example.org. CNAME chat.example.org."]
        assert all("`sudo snikket render --target website=nginx`" in found["website", level]["try"] for level in ("red", "yellow"))
        records = [record for check in server.not_green(environment=trusted) for record in check["records"]]
        assert "_xmpp-client._tcp.example.org. SRV 0 5 5222 chat.example.org." in records
        assert "_xmpp-server._tcp.example.org. SRV 0 5 5269 chat.example.org." in records
        # What is asked for is all that is missing.
        internet.publish(zone + "\n".join(records))
        lines.write_text(server.snikket("render", "--target", "website=nginx").stdout)
        process.terminate()
        process.wait(10)
        process = website()
        assert server.not_green(environment=trusted) == []
    finally:
        process.kill()
        process.wait(10)


def test_what_etc_hosts_says_against_dns_is_seen_and_not_believed(server: Server) -> None:
    (server.internet.etc / "hosts").write_text("127.0.0.1 localhost\n# the installer's\n127.0.1.1 chat.example.org chat\n")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("hosts", "yellow")
    assert "line 3" in found["what"] and "127.0.1.1" in found["what"]


def test_a_search_domain_that_answers_for_everything_is_seen(server: Server) -> None:
    server.internet.publish(GOOD_ZONE + "*.lan.example. A 198.51.100.9\n")
    with open(server.internet.etc / "resolv.conf", "a") as file:
        file.write("search lan.example\n")
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("resolver", "yellow") and "lan.example" in found["what"]


def test_ufw_gets_the_commands_that_open_it(server: Server) -> None:
    server.internet.on_server("ufw", "allow", "80,443/tcp", check=True)
    server.internet.on_server("ufw", "--force", "enable", check=True)
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("firewall", "red")
    commands = found["try"].split("; ")
    assert commands == ["ufw allow 5222,5223,5000,5269,5270,3478,5349/tcp", "ufw allow 3478,49152:65535/udp"]
    for command in commands:
        server.internet.on_server(*command.split(), check=True)
    assert server.not_green() == []


RULES = """
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif "lo" accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport { 22, 80, 443 } accept
        counter drop
    }
}
"""


def test_rules_of_nftables_get_the_commands_that_open_them(server: Server) -> None:
    server.internet.on_server("nft", "-f", "-", input=RULES, check=True)
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("firewall", "red")
    assert "5222/tcp" in found["what"] and "443/tcp" not in found["what"]
    for command in found["try"].split("; ")[:2]:
        server.internet.on_server("sh", "-c", command, check=True)
    assert server.not_green() == []


def test_rules_of_iptables_get_the_commands_that_open_them(server: Server) -> None:
    for rule in ("-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
                 "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT", "-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-P INPUT DROP"):
        server.internet.on_server("iptables", *rule.split(), check=True)
    [found] = server.not_green()
    assert (found["name"], found["level"]) == ("firewall", "red")
    assert "5222/tcp" in found["what"] and "443/tcp" not in found["what"]
    for command in found["try"].split("; ")[:2]:
        server.internet.on_server("sh", "-c", command, check=True)
    assert server.not_green() == []


def test_behind_a_router_it_says_what_cannot_be_told() -> None:
    with scratch("check") as folder, Internet(folder, address="10.0.0.5/24") as internet:
        server = Server(folder, internet)
        internet.publish("\n".join(line for line in GOOD_ZONE.splitlines() if "AAAA" not in line))
        found = server.not_green()
        assert {check["level"] for check in found} == {"yellow"}
        assert {check["name"] for check in found} == {"address", "reachable"}
        assert "10.0.0.5" in found[0]["what"] and "router" in found[0]["try"]


def test_a_port_that_the_firewall_drops_is_seen_by_trying(server: Server) -> None:
    server.internet.on_server("iptables", *"-A INPUT -p tcp --dport 5222 -j DROP".split(), check=True)
    found = server.not_green()
    assert [(check["name"], check["level"]) for check in found] == [("reachable", "red"), ("firewall", "red")]
    assert all("5222" in check["what"] and "5223" not in check["what"] for check in found), found


def test_who_is_not_root_is_told_what_only_root_sees(server: Server) -> None:
    server.folder.joinpath("snikket.conf").chmod(0o644)
    answer = server.internet.on_server(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(installation() / "bin/snikket"), "check", "--json", "--config",
        str(server.config), "--state", str(server.folder / "state"))
    assert answer.returncode == 0, answer.stderr
    # Whose network another user's server is in, that may run on this machine, is not for them to see either.
    found = {
        check["name"]: check for check in json.loads(answer.stdout)["checks"]
        if check["level"] != "green" and check["name"] not in ("clock", "updates", "other_servers")}
    assert set(found) == {"firewall", "reachable"}
    assert {check["try"] for check in found.values()} == {"sudo snikket check"}
    assert "80 and 443" in found["reachable"]["what"]
