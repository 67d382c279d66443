import Glibc

/// A small nginx in a folder of its own: HTTP and HTTPS, and a Unix socket on demand; `/health` is 200, `/worker` tells who answers, everything else is 404.
public struct Nginx: Sendable {
    /// The program.
    public static let executable = "/usr/sbin/nginx"
    /// Its HTTP port on 127.0.0.1.
    public let http: Int
    /// Its HTTPS port on 127.0.0.1.
    public let https: Int
    /// Its Unix socket. A killed nginx leaves it behind, and cannot start again before it is removed.
    public let socket: String
    /// What it is started with.
    public let arguments: [String]

    /// Writes the configuration.
    public init(in scratch: Scratch, name: String = "chat.example.org", listensOnSocket: Bool = false, workers: Int = 2) async throws {
        (http, https) = (try freePort(), try freePort())
        socket = "\(scratch.path)/http.sock"
        let files = try await scratch.certificate(for: name)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(scratch.path)/\($0);" }.joined()
        let configuration = try scratch.write(
            "nginx.conf",
            """
            daemon off;
            pid \(scratch.path)/nginx.pid;
            error_log stderr crit;
            worker_processes \(workers);
            \(geteuid() == 0 ? "user root;" : "")
            events { worker_connections 64; }
            http {
                \(temporary)
                access_log off;
                server {
                    listen 127.0.0.1:\(http);
                    listen 127.0.0.1:\(https) ssl http2;
                    \(listensOnSocket ? "listen unix:\(socket);" : "")
                    ssl_certificate \(files.certificate);
                    ssl_certificate_key \(files.key);
                    location = /health { return 200 "ok"; }
                    location = /worker { return 200 "$pid"; }
                    location / { return 404; }
                }
            }
            """)
        arguments = ["-p", scratch.path, "-c", configuration, "-e", "stderr"]
    }
}
