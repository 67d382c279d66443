import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why there is no response.
public enum LocalHTTPError: Error, Equatable, Sendable {
    /// Nothing listens there.
    case refused
    /// The deadline passed first.
    case timedOut
    /// The server closed the connection before the response was whole.
    case closed
    /// The response's content is larger than `limit` bytes.
    case tooLarge(limit: Int)
    /// What came is no HTTP/1.1.
    case malformed
    /// The task was cancelled.
    case cancelled
    /// The system refused, with this errno.
    case system(errno: Int32)
}

extension LocalHTTPError {
    /// What a library's error means here.
    init(_ error: any Error, limit: Int) {
        self =
            switch error {
            case let error as LocalHTTPError: error
            case let error as NIOConnectionError: error.connectionErrors.first.map { Self($0.error, limit: limit) } ?? .refused
            case let error as IOError: Self(errno: error.errnoCode)
            case is NIOHTTPObjectAggregatorError: .tooLarge(limit: limit)
            case HTTPParserError.invalidEOFState: .closed
            case is HTTPParserError: .malformed
            case ChannelError.connectTimeout: .timedOut
            case is CancellationError: .cancelled
            default: .closed
            }
    }

    private init(errno code: Int32) {
        self =
            switch code {
            case ECONNREFUSED, ENOENT: .refused
            case ECONNRESET, EPIPE: .closed
            case ETIMEDOUT: .timedOut
            default: .system(errno: code)
            }
    }
}
