import Synchronization

@testable import Appliance

/// Hears what administrators are told.
final class Ears: AdministratorChannel {
    private let state: Mutex<(hears: Bool, heard: [String])>

    init(hears: Bool) { state = Mutex((hears, [])) }

    var hears: Bool {
        get { state.withLock { $0.hears } }
        set { state.withLock { $0.hears = newValue } }
    }
    var heard: [String] { state.withLock { $0.heard } }

    func tell(_ text: String) async -> Bool {
        state.withLock { state in
            if state.hears { state.heard.append(text) }
            return state.hears
        }
    }
}

/// Takes its time: what it is given is delivered when the test says so; after that, at once.
final class Letterbox: AdministratorChannel {
    private struct State {
        var text: String?
        var continuation: CheckedContinuation<Bool, Never>?
        var heard: [String] = []
        var isQuick = false
    }
    private let state = Mutex(State())

    /// What is being delivered; nil when nothing is.
    var waiting: String? { state.withLock { $0.text } }
    var heard: [String] { state.withLock { $0.heard } }

    func tell(_ text: String) async -> Bool {
        await withCheckedContinuation { continuation in
            let isQuick = state.withLock { state in
                if state.isQuick { state.heard.append(text) } else { (state.text, state.continuation) = (text, continuation) }
                return state.isQuick
            }
            if isQuick { continuation.resume(returning: true) }
        }
    }

    func answer(_ isHeard: Bool, isQuickThen: Bool = false) {
        state.withLock { state in
            state.isQuick = isQuickThen
            if isHeard, let text = state.text { state.heard.append(text) }
            defer { (state.text, state.continuation) = (nil, nil) }
            return state.continuation
        }?.resume(returning: isHeard)
    }
}
