import Glibc
import PebbleFixture
import Testing

/// The DNS servers of example.org and example.net: a primary that takes changes, and is the resolver too, and a second one.
struct NameServers: Sendable {
    let primary: Int
    let secondary: Int
    private let keyFile: String

    /// How the second server is.
    enum Secondary {
        /// There is none.
        case none
        /// It is told nothing, and looks for changes every second.
        case slow
        /// It never looks.
        case stuck
        /// It is named, and not there.
        case down
    }

    /// How `snikket-certs` answers challenges here.
    var answers: [String] { ["--dns-server", "127.0.0.1:\(primary)", "--tsig-key-file", keyFile] }

    /// How it looks at them: the primary knows what a resolver would, and the servers have ports of their own.
    var looks: [String] {
        [
            "--dns-resolver", "127.0.0.1:\(primary)", "--resolve", "ns1.example.org:\(primary):127.0.0.1", "--resolve",
            "ns2.example.org:\(secondary):127.0.0.1",
        ]
    }

    /// A hook program that adds the text to another record than it is asked to, which an alias leads to.
    func hook(_ bench: Workbench, adding record: String) async throws -> String {
        try await bench.program(
            "hook",
            """
            #!/usr/bin/python3
            import socket, struct, sys
            def name(text): return b"".join(bytes([len(part)]) + part.encode() for part in text.strip(".").split(".")) + b"\\0"
            added, text = sys.argv[1] == "present", sys.argv[4].encode()
            data = bytes([len(text)]) + text
            # RFC 2136: one update, in the zone of this name.
            message = struct.pack("!6H", 7, 5 << 11, 1, 0, 1, 0) + name("example.net") + struct.pack("!2H", 6, 1)
            message += name("\(record)") + struct.pack("!HHIH", 16, 1 if added else 254, 30 if added else 0, len(data)) + data
            with socket.create_connection(("127.0.0.1", \(primary)), timeout=5) as server:
                server.sendall(struct.pack("!H", len(message)) + message)
                sys.exit(server.recv(4096)[5] & 15)
            """)
    }

    static func with<Value: Sendable>(
        _ bench: Workbench, secondary kind: Secondary = .none, _ body: (NameServers) async throws -> Value
    ) async throws -> Value {
        let servers = NameServers(
            primary: try Loopback.freePort(), secondary: try Loopback.freePort(), keyFile: bench.path("tsig.key"))
        let key = #"key "acme-key" { algorithm hmac-sha256; secret "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="; };"#
        try bench.write("tsig.key", key)
        let start = "$TTL 60\n@ SOA ns1.example.org. admin.example.org. 1 1 1 86400 60\n@ NS ns1.example.org.\n@ A 127.0.0.1\n"
        try bench.write(
            "org.zone",
            start + (kind == .none ? "" : "@ NS ns2\n")
                + """
                ns1 A 127.0.0.1
                ns2 A 127.0.0.1
                _acme-challenge.alias CNAME middle
                middle CNAME _acme-challenge.other.example.net.
                alias A 127.0.0.1
                wrong A 127.0.0.1
                _acme-challenge.wrong TXT "not this"

                """)
        try bench.write("net.zone", start)
        try bench.write("root.zone", start)
        let first = try bench.configuration(
            "primary", port: servers.primary, isResolver: true,
            """
            \(key)
            zone "example.org" { type primary; file "org.zone"; notify no; allow-transfer { any; };
                update-policy { grant acme-key subdomain example.org. TXT; }; };
            zone "." { type primary; file "root.zone"; };
            zone "example.net" { type primary; file "net.zone"; notify no; allow-update { 127.0.0.1; }; };
            """)
        return try await bench.running("named", ["-g", "-n", "1", "-c", first], named: "primary", port: servers.primary) {
            guard kind == .slow || kind == .stuck else { return try await body(servers) }
            let source =
                kind == .stuck
                ? #"zone "example.org" { type primary; file "org.zone"; };"#
                : """
                zone "example.org" {
                    type secondary; primaries { 127.0.0.1 port \(servers.primary); }; file "copy.zone"; min-refresh-time 1; max-refresh-time 1;
                    min-retry-time 1; max-retry-time 1; };
                """
            let second = try bench.configuration("secondary", port: servers.secondary, source)
            return try await bench.running("named", ["-g", "-n", "1", "-c", second], named: "secondary", port: servers.secondary) {
                // From its start on it has the zone: as it was then.
                let deadline = ContinuousClock.now + .seconds(30)
                while !(try bench.read("secondary.log")).contains(kind == .slow ? "Transfer status: success" : "running") {
                    try #require(ContinuousClock.now < deadline)
                    try await Task.sleep(for: .milliseconds(20))
                }
                return try await body(servers)
            }
        }
    }
}

extension Workbench {
    /// A configuration of BIND.
    fileprivate func configuration(_ name: String, port: Int, isResolver: Bool = false, _ zones: String) throws -> String {
        try write(
            name + ".conf",
            """
            options { directory "\(folder)"; listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; }; recursion \(isResolver ? "yes" : "no"); pid-file none;
                session-keyfile "\(path(name + ".session"))"; managed-keys-directory "\(folder)"; dnssec-validation no; };
            controls {};
            \(zones)
            """)
    }
}
