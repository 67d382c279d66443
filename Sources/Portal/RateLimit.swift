import Synchronization

/// How many attempts an address has: a bucket that is full at first and fills up again slowly.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }
    private let buckets = Mutex<[String: Bucket]>([:])
    private let capacity: Double
    private let perSecond: Double

    /// More addresses than this are not remembered: the fullest ones are forgotten, which does them no harm.
    private static let addressLimit = 2048

    /// - Parameters:
    ///   - burst: attempts at once.
    ///   - interval: seconds until one more is allowed.
    init(burst: Int, interval: Double) {
        capacity = Double(burst)
        perSecond = 1 / interval
    }

    /// Takes one attempt.
    ///
    /// - Returns: whether there was one left.
    func allows(_ address: String, at now: ContinuousClock.Instant = .now) -> Bool {
        buckets.withLock { buckets in
            if buckets[address] == nil, buckets.count >= Self.addressLimit { forget(&buckets, at: now) }
            var bucket = buckets[address] ?? Bucket(tokens: capacity, at: now)
            bucket.tokens = tokens(of: bucket, at: now)
            bucket.at = now
            defer { buckets[address] = bucket }
            guard bucket.tokens >= 1 else { return false }
            bucket.tokens -= 1
            return true
        }
    }

    private func tokens(of bucket: Bucket, at now: ContinuousClock.Instant) -> Double {
        let seconds = (now - bucket.at) / .seconds(1)
        return min(capacity, bucket.tokens + seconds * perSecond)
    }

    private func forget(_ buckets: inout [String: Bucket], at now: ContinuousClock.Instant) {
        let fullest = buckets.sorted { tokens(of: $0.value, at: now) > tokens(of: $1.value, at: now) }
        for (address, _) in fullest.prefix(Self.addressLimit / 4) { buckets[address] = nil }
    }
}
