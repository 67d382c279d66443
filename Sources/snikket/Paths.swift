import Glibc
import SystemPackage

/// A path as seen from the current directory, made absolute and normal (no `.` or `..`).
func absolutePath(_ path: String) -> String {
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return FilePath(String(cString: current)).pushing(FilePath(path)).lexicallyNormalized().string
}

/// The folder that this program is in.
func programFolder() throws -> String {
    guard let program = realpath("/proc/self/exe", nil) else {
        throw Failure(error: "cannot find this program's own folder", cause: String(cString: strerror(errno)), tryThis: "see that /proc is mounted")
    }
    defer { free(program) }
    return FilePath(String(cString: program)).removingLastComponent().string
}

/// The folder `share/snikket/templates` beside the program's `bin`, or `templates` of the checkout it was built in.
func installedTemplates() throws -> String {
    var folder = FilePath(try programFolder())
    let installed = folder.removingLastComponent().appending("share/snikket/templates")
    if access(installed.string, R_OK) == 0 { return installed.string }
    while folder.removeLastComponent() {
        let candidate = folder.appending("templates")
        if access(candidate.appending("prosody").string, R_OK) == 0 { return candidate.string }
    }
    throw Failure(
        error: "the templates are missing", cause: "neither \(installed) nor the folder of a checkout has them",
        tryThis: "reinstall snikket, or pass --templates DIR")
}
