internal import COpenSSL

/// What OpenSSL refused to do, with everything that its error queue held.
public struct OpenSSLError: Error, Sendable, Equatable {
    /// The function that failed, or what was attempted.
    public var operation: String
    /// The reasons, the innermost first, as OpenSSL words them.
    public var reasons: [String]

    /// Drains this thread's error queue: what is left in it would be blamed on the next call.
    init(_ operation: String) {
        self.operation = operation
        reasons = []
        while case let code = ERR_get_error(), code != 0 {
            if let text = ERR_reason_error_string(code) {
                reasons.append(String(cString: text))
            } else {
                var buffer = [CChar](repeating: 0, count: 256)
                ERR_error_string_n(code, &buffer, buffer.count)
                reasons.append(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
        }
    }
}

/// The pointer, or what the queue says about why there is none.
func some<Pointer>(_ pointer: Pointer?, _ operation: String) throws(OpenSSLError) -> Pointer {
    guard let pointer else { throw OpenSSLError(operation) }
    return pointer
}

/// Most of OpenSSL answers 1 for success.
func succeed(_ result: Int32, _ operation: String) throws(OpenSSLError) {
    guard result == 1 else { throw OpenSSLError(operation) }
}
