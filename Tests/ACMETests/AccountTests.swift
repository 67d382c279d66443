import ACME
import CertificateStore
import Glibc
import OpenSSL
import PebbleFixture
import Subprocess
import Testing

@Suite("The account at Pebble")
struct AccountTests {
    private func account(_ bench: Workbench, _ pebble: Pebble, _ verb: String, _ more: [String] = []) async throws -> (
        code: Int32?, event: AuthorityEvent?, run: CertificateProgramRun
    ) {
        let run = try await CertificateProgramRun.of(
            ["account", verb, "--directory", pebble.directory, "--ca-bundle", pebble.roots, "--state", bench.path("acme")] + more)
        return (run.exitCode, run.lines.compactMap { AuthorityEvent(line: $0) }.last, run)
    }

    @Test("is found by its key, gets another contact and another key, and is ended")
    func life() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let none = try await account(bench, pebble, "show")
                #expect(none.code == 78)
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"], names: ["example.org"])
                let first = try await CertificateProgramRun.of(arguments)
                try #require(first.exitCode == 0, "\(first.errors)")
                guard case .account(let url, let contacts) = try await account(bench, pebble, "show").event else { return #expect(Bool(false)) }
                #expect(contacts == ["mailto:admin@example.org"])

                _ = try await account(bench, pebble, "update", ["--email", "other@example.org"])
                #expect(try await account(bench, pebble, "show").event == .account(url: url, contacts: ["mailto:other@example.org"]))

                let file = "acme/\(try accountFolder(pebble))/account.pem"
                let old = try bench.read(file)
                let rolled = try await account(bench, pebble, "rollover")
                #expect(rolled.code == 0, "\(rolled.run.errors)")
                let new = try bench.read(file)
                #expect(new != old)
                var status = stat()
                #expect(stat(bench.path(file), &status) == 0 && status.st_mode & 0o777 == 0o600)
                #expect(try await account(bench, pebble, "show").event == .account(url: url, contacts: ["mailto:other@example.org"]))

                // Killed after the CA took the new key, and before it was in place.
                try bench.write("acme/\(try accountFolder(pebble))/account-next.pem", new)
                try bench.write(file, old)
                #expect(try await account(bench, pebble, "show").event == .account(url: url, contacts: ["mailto:other@example.org"]))
                #expect(try bench.read(file) == new)
                // Killed before the CA took it.
                try bench.write("acme/\(try accountFolder(pebble))/account-next.pem", try PrivateKey().pem())
                #expect(try await account(bench, pebble, "show").code == 0)
                #expect(try bench.read(file) == new && access(bench.path("acme/\(try accountFolder(pebble))/account-next.pem"), F_OK) != 0)

                // Issuing with yet another address changes the contact.
                let again = try await CertificateProgramRun.of(arguments)
                #expect(again.exitCode == 0, "\(again.errors)")
                #expect(try await account(bench, pebble, "show").event == .account(url: url, contacts: ["mailto:admin@example.org"]))

                #expect(try await account(bench, pebble, "deactivate").event == .deactivated(url: url))
                #expect(try await account(bench, pebble, "show").code == 78)
                let anew = try await CertificateProgramRun.of(arguments)
                #expect(anew.exitCode == 0, "\(anew.errors)")
            }
        }
    }

    @Test("is bound to an account arranged beforehand, with the MAC key from a file or from standard input")
    func external() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench, .init(requiresExternalAccount: true)) { pebble throws in
                let key = try bench.write("mac", Pebble.externalAccount.key + "\n")
                let arguments = bench.issue(
                    from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--eab-kid", Pebble.externalAccount.keyID], names: ["example.org"])
                let wrong = try await CertificateProgramRun.of(
                    arguments + ["--eab-key-file", try bench.write("wrong", "c2VjcmV0LXNlY3JldC1zZWNyZXQ")])
                #expect(wrong.exitCode == 1, "\(wrong.errors)")
                let broken = try await CertificateProgramRun.of(arguments + ["--eab-key-file", try bench.write("broken", "no key!")])
                #expect(broken.exitCode == 78)
                let run = try await CertificateProgramRun.of(arguments + ["--eab-key-file", key])
                #expect(run.exitCode == 0, "\(run.errors)")
                _ = try await Subprocess.run(.name("rm"), arguments: ["-rf", bench.path("acme")], output: .discarded)
                let piped = try await CertificateProgramRun.of(arguments + ["--eab-key-file", "-"], launcher: ["sh", "-c", "\"$@\" < \(key)", "sh"])
                #expect(piped.exitCode == 0, "\(piped.errors)")
            }
        }
    }

    @Test("a certificate is revoked with the account's key, and with its own", arguments: [true, false])
    func revocation(_ withAccount: Bool) async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let first = try await CertificateProgramRun.of(
                    bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"], names: ["example.org"]))
                try #require(first.exitCode == 0, "\(first.errors)")
                let who = withAccount ? ["--state", bench.path("acme")] : ["--key", bench.path("certificates/privkey.pem")]
                let arguments = [
                    "revoke", "--directory", pebble.directory, "--ca-bundle", pebble.roots, "--fullchain", bench.path("certificates/fullchain.pem"),
                ]
                let run = try await CertificateProgramRun.of(arguments + who + ["--reason", "superseded"])
                #expect(run.exitCode == 0, "\(run.errors)")
                #expect(run.lines.compactMap { AuthorityEvent(line: $0) }.last == .revoked(serial: try #require(first.issued?.serial)))
                let curl = try await Subprocess.run(
                    .name("curl"),
                    arguments: ["-sk", "https://127.0.0.1:\(pebble.managementPort)/cert-status-by-serial/\(try #require(first.issued?.serial))"],
                    output: .string(limit: 4096))
                #expect(curl.standardOutput.contains("Revoked"), "\(curl.standardOutput)")
                // What is revoked already stays so.
                let again = try await CertificateProgramRun.of(arguments + who)
                #expect(again.exitCode == 0, "\(again.errors)")
                let other = try bench.write("other.pem", try PrivateKey().pem())
                let stranger = try await CertificateProgramRun.of(arguments + ["--key", other])
                #expect(stranger.failure?.kind == .badCertificate, "\(stranger.errors)")
            }
        }
    }
}

@Suite("What a certificate should be like")
struct WishesTests {
    @Test("the chain below the preferred root is taken where the CA has it, else the CA's own")
    func preferredChain() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench, .init(alternateRoots: 2)) { pebble throws in
                var roots: [String] = []
                for number in 0...2 {
                    let path = bench.path("root-\(number).pem")
                    _ = try await Subprocess.run(
                        .name("curl"), arguments: ["-sk", "-o", path, "https://127.0.0.1:\(pebble.managementPort)/roots/\(number)"],
                        output: .discarded)
                    roots.append(try #require(try Certificate.chain(pem: Array(try bench.read("root-\(number).pem").utf8)).first).subject)
                }
                for root in roots + ["No such root"] {
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--preferred-chain", root], names: ["example.org"]))
                    try #require(run.exitCode == 0, "\(run.errors)")
                    let top = try #require(try Certificate.chain(pem: Array(try bench.read("certificates/fullchain.pem").utf8)).last)
                    #expect(top.issuer == (roots.contains(root) ? root : roots[0]))
                }
            }
        }
    }

    @Test("a profile that the CA does not have is a matter of configuration")
    func profile() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let run = try await CertificateProgramRun.of(
                    bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--profile", "swift"]))
                #expect(run.exitCode == 78)
                #expect(run.failure?.error == "the certificate authority has no profile 'swift'")
            }
        }
    }
}
