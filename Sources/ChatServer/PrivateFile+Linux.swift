import Glibc
import SystemPackage

// Calls that swift-system does not have.

private func check(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: errno) }
}

func remove(_ path: FilePath) throws(Errno) {
    try check(path.withPlatformString { Glibc.unlink($0) })
}

func rename(_ path: FilePath, to target: FilePath) throws(Errno) {
    try check(path.withPlatformString { from in target.withPlatformString { Glibc.rename(from, $0) } })
}

func synchronize(_ file: FileDescriptor) throws(Errno) {
    try check(Glibc.fsync(file.rawValue))
}
