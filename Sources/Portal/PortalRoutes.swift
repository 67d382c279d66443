import ChatServer
import Glibc
import HTTPTypes
import Hummingbird
import Logging

/// Which address shows which page.
struct PortalRoutes: Sendable {
    let configuration: PortalConfiguration
    let assets: StaticFiles
    let pages: Pages
    let chatServer: any ChatServer
    let logger: Logger
    let limits = Limits()

    /// Guessing tokens and names is slowed down; a family behind one address is not.
    struct Limits: Sendable {
        let unknownInvitations = RateLimit(burst: 30, interval: 2)
        let registrations = RateLimit(burst: 20, interval: 6)
    }

    func responder() -> some HTTPResponder<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.addMiddleware {
            SecurityFields()
            ErrorPages(pages: pages, logger: logger)
        }
        router.get("/") { _, _ in try Response(page: pages.home()) }
        router.get("/_health") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain", .cacheControl: "no-store"], body: .init(byteBuffer: .init(string: "STATUS OK\n")))
        }
        router.get("/.well-known/security.txt") { _, _ in
            guard let email = configuration.securityEmail else { throw PageFault.missing }
            return Response(securityContact: email, now: time(nil))
        }
        router.get("/static/:file") { request, context in
            guard let response = assets.response(to: request, name: try context.parameters.require("file")) else { throw PageFault.missing }
            return response
        }
        router.get("/invite/:token") { request, context in
            try await showInvitation(try context.parameters.require("token"), request)
        }
        router.get("/invite/:token/register") { request, context in
            try await showRegistration(try context.parameters.require("token"), request)
        }
        router.post("/invite/:token/register") { request, context in
            try await register(try context.parameters.require("token"), request)
        }
        router.get("/welcome") { request, _ in try welcome(request) }
        return router.buildResponder()
    }

    /// The invitation, if it can be used. Asking for many that cannot is slowed down.
    func usableInvitation(_ token: String, _ request: Request) async throws -> Invitation {
        guard let invitation = try await chatServer.invitation(token: token) else {
            guard limits.unknownInvitations.allows(request.clientAddress) else { throw PageFault.tooFast }
            throw PageFault.invitationGone
        }
        return invitation
    }
}

/// What ends a request with a page of its own instead of the one asked for.
enum PageFault: Error {
    case missing
    case invitationGone
    case tooFast
    case tooLarge
    case refused
}

extension Response {
    /// A page that no cache keeps: nearly each has a token in its address or a name in it.
    init(page: String, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
    }
}

extension Request {
    /// Whoever asks, as nginx tells: the last address of X-Forwarded-For, which a client cannot choose. An IPv6 client by its
    /// /64, all of which is usually one household's.
    var clientAddress: String {
        let name = HTTPField.Name("X-Forwarded-For")
        let given = name.flatMap { headers[$0] }?.split(separator: ",").last.map { $0.drop { $0 == " " } } ?? ""
        guard given.contains(":") else { return String(given.prefix(64)) }
        return given.split(separator: ":", omittingEmptySubsequences: false).prefix(4).joined(separator: ":")
    }
}
