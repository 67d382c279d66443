import LocalHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite struct LocalHTTPTests {
    @Test("a request and its response arrive whole, over TCP and over a Unix socket")
    func roundTrip() async throws {
        for listening in [Listening.tcp, .unix] {
            try await TestServer.with(listening) { server in
                let client = LocalHTTPClient(target: server.target, hostHeader: "chat.example.org")
                let response = try await client.send(
                    .init(method: .post, path: "/echo?x=1", headers: [(name: "X-Test", value: "yes")], body: Array("hello".utf8)),
                    deadline: .seconds(5))
                #expect(response.status == 200)
                #expect(response.header("content-type") == "text/plain")
                #expect(String(decoding: response.body, as: UTF8.self) == "POST /echo?x=1 chat.example.org yes hello")
            }
        }
    }

    @Test("requests in a row use one connection; a POST gets its own")
    func keepsConnections() async throws {
        try await TestServer.with(.tcp) { server in
            let client = LocalHTTPClient(target: server.target)
            for _ in 0..<20 { _ = try await client.send(.init(path: "/echo"), deadline: .seconds(5)) }
            #expect(server.connections.load(ordering: .relaxed) == 1)
            _ = try await client.send(.init(method: .post, path: "/echo"), deadline: .seconds(5))
            #expect(server.connections.load(ordering: .relaxed) == 2)
        }
    }

    @Test("a kept connection that the server closed is replaced without anybody noticing")
    func serverClosesIdle() async throws {
        try await TestServer.with(.tcp) { server in
            let client = LocalHTTPClient(target: server.target)
            for _ in 0..<20 {
                let response = try await client.send(.init(path: "/then-close"), deadline: .seconds(5))
                #expect(response.status == 200)
            }
        }
    }

    @Test("a server that accepts and says nothing ends in timedOut, at the deadline")
    func deadline() async throws {
        try await TestServer.with(.tcp) { server in
            let client = LocalHTTPClient(target: server.target)
            let begin = ContinuousClock.now
            await #expect(throws: LocalHTTPError.timedOut) {
                _ = try await client.send(.init(path: "/silence"), deadline: .milliseconds(100))
            }
            #expect(ContinuousClock.now - begin < .seconds(30))
        }
    }

    @Test("a cancelled task does not wait for its response")
    func cancellation() async throws {
        try await TestServer.with(.tcp) { server in
            let client = LocalHTTPClient(target: server.target)
            let outcome = await withTaskGroup(of: LocalHTTPError?.self) { group in
                group.addTask {
                    do throws(LocalHTTPError) {
                        _ = try await client.send(.init(path: "/silence"), deadline: .seconds(60))
                        return nil
                    } catch {
                        return error
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(outcome == .cancelled)
        }
    }

    @Test("nobody listening is refused, a response too large is tooLarge, half a response is closed, noise is malformed")
    func failures() async throws {
        let nobody = LocalHTTPClient(target: .unix(path: "/nonexistent/socket"))
        await #expect(throws: LocalHTTPError.refused) { _ = try await nobody.send(.init(path: "/"), deadline: .seconds(5)) }
        let port = try await TestServer.with(.tcp) { $0.port }
        let gone = LocalHTTPClient(target: .tcp(host: "127.0.0.1", port: port))
        await #expect(throws: LocalHTTPError.refused) { _ = try await gone.send(.init(path: "/"), deadline: .seconds(5)) }

        try await TestServer.with(.tcp) { server in
            let client = LocalHTTPClient(target: server.target, responseLimit: 1000)
            await #expect(throws: LocalHTTPError.tooLarge(limit: 1000)) { _ = try await client.send(.init(path: "/large"), deadline: .seconds(5)) }
            await #expect(throws: LocalHTTPError.closed) { _ = try await client.send(.init(path: "/half"), deadline: .seconds(5)) }
            await #expect(throws: LocalHTTPError.malformed) { _ = try await client.send(.init(path: "/noise"), deadline: .seconds(5)) }
        }
    }

    @Test("many requests at once all get their own answer")
    func many() async throws {
        try await TestServer.with(.unix) { server in
            let client = LocalHTTPClient(target: server.target)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let response = try await client.send(.init(path: "/\(number)"), deadline: .seconds(20))
                        return String(decoding: response.body, as: UTF8.self).contains("/\(number) ")
                    }
                }
                for try await answered in group { #expect(answered) }
            }
        }
    }
}
