import Dispatch
import Synchronization

/// Pieces of bytes on their way from the thread that makes them to one that works on them: a few at a time, in order.
final class Conveyor: Sendable {
    private enum Piece {
        case bytes([UInt8])
        /// Nothing more comes.
        case end(isWhole: Bool)
    }

    private struct State {
        var pieces: [Piece] = []
        var problem: BackupError?
    }

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 4)
    private let filled = DispatchSemaphore(value: 0)

    /// Puts a copy on it, as soon as there is room.
    ///
    /// - Throws: what went wrong at the other end.
    func put(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        let piece = Piece.bytes(Array(bytes))
        room.wait()
        let problem = state.withLock { state in
            state.pieces.append(piece)
            return state.problem
        }
        filled.signal()
        if let problem { throw problem }
    }

    /// Says that nothing more comes.
    ///
    /// - Parameter isWhole: false: what has come is of no use.
    func end(isWhole: Bool) {
        state.withLock { $0.pieces.append(.end(isWhole: isWhole)) }
        filled.signal()
    }

    /// Takes everything, to the end.
    ///
    /// - Returns: whether it is whole.
    /// - Throws: what `work` throws, after all the rest has been taken and thrown away: whoever puts it there does not wait for ever.
    func takeAll(_ work: (UnsafeRawBufferPointer) throws(BackupError) -> Void) throws(BackupError) -> Bool {
        while true {
            filled.wait()
            let (piece, problem) = state.withLock { ($0.pieces.removeFirst(), $0.problem) }
            switch piece {
            case .end(let isWhole):
                if let problem { throw problem }
                return isWhole
            case .bytes(let bytes):
                if problem == nil { note(bytes.withUnsafeBytes { bytes in Self.problem { () throws(BackupError) in try work(bytes) } }) }
                room.signal()
            }
        }
    }

    private func note(_ problem: BackupError?) {
        if let problem { state.withLock { $0.problem = problem } }
    }

    private static func problem(_ body: () throws(BackupError) -> Void) -> BackupError? {
        do throws(BackupError) { try body() } catch { return error }
        return nil
    }
}
