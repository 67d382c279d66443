public import DurableFiles

/// Why a backup could not be made, read or put back.
public enum BackupError: Error, Sendable, Equatable {
    /// A program that it needs is not installed; the package that has it.
    case missingProgram(String, package: String)
    /// A program ended badly: what it said last.
    case program(String, String)
    /// Something about a file or folder.
    case file(FileError)
    /// There is no such backup.
    case noSuchFile(String)
    /// It is a folder or another thing that is no regular file.
    case notAFile(String)
    /// The file is not one of our backups.
    case notABackup(String)
    /// The file is not what was written: it was cut off or altered.
    case damaged(String, Damage)
    /// The format is newer than this program.
    case tooNew(String, format: Int)
    /// It is encrypted, and a key file or passphrase to open it was not given; which of them it needs.
    case sealed(String, needs: Key)
    /// It was not opened by what was given; what age said.
    case wrongKey(String, String)
    /// Another backup or restore is working on the same state.
    case busy(String)
    /// `snikket up` uses the state.
    case running(state: String)
    /// A file became shorter while it was read.
    case changing(String)
    /// A name or a kind of file that cannot be in a backup.
    case unsuitable(String)
    /// The settings are to get a name that another file of the backup has.
    case settingsName(String)
    /// Not enough room: bytes that are needed, and that are there.
    case noRoom(folder: String, needed: Int, free: Int)
    /// It failed while things were being put in place, and everything is again as it was: why.
    case undone(String)
    /// It failed, and so did putting the old state back: why. The next run goes on with it.
    case halfway(String)
    /// Told to stop.
    case interrupted

    /// How a file is not what was written.
    public enum Damage: Sendable, Equatable {
        /// It ends too early.
        case cutOff
        /// The checksum of the whole does not fit.
        case checksum
        /// What is in it does not fit its own list.
        case list
        /// It cannot be unpacked; what the program said.
        case compression(String)
        /// A part of it is malformed, which nobody but a bug or an attacker writes; what.
        case malformed(String)
        /// A database in it is not sound: its path and what SQLite says.
        case database(String, String)
    }

    /// What opens an encrypted backup.
    public enum Key: Sendable, Equatable {
        case passphrase, identity
    }
}
