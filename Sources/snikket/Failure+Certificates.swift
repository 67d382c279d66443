import CertificateStore

extension CertificateFailure: Explained {
    /// It has its three parts already.
    var explanation: Failure {
        let code: Failure.Code =
            switch kind {
            case .unreachable, .caDown, .rateLimited, .busy: .tryAgainLater
            case .configuration, .externalAccount: .configuration
            case .validation, .refused, .webroot, .listen, .badCertificate, .local: .failed
            }
        return Failure(error: error, cause: cause, tryThis: `try`, code: code)
    }
}
