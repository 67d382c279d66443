import Glibc
import SystemPackage

/// Puts a settings file in place so that it is whole or not there at all, power loss included.
///
/// - Parameter replacing: whether a file that is there already may go.
func writeSettings(_ text: String, to path: String, replacing: Bool) throws {
    let target = FilePath(path)
    let folder = target.removingLastComponent()
    let temporary = folder.appending(".\(target.lastComponent?.string ?? "snikket.conf").\(getpid()).new")
    do {
        if mkdir(folder.string, 0o755) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec],
                permissions: .ownerReadWrite)
            try file.closeAfter {
                try file.writeAll(Array(text.utf8))
                // Options with secrets may be added to it; only `snikket up` reads it.
                guard fchmod(file.rawValue, 0o600) == 0, fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            // link() fails when there is such a file, rename() replaces it.
            guard (replacing ? rename(temporary.string, path) : link(temporary.string, path)) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary.string)
            throw error
        }
        if !replacing { unlink(temporary.string) }
        let directory = try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
        try directory.closeAfter {
            guard fsync(directory.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    } catch Errno.fileExists {
        throw Failure.settingsExist(path)
    } catch let error as Errno {
        throw Failure(
            error: "cannot write the settings", cause: "\(path): \(error.description.lowercased())",
            tryThis: error == .permissionDenied ? "run it as root, or pass --config FILE" : "correct the path, or pass --config FILE")
    }
}
