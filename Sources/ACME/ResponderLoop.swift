internal import Glibc

/// Accepts and answers on one thread; a client that is slow or silent holds nobody up.
struct ResponderLoop {
    let listening: Int32
    let answers: AnswerTable
    /// More are refused: a CA opens a handful.
    private static let maximumConnections = 64
    private static let maximumRequest = 8192
    private static let patience = Duration.seconds(10)

    init(listening: Int32, answers: AnswerTable) {
        self.listening = listening
        self.answers = answers
    }

    private struct Connection {
        let descriptor: Int32
        let deadline: ContinuousClock.Instant
        var request: [UInt8] = []
    }

    /// Runs until the table is closed.
    func run() {
        var connections: [Connection] = []
        defer {
            for connection in connections { close(connection.descriptor) }
            close(listening)
        }
        while !answers.isClosed {
            var entries = [pollfd(fd: listening, events: Int16(POLLIN), revents: 0)]
            entries += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&entries, nfds_t(entries.count), connections.isEmpty ? -1 : 1000) >= 0 || errno == EINTR else { return }
            let now = ContinuousClock.now
            var open: [Connection] = []
            for (entry, connection) in zip(entries.dropFirst(), connections) {
                if let connection = entry.revents == 0 ? connection : served(connection), connection.deadline > now {
                    open.append(connection)
                } else {
                    close(connection.descriptor)
                }
            }
            connections = open
            if entries[0].revents != 0 { connections += accepted(room: Self.maximumConnections - connections.count) }
        }
    }

    private func accepted(room: Int) -> [Connection] {
        var new: [Connection] = []
        while true {
            let descriptor = accept(listening, nil, nil)
            guard descriptor >= 0 else { return new }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            if new.count < room { new.append(Connection(descriptor: descriptor, deadline: .now + Self.patience)) } else { close(descriptor) }
        }
    }

    /// Reads what has come and answers a complete request; nil when the connection is done with.
    private func served(_ connection: Connection) -> Connection? {
        var connection = connection
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection.descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return connection }
        guard count > 0 else { return nil }
        connection.request += buffer.prefix(count)
        let text = String(decoding: connection.request, as: UTF8.self)
        guard text.contains("\r\n\r\n") || text.contains("\n\n") else {
            return connection.request.count < Self.maximumRequest ? connection : nil
        }
        let response = Array(response(to: text).utf8)
        // A few hundred bytes always fit into a fresh socket's buffer.
        send(connection.descriptor, response, response.count, Int32(MSG_NOSIGNAL))
        shutdown(connection.descriptor, Int32(SHUT_WR))
        return nil
    }

    private func response(to request: String) -> String {
        let parts = request.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        let prefix = "/.well-known/acme-challenge/"
        guard parts.count == 3, parts[0] == "GET" || parts[0] == "HEAD", parts[1].hasPrefix(prefix),
            let answer = answers.answer(to: String(parts[1].dropFirst(prefix.count)))
        else { return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: \(answer.utf8.count)\r\nConnection: close\r\n\r\n"
        return parts[0] == "HEAD" ? head : head + answer
    }
}
