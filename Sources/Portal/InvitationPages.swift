import ChatServer
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore

extension PortalRoutes {
    /// `GET /invite/TOKEN/`: also for apps and web clients, which find the `xmpp:` link in a header field.
    func showInvitation(_ token: String, _ request: Request) async throws -> Response {
        guard request.uri.path.hasSuffix("/") else {
            return Response(status: .permanentRedirect, headers: [.location: "/invite/\(percentEncoded(token))/", .cacheControl: "no-store"])
        }
        let invitation = try await usableInvitation(token, request)
        var response = Response(page: try pages.invitation(invitation, now: time(nil)))
        if let link = HTTPField.Name("Link") { response.headers[link] = "<\(invitation.uri)>; rel=\"alternate\"" }
        response.headers[.accessControlAllowOrigin] = "*"
        response.headers[.accessControlExposeHeaders] = "Link"
        return response
    }

    /// `GET /invite/TOKEN/register`
    func showRegistration(_ token: String, _ request: Request) async throws -> Response {
        let invitation = try await usableInvitation(token, request)
        let cookie = FormCookie(request) ?? FormCookie()
        let form = RegistrationForm(formToken: cookie.value)
        return try answer(invitation, form, RegistrationProblems(), cookie, status: .ok)
    }

    /// `POST /invite/TOKEN/register`
    func register(_ token: String, _ request: Request) async throws -> Response {
        guard request.isFromOurOwnPages else { throw PageFault.refused }
        guard limits.registrations.allows(request.clientAddress) else { throw PageFault.tooFast }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: RegistrationForm.limit)
        } catch is NIOTooManyBytesError {
            throw PageFault.tooLarge
        }
        guard var form = RegistrationForm(body: body.readableBytesView, domain: configuration.domain) else { throw PageFault.refused }
        let invitation = try await usableInvitation(token, request)
        guard let cookie = FormCookie(request), cookie.matches(form.formToken) else {
            // A form that another site sent, or one whose cookie is gone: shown again with a new token, nothing done.
            let cookie = FormCookie()
            form.formToken = cookie.value
            var problems = RegistrationProblems()
            problems.form = .registerErrorForm
            return try answer(invitation, form, problems, cookie, status: .forbidden)
        }
        let problems = form.problems
        guard problems.isEmpty else { return try answer(invitation, form, problems, cookie, status: .badRequest) }
        do {
            let address = try await chatServer.register(token: token, username: form.username, password: form.password)
            return welcomed(address)
        } catch ChatServerError.invitationNotFound {
            // Used by somebody else in this moment.
            throw PageFault.invitationGone
        } catch {
            guard let problems = RegistrationProblems(error) else { throw error }
            return try answer(invitation, form, problems, cookie, status: error == .usernameTaken ? .conflict : .badRequest)
        }
    }

    /// `GET /welcome`: after a registration, in the same browser.
    func welcome(_ request: Request) throws -> Response {
        guard let username = request.cookies[Self.welcomeCookie]?.value, username.utf8.count <= 1023,
            let name = decoded(username), !name.isEmpty
        else { return .redirect(to: "/") }
        return Response(page: try pages.welcome(address: "\(name)@\(configuration.domain)"))
    }

    private func answer(
        _ invitation: Invitation, _ form: RegistrationForm, _ problems: RegistrationProblems, _ cookie: FormCookie,
        status: HTTPResponse.Status
    ) throws -> Response {
        let page = try pages.registration(token: invitation.token, form: form, problems: problems)
        var response = Response(page: page, status: status)
        response.setCookie(cookie.cookie)
        return response
    }

    /// To a page of its own, so that loading it again does not send the form again. The name goes along in a cookie:
    /// in an address it would be a page that anybody could make up.
    private func welcomed(_ address: String) -> Response {
        var response = Response.redirect(to: "/welcome")
        response.headers[.cacheControl] = "no-store"
        let username = address.prefix { $0 != "@" }
        response.setCookie(
            Cookie(
                name: Self.welcomeCookie, value: percentEncoded(String(username)), maxAge: 3600, path: "/", secure: true, httpOnly: true,
                sameSite: .lax))
        return response
    }

    private static let welcomeCookie = "__Host-welcome"

    private func decoded(_ text: String) -> String? {
        RegistrationForm(body: "username=\(text)".utf8, domain: configuration.domain)?.username
    }
}
