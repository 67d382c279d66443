import NIOCore
import Synchronization

/// Connections that wait for the next request; closed with the last copy of their client.
final class IdleConnections: Sendable {
    /// More would only hold memory in both processes.
    private static let most = 4
    private let channels = Mutex<[any Channel]>([])

    /// The connection used last that is still open.
    func take() -> (any Channel)? {
        channels.withLock { channels in
            while let channel = channels.popLast() {
                if channel.isActive { return channel }
            }
            return nil
        }
    }

    func put(_ channel: any Channel) {
        let kept = channels.withLock { channels in
            guard channel.isActive, channels.count < Self.most else { return false }
            channels.append(channel)
            return true
        }
        if !kept { channel.close(promise: nil) }
    }

    deinit {
        for channel in channels.withLock({ $0 }) { channel.close(promise: nil) }
    }
}
