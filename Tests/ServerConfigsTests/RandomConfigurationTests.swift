import Glibc
import RealServers
import ServerConfigs
import Settings
import Subprocess
import SystemPackage
import Testing

@Suite("random settings in the real templates, read back by the real readers")
struct RandomConfigurationTests {
    @Test("Lua finds the values of every option, and no option more")
    func prosody() async throws {
        var nasty = NastySettings(seed: 11)
        let folder = try Folder()
        var facts = try Example.everything.facts()
        facts.settings = try NastySettings.plain(firstPort: 20_000)
        let (plain, _) = try #require(try await options(of: [facts], in: folder).first)
        var rounds: [ServerFacts] = []
        for _ in 0..<60 {
            facts.settings = try nasty.settings(firstPort: 20_000)
            // A name of its own is in the certificate and in nginx's configuration too, and so has to be one.
            facts.settings.turn.host = nasty.text()
            facts.secrets.api = nasty.text()
            facts.locations.state = "/" + nasty.text()
            facts.locations.run = "/" + nasty.text()
            facts.locations.templates = Checkout.templates
            rounds.append(facts)
        }
        let read = try await options(of: rounds, in: folder)
        #expect(read.count == rounds.count)
        for (facts, (found, file)) in zip(rounds, read) {
            #expect(found == expected(facts, over: plain), "\(file)")
        }
    }

    /// What Lua has to find: what it found for settings without anything nasty, except for the values that are.
    private func expected(_ facts: ServerFacts, over plain: [String: String]) -> [String: String] {
        let settings = facts.settings
        let data = facts.locations.state + "/prosody"
        let tls = facts.locations.run + "/prosody/tls"
        var expected = plain
        expected["global/data_path"] = data
        expected["global/sql/database"] = data + "/prosody.sqlite"
        expected["global/certificates"] = tls
        for name in ["ssl", "c2s_direct_tls_ssl", "s2s_direct_tls_ssl"] {
            expected["global/\(name)/certificate"] = tls + "/fullchain.pem"
            expected["global/\(name)/key"] = tls + "/privkey.pem"
        }
        expected["global/site_name"] = settings.siteName
        expected["global/invites_page"] = settings.invitationURL.replacing("{token}", with: "{invite.token}")
        expected["global/contact_info/admin/1"] = "mailto:" + settings.adminEmail
        expected["global/contact_info/abuse/1"] = settings.abuseEmail.map { "mailto:" + $0 }
        expected["global/contact_info/security/1"] = settings.securityEmail.map { "mailto:" + $0 }
        expected["global/tos_uri"] = settings.termsURI
        expected["global/privacy_uri"] = settings.privacyURI
        expected["global/snikket_api_secret"] = facts.secrets.api
        let host = "VirtualHost b\u{fc}cher.example"
        expected["\(host)/turn_external_host"] = settings.turn.host
        expected["\(host)/turn_external_secret"] = settings.turn.secret
        expected["\(host)/external_services/1/host"] = settings.turn.host
        expected["\(host)/external_services/1/secret"] = settings.turn.secret
        expected["Component groups.b\u{fc}cher.example muc/name"] = "Group chats of \(settings.siteName)"
        expected["Component share.b\u{fc}cher.example http_file_share/name"] = "Files of \(settings.siteName)"
        return expected
    }

    /// Every option of each configuration, by its place: what is left after Lua has run it with nothing but the two
    /// functions that Prosody offers.
    private func options(of rounds: [ServerFacts], in folder: Folder) async throws -> [(options: [String: String], file: String)] {
        let reader = folder.path + "/reader.lua"
        try Folder.write(
            """
            local function hex(v) return (tostring(v):gsub(".", function (c) return ("%02x"):format(c:byte()) end)) end
            local function show(place, value)
                if type(value) ~= "table" then print(hex(place).." "..hex(value)); return end
                for key, inner in pairs(value) do show(place.."/"..key, inner) end
            end
            for index = 1, #arg do
                local sections, current = {}, nil
                local function section(name)
                    assert(not sections[name], name)
                    current = {}; sections[name] = current
                end
                section("global")
                local environment = setmetatable({}, {
                    __newindex = function (_, key, value) assert(current[key] == nil, key); current[key] = value end;
                    __index = function (_, key)
                        if key == "VirtualHost" then return function (name) section("VirtualHost "..name) end end
                        if key == "Component" then return function (name) return function (module) section("Component "..name.." "..module) end end end
                        error("reads "..key)
                    end;
                })
                assert(loadfile(arg[index], "t", environment))()
                for name, options in pairs(sections) do show(name, options) end
                print("end")
            end
            """, to: reader)
        var files: [String] = []
        for (index, facts) in rounds.enumerated() {
            let file = try #require(try facts.files(of: .prosody).first)
            files.append("\(folder.path)/\(index).cfg.lua")
            try Folder.write(file.text, to: files[index])
        }
        let result = try await run(
            .name("lua5.4"), arguments: Arguments([reader] + files), output: .string(limit: 20_000_000), error: .string(limit: 10_000))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        var all: [(options: [String: String], file: String)] = []
        var options: [String: String] = [:]
        for line in result.standardOutput.split(separator: "\n") {
            if line == "end" {
                all.append((options, files[all.count]))
                options = [:]
                continue
            }
            let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(Self.text(fromHexadecimal:))
            #expect(options.updateValue(parts.count > 1 ? parts[1] : "", forKey: parts[0]) == nil)
        }
        return all
    }

    private static func text(fromHexadecimal digits: Substring) -> String {
        let digits = Array(digits.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("coturn gives an allocation to who knows the secret and the realm")
    func coturn() async throws {
        var nasty = NastySettings(seed: 12)
        for _ in 0..<5 {
            let stage = try await Stage(try nasty.settings(firstPort: try FreePorts.block(of: 50)))
            let file = try #require(try stage.facts.files(of: .coturn).first)
            try Folder.write(file.text, to: file.path)
            let secret = stage.folder.path + "/secret"
            try Folder.write(try #require(stage.facts.settings.turn.secret), to: secret)
            let client = stage.folder.path + "/client.py"
            try Folder.write(Self.allocation, to: client)
            let (port, domain) = (stage.facts.settings.ports.turn, stage.facts.settings.domain)
            let output = try await RealServer.with(stage.programs.turnserver, ["-c", file.path]) { _ in
                let result = try await run(
                    .name("timeout"), arguments: ["-k", "1", "30", "python3", client, String(port), secret], output: .string(limit: 10_000),
                    error: .combinedWithOutput)
                return result.standardOutput
            }
            #expect(output == "\(domain) allocated\n", "\(stage.facts.settings.turn.secret ?? "")")
        }
    }

    /// Asks for an allocation as RFC 8656 and the TURN REST API's time-limited credentials have it.
    private static let allocation = """
        import base64, hashlib, hmac, os, socket, struct, sys, time
        secret = open(sys.argv[2], 'rb').read()
        end = time.monotonic() + 20
        def attribute(kind, value): return struct.pack('>HH', kind, len(value)) + value + bytes(-len(value) % 4)
        def ask(attributes, key=None):
            body = b''.join(attributes)
            head = lambda length: struct.pack('>HHI', 0x0003, length, 0x2112A442) + transaction
            transaction = os.urandom(12)
            if key:
                body += attribute(8, hmac.new(key, head(len(body) + 24) + body, hashlib.sha1).digest())
            while True:
                asked.send(head(len(body)) + body)
                try:
                    answer = asked.recv(2000)
                    # Not a second answer to a question that was asked twice.
                    if answer[8:20] == transaction: break
                except (ConnectionRefusedError, TimeoutError):
                    if time.monotonic() > end: raise
            found, rest = {}, answer[20:]
            while rest:
                kind, length = struct.unpack('>HH', rest[:4])
                found[kind] = rest[4:4 + length]; rest = rest[4 + length + -length % 4:]
            return struct.unpack('>H', answer[:2])[0], found
        transport = attribute(0x19, bytes([17, 0, 0, 0]))
        while True:
            # From another port each time: a question that was sent twice may have been granted the second time.
            asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); asked.settimeout(0.2)
            asked.connect(('127.0.0.1', int(sys.argv[1])))
            kind, found = ask([transport])
            assert kind == 0x0113, hex(kind)
            realm, nonce = found[0x14], found[0x15]
            user = b'%d:somebody' % (time.time() + 3600)
            password = base64.b64encode(hmac.new(secret, user, hashlib.sha1).digest())
            key = hashlib.md5(user + b':' + realm + b':' + password).digest()
            kind, found = ask([transport, attribute(6, user), attribute(0x14, realm), attribute(0x15, nonce)], key)
            # While coturn makes its database, it may know nobody for a moment.
            if kind == 0x0103 or time.monotonic() > end: break
        print(realm.decode(), 'allocated' if kind == 0x0103 else found[9])
        """
}
