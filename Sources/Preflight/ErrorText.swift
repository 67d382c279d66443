internal import Glibc

/// What strerror(3) says, in lower case.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
