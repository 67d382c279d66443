internal import Glibc

/// Answers http-01 (RFC 8555 §8.3) with files that a web server serves.
public struct Webroot: ChallengeSolver {
    /// Where the files go.
    public let folder: String
    public var type: String { "http-01" }

    /// - Parameter root: the web root; or the folder that is served as `/.well-known/acme-challenge/` itself, when its
    ///   name is `acme-challenge`.
    public init(_ root: String) {
        var root = root
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        folder = root.hasSuffix("/acme-challenge") || root == "acme-challenge" ? root : root + "/.well-known/acme-challenge"
    }

    /// Makes the folder when it is missing, and sees whether it can be written to: before the CA is troubled.
    public func prepare() throws(ChallengeError) {
        var path = folder.hasPrefix("/") ? "/" : ""
        for part in folder.split(separator: "/") {
            path += path.isEmpty || path.hasSuffix("/") ? String(part) : "/" + part
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .webroot(path: path, errno: errno) }
        }
        guard access(folder, W_OK | X_OK) == 0 else { throw .webroot(path: folder, errno: errno) }
    }

    public func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        try prepare()
        let path = folder + "/" + answer.token
        let staged = folder + "/." + answer.token
        let descriptor = open(staged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .webroot(path: staged, errno: errno) }
        defer { close(descriptor) }
        let bytes = Array(answer.keyAuthorization.utf8)
        // The web server is another user, whatever our umask says.
        guard fchmod(descriptor, 0o644) == 0, write(descriptor, bytes, bytes.count) == bytes.count, rename(staged, path) == 0 else {
            let reason = errno
            unlink(staged)
            throw .webroot(path: path, errno: reason)
        }
    }

    public func remove(_ answer: ChallengeAnswer) async -> Bool {
        // Also what a run left that was killed before the file had its name.
        let results = [answer.token, "." + answer.token].map { unlink(folder + "/" + $0) == 0 || errno == ENOENT }
        return !results.contains(false)
    }
}
