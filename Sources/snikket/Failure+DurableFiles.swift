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
            self.init(
                error: "\(error.path) does not hold what it should", cause: "it was damaged or altered",
                tryThis: "restart snikket, which writes it anew")
        case (.read, _):
            self.init(
                error: "cannot read \(error.path)", cause: error.words,
                tryThis: error.advice(otherwise: error.remedy))
        case (.write, _):
            self.init(
                error: "cannot write \(error.path)", cause: error.words,
                tryThis: error.advice(otherwise: error.remedy))
        }
    }
}

extension FileError {
    /// What helps when a person has named the file.
    fileprivate var remedy: String {
        switch (action, errno) {
        case (.read, ENOENT), (.read, ENOTDIR): "name one that is there"
        case (.write, ENOENT), (.write, ENOTDIR): "name a place in a folder that is there"
        case (_, EEXIST): "name another, or remove that one"
        case (_, EISDIR): "name a file: this is a folder"
        case (_, EFBIG): "name another: this is too large for what it should be"
        case (_, ENAMETOOLONG): "choose a shorter name"
        default: "check its permissions, or run the command with sudo"
        }
    }

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
