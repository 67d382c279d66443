import DurableFiles
import Glibc

extension FileError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Why a file could not be read or written.
    init(_ error: FileError) {
        switch (error.action, error.errno) {
        case (.read, EBADMSG):
            self.init(error: "\(error.path) does not hold what it should", tryThis: "restart snikket, which writes it anew")
        case (.read, _):
            self.init(
                error: "cannot read \(error.path)", cause: error.words, tryThis: "check its permissions, or run the command with sudo")
        case (.write, _):
            self.init(
                error: "cannot write \(error.path)", cause: error.words,
                tryThis: "check the disk space and the permissions, or run the command with sudo")
        }
    }
}
