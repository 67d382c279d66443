public import DurableFiles
public import Settings
public import Templates

/// What can go wrong between the settings and a configuration that a server accepts.
public enum ServerConfigsError: Error, Sendable, Equatable {
    /// A template is wrong, or a value cannot be expressed in its format.
    case template(TemplateError)
    /// A path has something in it that cannot be said in the files for a target.
    case inexpressible(path: String, target: String)
    /// What is to be the name of an image is none in the files for a target.
    case unfitImage(name: String, target: String)
    /// A file could not be read or written.
    case file(FileError)
    /// A stored secret is not 64 hexadecimal digits.
    case damagedSecret(path: String)
    /// A server's program is not installed; the package that has it.
    case missingProgram(Service, program: String, package: String)
    /// A module that a server needs is not installed; the package that has it.
    case missingModule(Service, path: String, package: String)
    /// A server is too old; the command that installs one that is not.
    case tooOld(Service, version: String, needed: String, install: String)
    /// A server's version cannot be told.
    case unknownVersion(Service, said: String)
    /// A server does not accept its configuration; what its own checker said.
    case refused(Service, file: String, words: [String])
    /// A server's checker did not finish in time.
    case checkerTimedOut(Service, seconds: Int)
    /// A server's checker could not be run; what was tried, and why not.
    case checkerFailed(Service, reason: String)
}
