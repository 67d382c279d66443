import CertificateStore
import Glibc
import PebbleFixture
import Subprocess
import Testing

@Suite("Challenges other than http-01")
struct OtherChallengeTests {
    @Test("three names are certified over TLS alone (tls-alpn-01)")
    func tls() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--tls-alpn", "127.0.0.1:\(pebble.tlsPort)"]))
                try #require(run.exitCode == 0, "\(run.errors)")
                #expect(try await bench.pairIsGood())
                let elsewhere = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--tls-alpn", "127.0.0.1:\(try Loopback.freePort())"]))
                #expect(elsewhere.failure?.kind == .validation, "\(elsewhere.errors)")
            }
        }
    }

    /// A hook that drives Pebble's DNS server, and writes down how it was called.
    private func hook(_ bench: Workbench, _ pebble: Pebble, _ more: String = "") async throws -> String {
        try await bench.program(
            "hook",
            """
            #!/bin/sh
            echo "$@" >> \(bench.path("calls"))
            \(more)
            case $1 in present) path=set-txt;; *) path=clear-txt;; esac
            curl -s -d "{\\"host\\":\\"$3\\",\\"value\\":\\"$4\\"}" http://127.0.0.1:\(pebble.dnsManagementPort)/$path
            """)
    }

    @Test("names and a wildcard are certified through a hook program (dns-01), which is asked to tidy up")
    func dns() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let names = ["*.example.org", "groups.example.org"]
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--dns-hook", try await hook(bench, pebble)], names: names))
                try #require(run.exitCode == 0, "\(run.errors)")
                #expect(run.issued?.names.sorted() == names)
                let calls = try bench.read("calls").split(separator: "\n").map { $0.split(separator: " ") }
                #expect(
                    calls.filter { $0[0] == "present" }.map { $0[2] }.sorted() == [
                        "_acme-challenge.example.org.", "_acme-challenge.groups.example.org.",
                    ])
                #expect(calls.filter { $0[0] == "remove" }.count == 2)
                #expect(calls.allSatisfy { $0.count == 4 && $0[3].count == 43 })
            }
        }
    }

    @Test("a hook program that fails, or is not there, ends the run with what it printed")
    func failingHook() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let failing = try await hook(bench, pebble, #"if [ "$1" = present ]; then printf 'no such zone\033[31m\n' >&2; exit 3; fi"#)
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--dns-hook", failing], names: ["example.org"]))
                #expect(run.exitCode == 1)
                #expect(run.failure?.cause == "it exited with 3: no such zone[31m", "\(run.errors)")
                let missing = try await CertificateProgramRun.of(
                    bench.issue(from: pebble, ["--dns-hook", bench.path("none")], names: ["example.org"]))
                #expect(missing.exitCode == 78)
                #expect(missing.failure?.cause == "no such file or directory")
            }
        }
    }

    @Test("the CA is asked when to renew, where it has renewal information, and a renewal says what it replaces")
    func renewalInformation() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"], names: ["example.org"])
                let first = try await CertificateProgramRun.of(arguments)
                try #require(first.exitCode == 0, "\(first.errors)")
                let look = [
                    "renewal", "--directory", pebble.directory, "--ca-bundle", pebble.roots, "--fullchain", bench.path("certificates/fullchain.pem"),
                ]
                let asked = try await CertificateProgramRun.of(look)
                if asked.exitCode == 0 {
                    guard case .renewal(let window) = asked.lines.compactMap({ AuthorityEvent(line: $0) }).last else { return #expect(Bool(false)) }
                    let record = try #require(first.issued)
                    #expect(record.notBefore < window.start && window.start < window.end && window.end < record.notAfter)
                } else {
                    // Pebble before 2.5 has none.
                    #expect(asked.failure?.error == "the certificate authority cannot tell when to renew", "\(asked.errors)")
                }
                for _ in 1...2 {
                    let again = try await CertificateProgramRun.of(arguments)
                    #expect(again.exitCode == 0, "\(again.errors)")
                }
            }
        }
    }
}
