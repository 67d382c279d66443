import CertificateStore
import PebbleFixture
import Testing

@Suite("Killed at any moment")
struct KillTests {
    @Test("kill -9 at thirty moments of an issuance never leaves a bad pair, and the next run succeeds")
    func sweep() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"])
                let first = try await CertificateProgramRun.of(arguments)
                try #require(first.exitCode == 0, "\(first.errors)")
                var serial = first.issued?.serial
                for step in 1...30 {
                    // From the start of the program to well past its end.
                    let milliseconds = step * 6
                    let killed = try await CertificateProgramRun.of(
                        arguments,
                        launcher: ["timeout", "--signal=KILL", "0.\(milliseconds < 100 ? "0" : "")\(milliseconds < 10 ? "0" : "")\(milliseconds)"])
                    let present = try #require(try bench.store.current())
                    if let issued = killed.issued { #expect(present.record == issued) }
                    if present.record.serial != serial {
                        #expect(try await bench.pairIsGood())
                        serial = present.record.serial
                    }
                }
                let last = try await CertificateProgramRun.of(arguments)
                #expect(last.exitCode == 0, "\(last.errors)")
                #expect(try bench.store.current()?.record == last.issued)
                #expect(try await bench.pairIsGood())
            }
        }
    }
}
