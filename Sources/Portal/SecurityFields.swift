import HTTPTypes
import Hummingbird

/// Header fields that every response has.
struct SecurityFields<Context: RequestContext>: RouterMiddleware {
    /// Nothing from elsewhere, nothing inline. `default-src` does not cover the last three.
    private static var policy: String {
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }
    private let fields = [
        ("Content-Security-Policy", Self.policy),
        ("X-Content-Type-Options", "nosniff"),
        // The token is in the address: no other site may learn it.
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for (name, value) in fields { response.headers[name] = value }
        return response
    }
}
