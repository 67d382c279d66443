import Glibc
import RealServers
import Testing

@testable import Supervision

@Suite struct PortCheckTests {
    @Test("a taken port names its owner, a free one nobody", arguments: [WantedPort.Transport.tcp, .udp])
    func taken(_ transport: WantedPort.Transport) async throws {
        let port = try freePort()
        #expect(PortCheck.conflicts(with: [WantedPort(transport, port)]).isEmpty)
        #expect(!PortCheck.isTaken([WantedPort(transport, port)]))
        try listening(transport, port, "127.0.0.1") {
            for address in [nil, "127.0.0.1", "0.0.0.0", "::"] {
                let wanted = WantedPort(transport, port, address: address)
                var found = PortCheck.conflicts(with: [WantedPort(transport, 1), wanted])
                // A process that another test has just forked shares the socket until its exec.
                for _ in 0..<200 where found.first?.pid != getpid() {
                    usleep(10_000)
                    found = PortCheck.conflicts(with: [WantedPort(transport, 1), wanted])
                }
                #expect(found.map(\.wanted) == [wanted])
                // IPv6 alone can still be had.
                #expect(PortCheck.isTaken([wanted]) == (address != "::"))
                #expect(found.first?.pid == getpid())
                #expect(found.first?.process == ProcessTable.name(of: getpid()))
            }
            #expect(PortCheck.conflicts(with: [WantedPort(transport, port, address: "127.0.0.2")]).isEmpty)
            #expect(PortCheck.conflicts(with: [WantedPort(transport, port, address: "::1")]).isEmpty)
            var left = PortCheck.conflicts(with: [WantedPort(transport, port)], ignoring: [getpgrp()])
            for _ in 0..<200 where !left.isEmpty {
                usleep(10_000)
                left = PortCheck.conflicts(with: [WantedPort(transport, port)], ignoring: [getpgrp()])
            }
            #expect(left.isEmpty)
        }
        // A process that another test has just forked shares the socket until its exec.
        try await until { PortCheck.conflicts(with: [WantedPort(transport, port)]).isEmpty }
    }

    @Test("a listener on every address has the port on each")
    func everywhere() throws {
        let port = try freePort()
        try listening(.tcp, port, "0.0.0.0") {
            #expect(PortCheck.conflicts(with: [WantedPort(.tcp, port, address: "127.0.0.1")]).count == 1)
            #expect(PortCheck.conflicts(with: [WantedPort(.tcp, port, address: "::1")]).isEmpty)
            #expect(PortCheck.conflicts(with: [WantedPort(.udp, port)]).isEmpty)
        }
    }

    @Test("a server whose port another program has is not started, and the program is named; it is when that has gone", .timeLimit(.minutes(2)))
    func notStarted() async throws {
        let port = try freePort()
        let listener = try listener(.tcp, port, "127.0.0.1")
        let specification: @Sendable (Scratch) -> ServiceSpecification = { scratch in
            var specification = Fixture.shell("echo up; exec sleep 600")(scratch)
            specification.ports = [WantedPort(.tcp, port, address: "127.0.0.1")]
            return specification
        }
        try await Fixture.with(specification) { fixture in
            try await until {
                guard case .portTaken(let conflict) = await fixture.service.snapshot().lastProblem else { return false }
                return conflict.pid == getpid() && "\(conflict)".contains("has port \(port)/tcp")
            }
            #expect(fixture.lines.isEmpty, "it was started all the same")
            close(listener)
            try await until { await fixture.service.state == .ready }
        }
    }

    private func listening(_ transport: WantedPort.Transport, _ port: Int, _ text: String, _ body: () throws -> Void) throws {
        let descriptor = try listener(transport, port, text)
        defer { close(descriptor) }
        try body()
    }

    private func listener(_ transport: WantedPort.Transport, _ port: Int, _ text: String) throws -> Int32 {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let descriptor = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        try #require(bound == 0)
        if transport == .tcp { try #require(listen(descriptor, 1) == 0) }
        return descriptor
    }
}
