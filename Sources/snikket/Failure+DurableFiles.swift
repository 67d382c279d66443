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
                error: "cannot read \(error.path)", cause: error.words,
                tryThis: error.advice(otherwise: "check its permissions, or run the command with sudo"))
        case (.write, _):
            self.init(
                error: "cannot write \(error.path)", cause: error.words,
                tryThis: error.advice(otherwise: "check its permissions, or run the command with sudo"))
        }
    }
}

extension FileError {
    /// What helps against what the system said.
    func advice(otherwise advice: String) -> String {
        switch errno {
        case ENOSPC, EDQUOT: "make room on the disk"
        case EROFS: "look at `dmesg`: after an error of the disk nothing more is written to it"
        case EIO: "look at `dmesg`: the disk has an error"
        case EMFILE, ENFILE: "close what has so many files open, or permit more"
        default: advice
        }
    }
}
