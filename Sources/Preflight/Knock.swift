internal import Glibc

/// What came of a connection to a port.
enum Knock: Sendable, Equatable {
    /// Somebody listens; what was said within the deadline, when anything was waited for.
    case answered([UInt8])
    /// The errno; ETIMEDOUT when nothing came back.
    case failed(errno: Int32)

    /// Connects. Blocks its thread, at most about twice these seconds.
    ///
    /// - Parameter wanted: how many bytes to wait for.
    static func at(_ address: String, _ port: Int, seconds: Int, expecting wanted: Int) -> Knock {
        withSocketAddress(address, port) { pointer, size, family in
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return .failed(errno: errno) }
            defer { close(descriptor) }
            // For connecting as well: Linux applies the sending limit to it (socket(7)).
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
            guard connect(descriptor, pointer, size) == 0 else { return .failed(errno: errno == EINPROGRESS ? ETIMEDOUT : errno) }
            var said: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64)
            while said.count < wanted {
                let count = recv(descriptor, &buffer, wanted - said.count, 0)
                guard count > 0 else { break }
                said += buffer.prefix(count)
            }
            return .answered(said)
        } ?? .failed(errno: EINVAL)
    }
}
