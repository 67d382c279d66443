internal import Glibc

/// The resolvers of /etc/resolv.conf, with their ports: at most three, as for everybody else (resolv.conf(5)).
public func systemResolvers(in file: String = "/etc/resolv.conf") -> [String] { ResolverFile(file)?.servers ?? [] }

/// What a resolv.conf(5) says.
public struct ResolverFile: Sendable, Equatable {
    /// The servers' addresses with the port, `192.0.2.1:53`.
    public var servers: [String] = []
    /// The domains that are put behind a name which does not exist by itself.
    public var search: [String] = []

    /// nil when there is no such file.
    public init?(_ path: String) {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split { " \t\n".contains($0) }
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "nameserver" where servers.count < 3: servers.append(words[1].contains(":") ? "[\(words[1])]:53" : "\(words[1]):53")
            // The last of either counts.
            case "search", "domain": search = words.dropFirst().map(String.init)
            default: break
            }
        }
    }
}
