import Glibc
import SystemPackage

// Calls that swift-system does not have.

func removeIfThere(_ path: FilePath) throws {
    guard path.withPlatformString({ Glibc.unlink($0) }) != 0, errno != ENOENT else { return }
    throw Errno(rawValue: errno)
}

func rename(_ path: FilePath, to target: FilePath) throws {
    let result = path.withPlatformString { from in target.withPlatformString { Glibc.rename(from, $0) } }
    if result != 0 { throw Errno(rawValue: errno) }
}

func synchronize(_ file: FileDescriptor) throws {
    if Glibc.fsync(file.rawValue) != 0 { throw Errno(rawValue: errno) }
}
