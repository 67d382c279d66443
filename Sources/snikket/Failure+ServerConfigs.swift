import ServerConfigs
import Settings
import Templates

extension ServerConfigsError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Words for what went wrong between the settings and the servers' configurations.
    init(_ error: ServerConfigsError) {
        switch error {
        case .template(let error): self.init(error)
        case .inexpressible(let path, let target):
            self.init(
                error: "the path \(path) cannot be said in files for \(target)", cause: "there, blanks, quotes and : , $ \\ mean something else",
                tryThis: "use a folder with another name", code: .configuration)
        case .unfitImage(let name, let target):
            self.init(
                error: "\(name) cannot be said in files for \(target)", cause: "it is no name of an image there",
                tryThis: "correct SNIKKET_CONTAINER_IMAGE", code: .configuration)
        case .file(let error): self.init(error)
        case .damagedSecret(let path):
            self.init(
                error: "the secret in \(path) is damaged", cause: "it is not 64 hexadecimal digits",
                tryThis: "remove the file and start again: a new one is made")
        case .missingProgram(let service, let program, let package):
            self.init(
                error: "\(service.rawValue) is not installed", cause: "there is no program `\(program)`", tryThis: "run `apt-get install \(package)`",
                code: .configuration)
        case .missingModule(let service, let path, let package):
            self.init(
                error: "\(service.rawValue) lacks a module that SNIKKET_CHALLENGE=tls-alpn-01 needs", cause: "there is no \(path)",
                tryThis: "run `apt-get install \(package)`, or choose http-01 or dns-01", code: .configuration)
        case .tooOld(let service, let version, let needed, let install):
            self.init(
                error: "\(service.rawValue) \(version) is too old", cause: "version \(needed) or newer is needed", tryThis: "run `\(install)`",
                code: .configuration)
        case .unknownVersion(let service, let said):
            self.init(
                error: "cannot tell which version of \(service.rawValue) is installed", cause: said.isEmpty ? nil : "it says `\(said)`",
                tryThis: "install the distribution's own package", code: .configuration)
        case .refused(let service, let file, let words):
            self.init(
                error: "\(service.rawValue) does not accept its configuration \(file)", cause: words.joined(separator: "; "),
                tryThis: "nothing was changed; report this with the output of `snikket render --diff`", code: .configuration)
        case .checkerTimedOut(let service, let seconds):
            self.init(
                error: "\(service.rawValue) did not check its configuration within \(seconds) seconds",
                cause: "this machine is busy, or its disk hangs", tryThis: "look for what keeps it busy, and try again",
                code: .tryAgainLater)
        case .checkerFailed(let service, let reason):
            self.init(
                error: "cannot ask \(service.rawValue) to check its configuration", cause: reason,
                tryThis: "check that its package is installed whole")
        }
    }

    private init(_ error: TemplateError) {
        let place = "\(error.template), line \(error.line)"
        switch error.problem {
        case .inexpressible(let name, let scalar):
            self.init(
                error: "the value of \(name) cannot be written into a server's configuration",
                cause: "it has the character U+\(String(scalar.value, radix: 16, uppercase: true)), which \(place) cannot hold",
                tryThis: "remove the character from snikket.conf", code: .configuration)
        case .tooLong(let name):
            self.init(
                error: "the value of \(name) is too long for a server's configuration", cause: place, tryThis: "shorten it in snikket.conf",
                code: .configuration)
        default:
            self.init(error: "a template is damaged", cause: "\(place): \(error.problem)", tryThis: "reinstall snikket")
        }
    }
}
