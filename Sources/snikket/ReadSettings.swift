import Settings
import SystemPackage

/// Reads and validates the settings.
///
/// - Parameter overrides: what was set on the command line.
/// - Throws: ``Failure`` or `SettingsError`; both end with the exit code of wrong configuration.
func readSettings(_ locations: Locations, overrides: [(name: String, value: String)] = []) throws -> Settings {
    try readSettings(file: locations.configuration, overrides: overrides)
}

/// Reads and validates the settings in a file. For commands that need nothing else, not even the templates.
func readSettings(file: String, overrides: [(name: String, value: String)] = []) throws -> Settings {
    let bytes: [UInt8]
    do {
        bytes = try readConfiguration(file)
    } catch Errno.noSuchFileOrDirectory {
        throw Failure(
            error: "there are no settings yet", cause: "\(file) does not exist", tryThis: "run `snikket init`", code: .configuration)
    } catch let errno as Errno {
        throw Failure(
            error: "cannot read the settings", cause: "\(file): \(errno.description.lowercased())",
            tryThis: errno == .permissionDenied ? "run it as root, or pass --config FILE" : "correct the path, or pass --config FILE",
            code: .configuration)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(SettingsError(file: file, problems: [.init(line: lineOfBadUTF8(bytes), option: nil, kind: .notUTF8)]))
    }
    return try Settings(parsing: text, file: file, overrides: overrides)
}

/// What is in the file. Larger than a mebibyte no settings are: that is some other file.
private func readConfiguration(_ path: String) throws -> [UInt8] {
    let limit = 1 << 20
    let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        throw Errno.fileTooLarge
    }
}

private func lineOfBadUTF8(_ bytes: [UInt8]) -> Int? {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .firstIndex { String(validating: $0, as: UTF8.self) == nil }
        .map { $0 + 1 }
}
