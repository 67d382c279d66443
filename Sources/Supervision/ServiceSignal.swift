/// A signal that a server is told something with (signal(7)).
public enum ServiceSignal: Int32, Sendable {
    case hangUp = 1
    case interrupt = 2
    case quit = 3
    case kill = 9
    case userDefined1 = 10
    case userDefined2 = 12
    case terminate = 15
}
