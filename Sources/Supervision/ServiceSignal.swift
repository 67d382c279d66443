/// A signal that a server is told something with (signal(7)).
public enum ServiceSignal: Int32, Sendable {
    case hangUp = 1
    case interrupt = 2
    case quit = 3
    case kill = 9
    case userDefined1 = 10
    case userDefined2 = 12
    case terminate = 15

    /// As setpriv(1) wants it.
    var name: String {
        switch self {
        case .hangUp: "HUP"
        case .interrupt: "INT"
        case .quit: "QUIT"
        case .kill: "KILL"
        case .userDefined1: "USR1"
        case .userDefined2: "USR2"
        case .terminate: "TERM"
        }
    }
}
