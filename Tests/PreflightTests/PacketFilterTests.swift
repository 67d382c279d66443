import Supervision
import Testing

@testable import Preflight

@Suite("What the kernel's rules do with a stranger's first packet, read back from the real programs")
struct PacketFilterTests {
    private func nftables(_ rules: String) async throws -> PacketFilter {
        let json = try await inNetworkOfItsOwn("nft -f - <<'END'\n\(rules)\nEND\nnft -j list ruleset")
        return try #require(PacketFilter(nftables: Array(json.utf8)))
    }

    private func fates(_ filter: PacketFilter, _ ports: [Int], _ transport: WantedPort.Transport = .tcp) -> [PacketFilter.Fate] {
        ports.map { filter.fate(of: transport, $0) }
    }

    @Test("without rules, and with a chain that accepts, everything comes through")
    func open() async throws {
        #expect(fates(try await nftables(""), [80, 5222]) == [.accepted, .accepted])
        let counting = "table inet f {\nchain input {\ntype filter hook input priority 0; policy accept;\ncounter\nip saddr 192.0.2.1 drop\n}\n}"
        #expect(fates(try await nftables(counting), [80, 5222]) == [.accepted, .accepted])
    }

    @Test("sets, ranges, maps, other chains and states are followed as the kernel does")
    func nftables() async throws {
        let filter = try await nftables(
            """
            table inet f {
                set web { type inet_service; flags interval; elements = { 80, 440-443 } }
                chain services {
                    tcp dport { 5222, 5223 } accept
                    tcp dport vmap { 5269 : accept, 5270 : drop }
                    tcp dport 5000 return
                }
                chain input {
                    type filter hook input priority filter; policy drop;
                    ct state vmap { established : accept, related : accept, invalid : drop }
                    iifname "lo" accept
                    meta l4proto { icmp, ipv6-icmp } accept
                    tcp dport @web limit rate 100/second accept
                    ip saddr 10.0.0.0/8 tcp dport 22 accept
                    jump services
                    udp dport 49152-65535 accept
                    log prefix "dropped " counter drop
                }
            }
            table ip6 other {
                chain input {
                    type filter hook input priority filter; policy drop
                }
            }
            """)
        #expect(fates(filter, [80, 443, 441, 5222, 5223, 5269]) == Array(repeating: .accepted, count: 6))
        #expect(fates(filter, [22, 81, 5000, 5270, 3478]) == Array(repeating: .dropped, count: 5))
        #expect(fates(filter, [49152, 65535, 80, 3478], .udp) == [.accepted, .accepted, .dropped, .dropped])
    }

    @Test("one table that drops is enough, whatever another accepts")
    func two() async throws {
        let filter = try await nftables(
            """
            table inet a {
                chain input {
                    type filter hook input priority 0; policy accept; tcp dport 5222 drop
                }
            }
            table inet b {
                chain input {
                    type filter hook input priority 10; policy drop; tcp dport { 80, 5222 } accept
                }
            }
            """)
        #expect(fates(filter, [80, 5222, 443]) == [.accepted, .dropped, .dropped])
    }

    @Test("what a rule asks that is not understood is no reason to call a port open or closed")
    func unknown() async throws {
        let filter = try await nftables(
            "table inet f {\nchain input {\ntype filter hook input priority 0; policy drop;\nmeta mark 7 accept\niifname \"eth0\" tcp dport 80 accept\n}\n}"
        )
        #expect(fates(filter, [80, 5222]) == [.unknown, .unknown])
    }

    @Test("iptables' rules, as ufw makes them, are followed through their chains")
    func iptables() async throws {
        let text = try await inNetworkOfItsOwn(
            """
            iptables -N services
            iptables -N log
            iptables -A INPUT -i lo -j ACCEPT
            iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
            iptables -A INPUT -p icmp -j ACCEPT
            iptables -A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT
            iptables -A INPUT -p tcp -m comment --comment "web and more" -m multiport --dports 80,443,5000:5010 -j services
            iptables -A INPUT -p udp --dport 49152:65535 -j ACCEPT
            iptables -A services -p tcp --dport 5001 -j REJECT --reject-with tcp-reset
            iptables -A services -j ACCEPT
            iptables -A log -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
            iptables -A INPUT -j log
            iptables -P INPUT DROP
            iptables-save -t filter
            """)
        let filter = PacketFilter(iptables: text)
        #expect(fates(filter, [80, 443, 5000, 5010]) == Array(repeating: .accepted, count: 4))
        #expect(fates(filter, [22, 5001, 5222]) == Array(repeating: .dropped, count: 3))
        #expect(fates(filter, [49152, 65535, 3478], .udp) == [.accepted, .accepted, .dropped])
        let mark = try await inNetworkOfItsOwn(
            "iptables -A INPUT -m mark --mark 7 -j ACCEPT; iptables -P INPUT DROP; iptables-save -t filter")
        #expect(PacketFilter(iptables: mark).fate(of: .tcp, 80) == .unknown)
        #expect(PacketFilter(iptables: "").fate(of: .tcp, 80) == .accepted)
    }

    @Test("tables that iptables made are left to iptables-save")
    func foreign() async throws {
        let json = try await inNetworkOfItsOwn(
            "iptables -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT; iptables -P INPUT DROP; nft -j list ruleset")
        #expect(try #require(PacketFilter(nftables: Array(json.utf8))).entries.isEmpty)
        #expect(PacketFilter(nftables: Array("nonsense".utf8)) == nil)
    }
}
