import CertificateStore
import Glibc
import Testing

@Suite("Files of the person's own")
struct PersonalFileTests {
    @Test(
        "one in a home directory is to be kept elsewhere, another's is to be given to whoever reads it, a missing one to be looked for",
        arguments: [
            ("/home/alice/key.pem", EACCES, "/etc/snikket"), ("/root/key.pem", EACCES, "home directories"),
            ("/var/lib/caddy/key.pem", EACCES, geteuid() == 0 ? "chown root" : "this program's user"),
            ("/home/alice/key.pem", ENOENT, "check the path"),
            ("/etc/homes/key.pem", ENOENT, "check the path"),
        ])
    func advice(path: String, errno: Int32, words: String) {
        #expect(PersonalFile.advice(on: path, errno: errno).contains(words))
    }
}
