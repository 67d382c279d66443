import ServerConfigs

extension Failure {
    /// Words for settings that do not fit a web server in front.
    init(_ missing: [(option: String, value: String)], for server: FrontServer, file: String) {
        let lines = missing.map { "\($0.option)=\($0.value.contains(" ") ? "\"\($0.value)\"" : $0.value)" }
        self.init(
            error: "with these settings \(server.rawValue) cannot stand in front",
            cause: "\(file) needs \(lines.count == 1 ? "this line" : "these lines"):\n" + lines.joined(separator: "\n"),
            tryThis: "put \(lines.count == 1 ? "it" : "them") there, and run it again; other free ports than these do as well", code: .configuration)
    }
}
