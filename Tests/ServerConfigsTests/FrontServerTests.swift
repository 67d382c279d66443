import CYAML
import Glibc
import ServerConfigs
import Settings
import Subprocess
import Templates
import Testing

@Suite("other web servers in front")
struct FrontServerTests {
    @Test("the lines that a server asks for are all that it needs", arguments: FrontServer.allCases)
    func missing(server: FrontServer) throws {
        let two = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n"
        let asked = server.missing(from: try Settings(parsing: two, file: ""))
        #expect(!asked.isEmpty)
        let text = two + asked.map { "\($0.option)=\($0.value)\n" }.joined()
        let settings = try Settings(parsing: text, file: "")
        #expect(server.missing(from: settings).isEmpty)
        #expect(settings.webURL == "https://chat.example")
        #expect(settings.webAddresses == ["127.0.0.1"])
    }

    @Test("a header is believed only of a server that speaks TLS for us, as one that passes it on cannot have written it")
    func heralds() throws {
        let text =
            "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\nSNIKKET_CERTIFICATE=internal\nSNIKKET_TRUSTED_PROXIES=127.0.0.1\n"
        func realAddress(_ more: String) throws -> String? {
            var facts = try Example.minimal.facts()
            facts.settings = try Settings(parsing: text + more, file: "")
            return try facts.files(of: .nginx).compactMap { file in
                file.text.split(separator: "\n").first { $0.contains("real_ip_header") }?.split(separator: " ").last.map(String.init)
            }.first
        }
        #expect(try realAddress("") == nil)
        #expect(try realAddress("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http\n") == "\"X-Forwarded-For\";")
        #expect(try realAddress("SNIKKET_PROXY_PROTOCOL=on\n") == "\"proxy_protocol\";")
    }

    @Test("who comes from this machine to another address of it than loopback is one of those in front, and nobody else is")
    func ownAddresses() throws {
        let text = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\nSNIKKET_TWEAK_LISTEN_ADDRESSES=192.0.2.7 127.0.0.1\n"
        func proxies(_ more: String) throws -> [String] { try Settings(parsing: text + more, file: "").proxies }
        #expect(try proxies("") == [])
        #expect(try proxies("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http\n") == ["127.0.0.1", "::1", "192.0.2.7"])
        #expect(try proxies("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http\nSNIKKET_TRUSTED_PROXIES=198.51.100.1\n") == ["198.51.100.1"])
    }

    @Test("Traefik's part says what is meant, read back by libyaml")
    func traefik() throws {
        let facts = try Example.behindRelay.facts()
        let text = try facts.part(of: .traefik, certificate: nil)
        let names = facts.settings.certificateNames
        #expect(
            try YAMLLeaves.of(text) == [
                "tcp/routers/snikket/entryPoints/0": "websecure",
                "tcp/routers/snikket/rule": names.map { "HostSNI(`\($0)`)" }.joined(separator: " || "),
                "tcp/routers/snikket/service": "snikket",
                "tcp/routers/snikket/tls/passthrough": "true",
                "tcp/services/snikket/loadBalancer/proxyProtocol/version": "2",
                "tcp/services/snikket/loadBalancer/servers/0/address": "127.0.0.1:5443",
                "http/routers/snikket/entryPoints/0": "web",
                "http/routers/snikket/rule": names.map { "Host(`\($0)`)" }.joined(separator: " || "),
                "http/routers/snikket/service": "snikket",
                "http/services/snikket/loadBalancer/servers/0/url": "http://127.0.0.1:5080",
            ])
    }

    @Test("paths with anything in them come through unchanged to nginx, or are refused; Apache's part takes plain ones only")
    func nastyPaths() async throws {
        var nasty = NastySettings(seed: 21)
        let stage = try await Stage(try Example.behindProxy.settings())
        let folder = stage.folder.path
        let certificate = try Folder.read(stage.facts.certificate(of: .nginx))
        let key = try Folder.read(stage.facts.privateKey(of: .nginx))
        var kept = 0
        for number in 0..<40 {
            let name = folder + "/" + nasty.text(without: "/", atMost: 80) + "\(number)"
            try Folder.write(certificate, to: name + ".pem")
            try Folder.write(key, to: name + ".key")
            let isPlain = name.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || "0123456789.:/-_[]".utf8.contains($0) }
            let apache = try? stage.facts.part(of: .apache, certificate: (name + ".pem", name + ".key"))
            #expect((apache != nil) == isPlain)
            guard let part = try? stage.facts.part(of: .nginx, certificate: (name + ".pem", name + ".key")) else { continue }
            kept += 1
            try Folder.write(part, to: folder + "/part")
            try Folder.write(
                "pid \(folder)/pid; error_log stderr; events {} http { access_log off; include \(folder)/part; }", to: folder + "/nginx.conf")
            // It reads both files by the names that it has understood.
            let result = try await run(
                .name("nginx"), arguments: ["-t", "-q", "-e", "stderr", "-c", folder + "/nginx.conf"], output: .string(limit: 10_000),
                error: .combinedWithOutput)
            #expect(result.terminationStatus.isSuccess, "\(name): \(result.standardOutput)")
        }
        #expect(kept > 10)
    }

    @Test("a bare word is itself or refused")
    func words() throws {
        let template = try Template(text: "x {{ value }}", name: "", format: .word)
        for good in ["chat.example", "[::1]:80", "/etc/ssl/a_b-c.pem", "0"] { #expect(try template.render(["value": .text(good)]) == "x " + good) }
        for bad in ["", "-x", "a b", "a\nb", "\"", "'", "${x}", "*", "&", "a;b", "#", "{", "\\", "é", "a\u{0}"] {
            #expect(throws: TemplateError.self) { try template.render(["value": .text(bad)]) }
        }
    }
}

/// What stands at the ends of a YAML document, by the way to it.
private enum YAMLLeaves {
    struct Unreadable: Error {}

    static func of(_ text: String) throws -> [String: String] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw Unreadable() }
        defer { yaml_parser_delete(&parser) }
        var bytes = Array(text.utf8)
        return try bytes.withUnsafeMutableBufferPointer { buffer in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            var document = yaml_document_t()
            guard yaml_parser_load(&parser, &document) == 1, let root = yaml_document_get_root_node(&document) else { throw Unreadable() }
            defer { yaml_document_delete(&document) }
            var leaves: [String: String] = [:]
            walk(root, &document, [], &leaves)
            return leaves
        }
    }

    private static func walk(
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, _ way: [String], _ leaves: inout [String: String]
    ) {
        switch node.pointee.type {
        case YAML_MAPPING_NODE:
            var pair = node.pointee.data.mapping.pairs.start
            while let found = pair, found < node.pointee.data.mapping.pairs.top {
                if let key = yaml_document_get_node(&document, found.pointee.key), let value = yaml_document_get_node(&document, found.pointee.value)
                {
                    walk(value, &document, way + [scalar(key)], &leaves)
                }
                pair = found + 1
            }
        case YAML_SEQUENCE_NODE:
            var (item, index) = (node.pointee.data.sequence.items.start, 0)
            while let found = item, found < node.pointee.data.sequence.items.top {
                if let value = yaml_document_get_node(&document, found.pointee) { walk(value, &document, way + ["\(index)"], &leaves) }
                (item, index) = (found + 1, index + 1)
            }
        default: leaves[way.joined(separator: "/")] = scalar(node)
        }
    }

    private static func scalar(_ node: UnsafeMutablePointer<yaml_node_t>) -> String {
        let scalar = node.pointee.data.scalar
        return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    }
}
