import CYAML
import Glibc
import Subprocess
import SystemPackage
import Templates
import Testing

@Suite("random values, read back by the format's own parser")
struct ReadBackTests {
    /// The values that the format can express, each rendered into its line; what it cannot express was refused.
    private func lines(_ format: Format, _ template: String, of strings: [String]) throws -> (text: String, kept: [String]) {
        let template = try Template(text: template, name: format.rawValue, format: format)
        var text = ""
        var kept: [String] = []
        for string in strings {
            do throws(TemplateError) {
                text += try template.render(["value": .text(string)])
                kept.append(string)
            } catch {
                guard case .inexpressible = error.problem else { throw error }
            }
        }
        return (text, kept)
    }

    @Test("Lua")
    func lua() async throws {
        var nasty = NastyStrings(seed: 1)
        let (text, kept) = try lines(.lua, "values[#values + 1] = {{ value }}\n", of: nasty.strings(3000))
        #expect(kept.count == 3000)
        let bench = try Workbench()
        let print = "for _, v in ipairs(values) do print((v:gsub('.', function (c) return ('%02x'):format(c:byte()) end))) end\n"
        let file = try bench.write("local values = {}\n" + text + print, to: "values.lua")
        #expect(values(fromHexadecimal: try await bench.output(of: "lua5.4", file)) == kept)
    }

    @Test("nginx, from the answers that it serves")
    func nginx() async throws {
        var nasty = NastyStrings(seed: 2)
        let (_, kept) = try lines(.nginx, "{{ value }};\n", of: nasty.strings(2000))
        #expect(kept.count > 300)
        let bench = try Workbench()
        let socket = bench.path + "/socket"
        // Each value is served; nginx writes its variables into the answer exactly as it has read them.
        var text = "daemon off; master_process off; pid \(bench.path)/pid; error_log stderr; events {} http { access_log off;\n"
        for folder in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] { text += "\(folder)_temp_path \(bench.path)/\(folder);\n" }
        text += "server { listen unix:\(socket);\n"
        let template = try Template(text: "location = {{ path }} { return 200 {{ value }}; }\n", name: "nginx", format: .nginx)
        for (index, value) in kept.enumerated() { text += try template.render(["path": .text("/\(index)"), "value": .text(value)]) }
        let file = try bench.write(text + "}}\n", to: "nginx.conf")
        let client = """
            import http.client, socket, sys, time
            class Unix(http.client.HTTPConnection):
                def connect(self):
                    self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
            end = time.monotonic() + 20
            while True:
                try: probe = socket.socket(socket.AF_UNIX); probe.connect(sys.argv[1]); break
                except OSError:
                    if time.monotonic() > end: raise
            connection = Unix('x')
            for i in range(int(sys.argv[2])):
                connection.request('GET', '/%d' % i); answer = connection.getresponse(); body = answer.read()
                assert answer.status == 200, answer.status
                print(body.hex())
                if answer.headers.get('Connection') == 'close': connection.close()
            """
        let program = try bench.write(client, to: "client.py")
        let server = try await run(
            .name("nginx"), arguments: ["-e", "stderr", "-c", file], input: .none, output: .discarded, error: .discarded
        ) { execution in
            let output = try await bench.output(of: "python3", program, socket, String(kept.count))
            try execution.send(signal: .kill)
            return output
        }
        for folder in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] { rmdir(bench.path + "/" + folder) }
        #expect(values(fromHexadecimal: server.closureResult) == kept)
    }

    @Test("coturn, from what it says its realm is")
    func coturn() async throws {
        var nasty = NastyStrings(seed: 3)
        // A realm has at most 127 bytes; each value needs a start of its own.
        let (_, all) = try lines(.coturn, "realm={{ value }}\n", of: nasty.strings(400))
        let kept = all.filter { $0.utf8.count < 100 }.prefix(25)
        #expect(kept.count == 25)
        let bench = try Workbench()
        let template = try Template(text: "realm={{ value }}\n", name: "coturn", format: .coturn)
        let places =
            "log-file=stdout\nlistening-ip=127.0.0.1\nlistening-port=0\nno-tls\nno-dtls\nno-cli\nno-auth\nuserdb=\(bench.path)/db\npidfile=\(bench.path)/pid\n"
        for value in kept {
            let file = try bench.write(places + (try template.render(["value": .text(value)])), to: "turnserver.conf")
            let result = try await run(
                .name("timeout"), arguments: ["-k", "1", "20", "turnserver", "-c", file], input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                var output: [UInt8] = []
                var isRead = false
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { output += $0 }
                    let text = String(decoding: output, as: UTF8.self)
                    if !isRead, let realm = text.firstRange(of: "Default realm: "), text[realm.upperBound...].utf8.contains(0x0A) {
                        isRead = true
                        try execution.send(signal: .terminate)
                    }
                }
                return String(decoding: output, as: UTF8.self)
            }
            let text = result.closureResult
            let start = try #require(text.firstRange(of: "Default realm: ")?.upperBound)
            let bytes = text[start...].utf8.prefix { $0 != 0x0A }
            #expect(String(decoding: Array(bytes), as: UTF8.self) == value)
        }
    }

    @Test("YAML, through libyaml")
    func yaml() throws {
        var nasty = NastyStrings(seed: 4)
        let (text, kept) = try lines(.yaml, "- {{ value }}\n", of: nasty.strings(3000))
        #expect(kept.count == 3000)
        #expect(try scalars(in: text) == kept)
    }

    @Test("compose.yaml, through libyaml: a dollar is two, in keys and in values")
    func compose() throws {
        var nasty = NastyStrings(seed: 7)
        let (text, kept) = try lines(.compose, "{{ value }}:\n  - {{ value }}\n", of: nasty.strings(1000))
        #expect(kept.count == 1000)
        let doubled = kept.map { $0.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$") }
        #expect(try scalars(in: text) == doubled.flatMap { [$0, $0] })
    }

    /// Every scalar of a document, in order.
    private func scalars(in text: String) throws -> [String] {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw Workbench.Failed(what: "libyaml", code: 0) }
        defer { yaml_parser_delete(&parser) }
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { input in
            yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
            var found: [String] = []
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(&parser, &event) == 1 else { throw Workbench.Failed(what: "line \(parser.problem_mark.line)", code: 0) }
                defer { yaml_event_delete(&event) }
                switch event.type {
                case YAML_SCALAR_EVENT:
                    found.append(
                        String(decoding: UnsafeBufferPointer(start: event.data.scalar.value, count: event.data.scalar.length), as: UTF8.self))
                case YAML_STREAM_END_EVENT: return found
                default: break
                }
            }
        }
    }

    @Test("HTML text and attributes, through Python's parser")
    func html() async throws {
        var nasty = NastyStrings(seed: 5)
        let (text, kept) = try lines(.html, "<p title=\"{{ value }}\">{{ value }}</p>\n", of: nasty.strings(3000))
        #expect(kept.count > 1000)
        let reader = """
            import sys
            from html.parser import HTMLParser
            class Reader(HTMLParser):
                inside = False; text = ''
                def handle_starttag(self, tag, attributes):
                    assert tag == 'p' and len(attributes) == 1, (tag, attributes)
                    print(attributes[0][1].encode().hex()); self.inside = True; self.text = ''
                def handle_endtag(self, tag):
                    assert tag == 'p'; print(self.text.encode().hex()); self.inside = False
                def handle_data(self, data):
                    if self.inside: self.text += data
                    else: assert data == '\\n', data
                def handle_comment(self, data): raise AssertionError(data)
            reader = Reader(); reader.feed(open(sys.argv[1], newline='').read()); reader.close()
            """
        let bench = try Workbench()
        let output = try await bench.output(of: "python3", try bench.write(reader, to: "reader.py"), try bench.write(text, to: "page.html"))
        #expect(values(fromHexadecimal: output) == kept.flatMap { [$0, $0] })
    }

    @Test("systemd, from what systemd-analyze says of a command that is not there")
    func systemd() async throws {
        var nasty = NastyStrings(seed: 6)
        // Line breaks would end the message, and slashes are tidied up in paths. `$$` is undone only when the command runs.
        let (_, all) = try lines(.systemd, "ExecStart={{ value }}\n", of: nasty.strings(400))
        let kept = all.filter { value in !value.unicodeScalars.contains { $0 == "\n" || $0 == "\r" || $0 == "/" } }.prefix(60)
        #expect(kept.count == 60)
        let bench = try Workbench()
        let template = try Template(text: "[Service]\nExecStart={{ command }}\n", name: "systemd", format: .systemd)
        var arguments = ["-k", "1", "30", "systemd-analyze", "--man=no", "verify"]
        for (index, value) in kept.enumerated() {
            arguments.append(
                try bench.write(try template.render(["command": .text("/begin-\(index)-\(value)-end")]), to: "test\(index).service"))
        }
        let result = try await run(
            .name("timeout"), arguments: Arguments(arguments), output: .string(limit: 4_000_000), error: .combinedWithOutput)
        for (index, value) in kept.enumerated() {
            let start = try #require(result.standardOutput.firstRange(of: "/begin-\(index)-"))
            let rest = result.standardOutput[start.upperBound...]
            let end = try #require(rest.firstRange(of: "-end"))
            #expect(String(rest[..<end.lowerBound]).replacing("$$", with: "$") == value)
        }
    }
}
