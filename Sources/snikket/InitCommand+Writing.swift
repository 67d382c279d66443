import DurableFiles
import Glibc

/// Puts a settings file in place so that it is whole or not there at all, power loss included.
///
/// - Parameter replacing: whether a file that is there already may go.
func writeSettings(_ text: String, to path: String, replacing: Bool) throws {
    do throws(FileError) {
        try Folder.make(File.folder(of: path), mode: 0o755, followingLinks: true)
        // Options with secrets may be added to it; only `snikket up` reads it.
        try File.write(Array(text.utf8), to: path, mode: 0o600, replacing: replacing)
    } catch {
        if error.errno == EEXIST { throw Failure.settingsExist(path) }
        throw Failure(
            error: "cannot write the settings", cause: "\(error.path): \(error.words)",
            tryThis: error.errno == EACCES ? "run it as root, or pass --config FILE" : "correct the path, or pass --config FILE")
    }
}
