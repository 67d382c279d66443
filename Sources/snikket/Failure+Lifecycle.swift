import Lifecycle

extension BackupError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Why a backup could not be made, read or put back.
    init(_ error: BackupError) {
        switch error {
        case .missingProgram(let name, let package):
            self.init(error: "\(name) is not installed", cause: "backups need it", tryThis: "run `apt-get install \(package)`", code: .configuration)
        case .program(let name, let words):
            self.init(error: "\(name) did not do its part", cause: words, tryThis: "mend what it says, and try again")
        case .file(let error): self.init(error)
        case .noSuchFile(let path):
            self.init(
                error: "there is no backup \(path)", cause: "no such file or directory", tryThis: "`snikket backup list` shows those that there are",
                code: .usage)
        case .notAFile(let path):
            self.init(
                error: "\(path) is no backup", cause: "a backup is one file, and this is something else",
                tryThis: "`snikket backup list` shows those that there are", code: .usage)
        case .notABackup(let path):
            self.init(error: "\(path) is not a backup", cause: "it was not made by `snikket backup create`", tryThis: "name another file")
        case .damaged(let path, let damage):
            self.init(
                error: "\(path) is damaged and cannot be trusted", cause: damage.words,
                tryThis: "fetch it again from where it was copied, or use another backup")
        case .tooNew(let path, let format):
            self.init(
                error: "\(path) was made by a newer snikket", cause: "it has the format \(format), which this version does not know",
                tryThis: "install the newest version")
        case .sealed(let path, let key):
            self.init(
                error: "\(path) is encrypted", cause: key == .passphrase ? "with a passphrase" : "to an age recipient",
                tryThis: key == .passphrase ? "pass --passphrase-file FILE" : "pass --identity FILE, the secret key that age-keygen made",
                code: .usage)
        case .wrongKey(let path, let words):
            self.init(error: "\(path) cannot be opened", cause: words, tryThis: "use the key or passphrase that it was encrypted with")
        case .busy(let state):
            self.init(
                error: "another backup or restore is under way", cause: "it uses \(state)", tryThis: "wait until it is done", code: .tryAgainLater)
        case .running(let state):
            self.init(
                error: "snikket is running", cause: "a restore would pull \(state) away from under it",
                tryThis: "stop it first (`systemctl stop snikket`, or `docker compose down`), or pass --stop")
        case .changing(let path):
            self.init(
                error: "\(path) became shorter while it was read", cause: "something else writes to it", tryThis: "try again", code: .tryAgainLater)
        case .unsuitable(let path):
            self.init(
                error: "\(path) is not usable for a backup",
                cause: "a passphrase is one line of text; in the state there are only files, folders, and links that stay inside",
                tryThis: "correct or remove it")
        case .settingsName(let name):
            self.init(
                error: "the backup's settings cannot be written to \(name)", cause: "it has another file of that name, which they need",
                tryThis: "pass --config FILE with another name", code: .usage)
        case .noRoom(let folder, let needed, let free):
            self.init(
                error: "there is not enough room", cause: "\(sizeText(needed)) are needed in \(folder), and \(sizeText(free)) are free",
                tryThis: "make room, or add a disk")
        case .undone(let words):
            self.init(error: "the restore failed, and everything is as it was", cause: words, tryThis: "mend that, and try again")
        case .halfway(let words):
            self.init(
                error: "the restore failed, and the old state could not be put back", cause: words,
                tryThis: "mend that, and run `snikket restore` again: it goes on where this ended; nothing is lost")
        case .interrupted:
            self.init(error: "interrupted", cause: "nothing was changed", tryThis: "run it again when there is time")
        }
    }
}

extension BackupError.Damage {
    fileprivate var words: String {
        switch self {
        case .cutOff: "it ends too early"
        case .checksum: "its checksum does not fit: it was altered"
        case .list: "what is in it does not fit its own list"
        case .compression(let words): "it cannot be unpacked: \(words)"
        case .malformed(let what): "a part of it is malformed: \(what)"
        case .database(let path, let words): "the database \(path) is not sound: \(words)"
        }
    }
}
