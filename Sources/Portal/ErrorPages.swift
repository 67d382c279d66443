import ChatServer
import HTTPTypes
import Hummingbird
import Logging

/// Turns whatever ended a request into a page. Faults of ours are logged, without the address: it may hold a token.
struct ErrorPages<Context: RequestContext>: RouterMiddleware {
    let pages: Pages
    let logger: Logger

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return try page(for: error, request, context)
        }
    }

    private func page(for error: any Error, _ request: Request, _ context: Context) throws -> Response {
        switch error {
        case PageFault.missing:
            return try page(.notFound, pages.message(.missingTitle, .missingLead))
        case PageFault.invitationGone:
            return try page(.notFound, pages.message(.goneTitle, .goneLead, help: .goneHelp))
        case PageFault.tooFast:
            var response = try page(.tooManyRequests, pages.message(.limitedTitle, .limitedLead))
            response.headers[.retryAfter] = "60"
            return response
        case PageFault.tooLarge:
            return try page(.contentTooLarge, pages.message(.refusedTitle, .refusedLead))
        case PageFault.refused:
            return try page(.badRequest, pages.message(.refusedTitle, .refusedLead))
        case ChatServerError.unreachable(let detail):
            logger.warning("the chat server does not answer", metadata: ["detail": "\(detail)"])
            var response = try page(
                .serviceUnavailable, pages.message(.startingTitle, .startingLead, retry: request.method == .get ? request.uri.path : nil))
            response.headers[.retryAfter] = "10"
            return response
        case let error as any HTTPResponseError where error.status.kind == .clientError:
            let missing = error.status == .notFound
            return try page(error.status, pages.message(missing ? .missingTitle : .refusedTitle, missing ? .missingLead : .refusedLead))
        default:
            logger.error("a page failed", metadata: ["error": "\(error)", "route": "\(context.endpointPath ?? "")"])
            return try page(.internalServerError, pages.message(.failedTitle, .failedLead))
        }
    }

    private func page(_ status: HTTPResponse.Status, _ content: String) throws -> Response {
        Response(page: content, status: status)
    }
}
