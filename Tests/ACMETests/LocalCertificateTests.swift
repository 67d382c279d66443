import CertificateStore
import Glibc
import OpenSSL
import PebbleFixture
import Testing

@Suite("Certificates without a CA")
struct LocalCertificateTests {
    @Test("the local authority issues for names and loopback addresses, and is kept")
    func authority() async throws {
        try await Workbench.with { bench throws in
            let names = Workbench.names + ["localhost", "127.0.0.1"]
            let arguments = ["internal", "--state", bench.path("state"), "--output", bench.path("certificates")] + names.flatMap { ["--name", $0] }
            let first = try await CertificateProgramRun.of(arguments)
            #expect(first.exitCode == 0, "\(first.errors)")
            #expect(first.issued?.names == names)
            let root = try bench.read("state/authority/ca.pem")
            let second = try await CertificateProgramRun.of(arguments)
            #expect(second.issued?.serial != first.issued?.serial)
            #expect(try bench.read("state/authority/ca.pem") == root)
            #expect(try await bench.pairIsGood(names: names))
            var status = stat()
            #expect(stat(bench.path("state/authority/ca.key"), &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(stat(bench.path("state/authority/ca.pem"), &status) == 0 && status.st_mode & 0o777 == 0o644)
        }
    }

    @Test("what the local authority signs for a foreign domain is not valid")
    func constraints() throws {
        let now = time(nil)
        let authority = try Authority(domains: ["example.org"], now: now)
        let key = try PrivateKey()
        let foreign = try authority.issue(names: ["example.com"], key: key, now: now)
        #expect(throws: CertificateProblem.badChain(reason: "permitted subtree violation")) {
            try checkedCertificate(chain: try foreign.pem() + authority.certificate.pem(), key: try key.pem(), names: ["example.com"], now: now)
        }
        let own = try authority.issue(names: ["a.example.org"], key: key, now: now)
        _ = try checkedCertificate(chain: try own.pem() + authority.certificate.pem(), key: try key.pem(), names: ["a.example.org"], now: now)
    }

    @Test("a person's files are refused for the right reason")
    func inspection() throws {
        let now = time(nil)
        let authority = try Authority(domains: ["example.org"], now: now)
        let other = try Authority(domains: ["example.org"], now: now)
        let (key, wrongKey) = (try PrivateKey(), try PrivateKey())
        let leaf = try authority.issue(names: ["example.org"], key: key, now: now)
        let chain = try leaf.pem() + authority.certificate.pem()
        func problem(_ chain: [UInt8], _ key: PrivateKey, _ names: [String] = ["example.org"], at moment: Int) -> CertificateProblem? {
            do {
                _ = try checkedCertificate(chain: chain, key: try key.pem(), names: names, now: moment)
                return nil
            } catch { return error as? CertificateProblem }
        }
        #expect(problem(chain, key, at: now) == nil)
        #expect(problem(chain, wrongKey, at: now) == .keyMismatch)
        #expect(problem(chain, key, ["example.org", "b.example.org"], at: now) == .missingNames(["b.example.org"], held: ["example.org"]))
        #expect(problem(chain, key, at: leaf.notAfter + 1) == .expired(notAfter: leaf.notAfter, subject: nil))
        #expect(problem(chain, key, at: leaf.notBefore - 4000) == .notYetValid(notBefore: leaf.notBefore, subject: nil))
        #expect(problem(try leaf.pem(), key, at: now) == .incompleteChain(issuer: "Snikket local authority example.org"))
        #expect(problem(try leaf.pem() + other.certificate.pem(), key, at: now) != nil)
        #expect(problem(Array("no PEM at all".utf8), key, at: now).map { if case .unreadableCertificate = $0 { true } else { false } } == true)
    }

    @Test("inspect says in three parts what is wrong with a person's files, and takes good ones")
    func inspectVerb() async throws {
        try await Workbench.with { bench throws in
            let authority = try Authority(domains: ["example.org"], now: time(nil))
            let key = try PrivateKey()
            let leaf = try authority.issue(names: ["example.org"], key: key, now: time(nil))
            let (chainFile, keyFile) = (
                try bench.write("mine.pem", try leaf.pem() + authority.certificate.pem()), try bench.write("mine.key", try key.pem())
            )
            let wrong = try await CertificateProgramRun.of(["inspect", "--fullchain", chainFile, "--key", chainFile, "--name", "example.org"])
            #expect(wrong.exitCode == 1)
            #expect(wrong.failure?.kind == .badCertificate)
            #expect(wrong.errors.contains("snikket-certs: try:   give the private key's own file"))
            let missing = try await CertificateProgramRun.of([
                "inspect", "--fullchain", bench.path("none"), "--key", keyFile, "--name", "example.org",
            ])
            #expect(missing.exitCode == 78)
            let good = try await CertificateProgramRun.of(
                ["inspect", "--fullchain", chainFile, "--key", keyFile, "--name", "example.org", "--output", bench.path("certificates")])
            #expect(good.exitCode == 0, "\(good.errors)")
            #expect(try bench.store.current()?.record.serial == leaf.serial)
        }
    }

    @Test("root reads the person's files, and what is kept belongs to the store's user")
    func otherUser() async throws {
        try await Workbench.with { bench throws in
            let authority = try Authority(domains: ["example.org"], now: time(nil))
            let key = try PrivateKey()
            let leaf = try authority.issue(names: ["example.org"], key: key, now: time(nil))
            let (chainFile, keyFile) = (
                try bench.write("mine.pem", try leaf.pem() + authority.certificate.pem()), try bench.write("mine.key", try key.pem())
            )
            try #require(chmod(keyFile, 0o600) == 0)
            // Without root there is only one user.
            let user = geteuid() == 0 ? 65534 : geteuid()
            try #require(
                mkdir(bench.path("certificates"), 0o700) == 0 && chown(bench.path("certificates"), user, geteuid() == 0 ? 65534 : getegid()) == 0)
            let run = try await CertificateProgramRun.of(
                ["inspect", "--fullchain", chainFile, "--key", keyFile, "--name", "example.org", "--output", bench.path("certificates")])
            #expect(run.exitCode == 0, "\(run.errors)")
            var status = stat()
            for file in [".lock", "current/privkey.pem", "current/."] {
                #expect(stat(bench.path("certificates/" + file), &status) == 0 && status.st_uid == user, "\(file)")
            }
        }
    }
}
