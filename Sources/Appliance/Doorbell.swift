/// Where somebody who sleeps can be woken with a wish.
actor Doorbell<Wish: Sendable> {
    private var pending: Wish?
    private var nap: Task<Void, Never>?

    /// Leaves a wish and wakes whoever waits; a second one before that replaces the first.
    func ring(_ wish: Wish) {
        pending = wish
        nap?.cancel()
    }

    /// Wakes whoever waits, without a wish.
    func wake() { nap?.cancel() }

    /// Waits for a wish; nil when there is none after this time.
    func wait(atMost time: Duration) async throws(CancellationError) -> Wish? {
        if pending == nil {
            // Cancelled by ring(), which leaves the one who waits alone; and always waited for.
            let nap: Task<Void, Never> = Task { try? await Task.sleep(for: time) }
            self.nap = nap
            await withTaskCancellationHandler {
                await nap.value
            } onCancel: {
                nap.cancel()
            }
            self.nap = nil
        }
        if Task.isCancelled { throw CancellationError() }
        defer { pending = nil }
        return pending
    }
}
