import CertificateStore

/// What somebody wishes about the certificate, by the control socket.
enum CertificateWish: Sendable {
    /// A new one, now.
    case renew
    /// That the present one be declared void, after it has been replaced; `isForced`: even when it cannot be.
    case revoke(reason: RevocationReason, isForced: Bool)
}
