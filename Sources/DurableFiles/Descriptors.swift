internal import Glibc

/// How many more files this process may have open.
public enum Descriptors {
    /// Whether swift-subprocess can start another program: that takes about a dozen for a moment, and it ends this whole process when it gets
    /// only some of them.
    ///
    /// - Returns: errno(3) when it cannot.
    public static func shortageForProgram() -> Int32? {
        var taken: [Int32] = []
        defer { for descriptor in taken { close(descriptor) } }
        for _ in 0..<16 {
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return errno }
            taken.append(descriptor)
        }
        return nil
    }
}
