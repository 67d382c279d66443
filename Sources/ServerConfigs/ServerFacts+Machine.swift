import DurableFiles

extension ServerFacts {
    /// Whether this machine has any IPv6 address, loopback's included (proc(5): net/if_inet6).
    ///
    /// By way of /proc/self: with `ProcSubset=pid`, as in our unit, /proc has no other way to it.
    public static func machineHasIPv6() -> Bool {
        (try? File.own("/proc/self/net/if_inet6")).map { !$0.isEmpty } ?? false
    }
}
