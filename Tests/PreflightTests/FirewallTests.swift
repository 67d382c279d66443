import DurableFiles
import Glibc
import RealServers
import Settings
import Testing

@testable import Preflight

@Suite("Firewalls that have files or a program of their own")
struct FirewallTests {
    /// An /etc with ufw's files in it, as ufw writes them.
    private func etc(_ rules: [String], isEnabled: Bool = true, policy: String = "DROP", _ body: (String) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            for folder in ["ufw", "default"] { guard mkdir("\(scratch.path)/\(folder)", 0o755) == 0 else { throw ScriptFailed(said: folder) } }
            _ = try scratch.write("ufw/ufw.conf", "# a comment\nENABLED=\(isEnabled ? "yes" : "no")\nLOGLEVEL=low\n")
            _ = try scratch.write("default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"\(policy)\"\n")
            let text = rules.map { "### tuple ### \($0)\n-A ufw-user-input -j ACCEPT\n" }.joined(separator: "\n")
            _ = try scratch.write("ufw/user.rules", "*filter\n### RULES ###\n\n\(text)\n### END RULES ###\nCOMMIT\n")
            try await body(scratch.path)
        }
    }

    private let rules = [
        "allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in", "limit tcp 5222 0.0.0.0/0 any 0.0.0.0/0 in", "allow tcp 5223 0.0.0.0/0 any 10.0.0.0/8 in",
        "deny tcp 5269 0.0.0.0/0 any 0.0.0.0/0 in", "allow any 5000:5300 0.0.0.0/0 any 0.0.0.0/0 in",
        "allow udp 49152:65535 0.0.0.0/0 any 0.0.0.0/0 in", "allow tcp 3478 0.0.0.0/0 any 0.0.0.0/0 out",
        "allow tcp 5349 0.0.0.0/0 any 0.0.0.0/0 Turn - in",
    ]

    @Test("the first rule of ufw that fits everybody decides, else its policy")
    func ufw() async throws {
        let settings = try Settings.example()
        try await etc(rules) { folder in
            let finding = try #require(await FirewallCheck(settings: settings, etc: folder, folders: []).findings().first)
            #expect(finding.level == .red)
            #expect(finding.remedy == "ufw allow 5269,3478/tcp; ufw allow 3478/udp")
        }
        try await etc(rules, policy: "ACCEPT") { folder in
            let finding = try #require(await FirewallCheck(settings: settings, etc: folder, folders: []).findings().first)
            #expect(finding.remedy == "ufw allow 5269/tcp")
        }
        try await etc([], isEnabled: false) { folder in
            let ufw = try UncomplicatedFirewall(in: folder)
            #expect(ufw?.isEnabled == false)
            #expect(
                await FirewallCheck(settings: settings, etc: folder, folders: []).findings().problems == (geteuid() == 0 ? [] : ["firewall yellow"]))
        }
        let none = try UncomplicatedFirewall(in: "/nonexistent")
        #expect(none == nil)
    }

    @Test("firewalld's listing is read: its ports, spans and known services, and a zone that accepts everything")
    func firewalld() throws {
        let listing = """
            public (active)
              target: default
              icmp-block-inversion: no
              interfaces: eth0
              services: dhcpv6-client http https ssh xmpp-client
              ports: 5223/tcp 5269-5270/tcp 49152-65535/udp
              protocols:
              rich rules:
            """
        let check = FirewallCheck(settings: try .example())
        let finding = check.judge(FirewallDaemon(listing: listing))
        #expect(finding.level == .red)
        #expect(
            finding.remedy
                == "firewall-cmd --permanent --add-port=5000/tcp --add-port=3478/tcp --add-port=3478/udp --add-port=5349/tcp && firewall-cmd --reload"
        )
        #expect(check.judge(FirewallDaemon(listing: "trusted\n  target: ACCEPT\n")).level == .green)
    }
}
