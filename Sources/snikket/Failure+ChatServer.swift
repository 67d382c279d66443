import ChatServer
import Portal
import QRCode
import SystemPackage

extension ChatServerError: Explained {
    var explanation: Failure { Failure(self) }
}

extension PortalError: Explained {
    var explanation: Failure { Failure(self) }
}

extension QRCodeError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Why the chat server did not do what was asked.
    init(_ error: ChatServerError) {
        switch error {
        case .unreachable(let detail):
            self.init(
                error: "the chat server does not answer", cause: "it is starting, or it has stopped (\(detail))",
                tryThis: "run `snikket status`, and this command again when it is healthy", code: .tryAgainLater)
        case .unauthorized:
            self.init(
                error: "the chat server refused this program", cause: "it was started with another secret than the state directory has now",
                tryThis: "restart snikket")
        case .invitationNotFound:
            self.init(
                error: "there is no such invitation", cause: "it never existed, has been used, or has expired",
                tryThis: "run `snikket invite list`")
        case .usernameTaken:
            self.init(error: "somebody has that name already", cause: "a name is given once", tryThis: "choose another one")
        case .invalid(let field, let rule):
            self.init(
                error: "the chat server does not accept this \(field)", cause: "its rule is called \(rule)", tryThis: "choose another \(field)",
                code: .usage)
        case .unexpected(let status, let detail):
            self.init(
                error: "the chat server could not do it", cause: "it answered \(status) \(detail)",
                tryThis: "run `snikket logs prosody` to see why")
        }
    }

    /// Why the portal could not start.
    init(_ error: PortalError) {
        switch error {
        case .unreadable(let path):
            self.init(error: "the portal cannot read \(path)", cause: "it belongs to snikket's own files", tryThis: "reinstall snikket")
        case .malformedTexts(let path):
            self.init(
                error: "the texts in \(path) are malformed", cause: "it has to be one JSON object of texts, with a language",
                tryThis: "reinstall snikket")
        case .missingText(let key):
            self.init(error: "a text of the portal is missing", cause: "the catalogue has no \"\(key)\"", tryThis: "reinstall snikket")
        case .template(let error):
            self.init(error: "a page of the portal is wrong", cause: "\(error)", tryThis: "reinstall snikket")
        case .socket(let path, let errno):
            self.init(
                error: "the portal cannot listen on \(path)", cause: "\(Errno(rawValue: errno))",
                tryThis: "restart snikket, which makes the folder anew")
        }
    }

    /// Why there is no QR code.
    init(_ error: QRCodeError) {
        switch error {
        case .unsuitable(let bytes):
            self.init(error: "the link does not fit in a QR code", cause: "it has \(bytes) bytes", tryThis: "leave out --qr")
        }
    }
}
