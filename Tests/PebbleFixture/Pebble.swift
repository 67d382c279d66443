import Glibc
import OpenSSL

/// A running Pebble (an ACME server for tests) and the DNS server that it asks.
public struct Pebble: Sendable {
    /// The directory's URL.
    public let directory: String
    /// The roots to trust when talking to it, a PEM file.
    public let roots: String
    /// Where it looks for http-01 challenges.
    public let httpPort: Int
    /// Where it looks for tls-alpn-01 challenges.
    public let tlsPort: Int
    /// What it tells about itself: its roots, what is revoked.
    public let managementPort: Int
    private let dnsManagement: Int

    /// How it behaves.
    public struct Behaviour: Sendable {
        /// The share of good nonces that it refuses, in per cent.
        public var refusedNonces = 0
        /// The share of valid authorizations that it uses again, in per cent.
        public var reusedAuthorizations = 0
        /// Whether accounts have to be arranged beforehand.
        public var requiresExternalAccount = false
        /// How many other roots have signed its intermediate.
        public var alternateRoots = 0
        /// The DNS server that it asks instead of its own.
        public var dnsPort: Int?
        public init(dnsPort: Int) {
            self.init()
            self.dnsPort = dnsPort
        }
        public init(refusedNonces: Int = 0, reusedAuthorizations: Int = 0, requiresExternalAccount: Bool = false, alternateRoots: Int = 0) {
            self.alternateRoots = alternateRoots
            self.refusedNonces = refusedNonces
            self.reusedAuthorizations = reusedAuthorizations
            self.requiresExternalAccount = requiresExternalAccount
        }
    }

    /// The account that a Pebble which requires one knows.
    public static let externalAccount = (keyID: "kid-1", key: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")

    /// The program: the system's, or a newer one that SNIKKET_TEST_PEBBLE names.
    private static var program: String { getenv("SNIKKET_TEST_PEBBLE").map { String(cString: $0) } ?? "pebble" }

    /// Runs Pebble on free ports while the body runs. Every name has the address 127.0.0.1.
    public static func with<Value: Sendable>(
        _ bench: Workbench, _ behaviour: Behaviour = Behaviour(), _ body: (Pebble) async throws -> Value
    ) async throws -> Value {
        let (port, management, http, dns, dnsManagement) = (
            try Loopback.freePort(), try Loopback.freePort(), try Loopback.freePort(), try Loopback.freePort(), try Loopback.freePort()
        )
        let tls = try Loopback.freePort()
        let authority = try Authority(domains: ["localhost"], now: time(nil))
        let key = try PrivateKey()
        let leaf = try authority.issue(names: ["localhost", "127.0.0.1"], key: key, now: time(nil))
        let roots = try bench.write("pebble-ca.pem", try authority.certificate.pem())
        let external =
            behaviour.requiresExternalAccount
            ? #","externalAccountBindingRequired":true,"externalAccountMACKeys":{"\#(externalAccount.keyID)":"\#(externalAccount.key)"}"# : ""
        let configuration = try bench.write(
            "pebble.json",
            """
            {"pebble":{"listenAddress":"127.0.0.1:\(port)","managementListenAddress":"127.0.0.1:\(management)",
            "certificate":"\(try bench.write("pebble-tls.pem", try leaf.pem()))","privateKey":"\(try bench.write("pebble-key.pem", try key.pem()))",
            "httpPort":\(http),"tlsPort":\(tls)\(external)}}
            """)
        let pebble = Pebble(
            directory: "https://localhost:\(port)/dir", roots: roots, httpPort: http, tlsPort: tls, managementPort: management,
            dnsManagement: dnsManagement)
        return try await bench.running(
            "pebble-challtestsrv",
            [
                "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "",
                "-dns01", "127.0.0.1:\(dns)", "-management", "127.0.0.1:\(dnsManagement)",
            ], named: "dns", port: dnsManagement
        ) {
            try await bench.running(
                program, ["-config", configuration, "-dnsserver", "127.0.0.1:\(behaviour.dnsPort ?? dns)"],
                environment: [
                    "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "\(behaviour.refusedNonces)",
                    "PEBBLE_AUTHZREUSE": "\(behaviour.reusedAuthorizations)", "PEBBLE_ALTERNATE_ROOTS": "\(behaviour.alternateRoots)",
                ], named: "pebble", port: port
            ) { try await body(pebble) }
        }
    }

    /// Gives a name another address.
    public func setAddress(of name: String, to address: String) throws {
        try manage("add-a", #"{"host":"\#(name).","addresses":["\#(address)"]}"#)
    }

    /// Makes the DNS server fail for a name.
    public func breakDNS(of name: String) throws {
        try manage("set-servfail", #"{"host":"\#(name)."}"#)
    }

    /// Puts a TXT record into DNS, or takes it away.
    public func setTXT(of name: String, to value: String?) throws {
        if let value {
            try manage("set-txt", #"{"host":"\#(name).","value":"\#(value)"}"#)
        } else {
            try manage("clear-txt", #"{"host":"\#(name)."}"#)
        }
    }

    /// The port of its DNS server's management, for hook programs.
    public var dnsManagementPort: Int { dnsManagement }

    private func manage(_ path: String, _ body: String) throws {
        try Loopback.exchange(
            port: dnsManagement,
            "POST /\(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }
}
