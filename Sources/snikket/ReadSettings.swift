import DurableFiles
import Glibc
import Settings

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
    do throws(FileError) {
        // Larger than a mebibyte no settings are: that is some other file.
        bytes = try File.read(file, waiting: true)
    } catch {
        if error.errno == ENOENT {
            throw Failure(
                error: "there are no settings yet", cause: "\(file) does not exist", tryThis: "run `snikket init`", code: .configuration)
        }
        throw Failure(
            error: "cannot read the settings", cause: "\(file): \(error.words)",
            tryThis: error.errno == EACCES ? "run it as root, or pass --config FILE" : "correct the path, or pass --config FILE",
            code: .configuration)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(SettingsError(file: file, problems: [.init(line: lineOfBadUTF8(bytes), option: nil, kind: .notUTF8)]))
    }
    return try Settings(parsing: text, file: file, overrides: overrides)
}

private func lineOfBadUTF8(_ bytes: [UInt8]) -> Int? {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .firstIndex { String(validating: $0, as: UTF8.self) == nil }
        .map { $0 + 1 }
}
