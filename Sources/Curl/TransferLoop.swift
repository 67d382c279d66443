internal import ACME
internal import CCurl

/// Drives all transfers on one thread.
final class TransferLoop: Sendable {
    private let multi: MultiHandle
    private let queue: TransferQueue

    init(multi: consuming MultiHandle, queue: TransferQueue) {
        self.multi = multi
        self.queue = queue
        snikket_curl_multi_set_long(self.multi.pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        // A CA that only speaks HTTP/1.1 gets a few connections and no more.
        snikket_curl_multi_set_long(self.multi.pointer, CURLMOPT_MAX_HOST_CONNECTIONS, 4)
    }

    /// Runs until the queue is stopped.
    func run() {
        var transfers: [UnsafeMutableRawPointer: Transfer] = [:]
        while true {
            let (pending, cancelled, isStopped) = queue.take()
            if isStopped { break }
            for job in pending {
                if cancelled.contains(job.number) {
                    job.continuation.resume(returning: .failure(.cancelled))
                } else if let transfer = begin(job) {
                    transfers[transfer.easy.pointer] = transfer
                }
            }
            if !cancelled.isEmpty {
                for (handle, transfer) in transfers where cancelled.contains(transfer.pending.number) {
                    curl_multi_remove_handle(multi.pointer, handle)
                    transfers[handle] = nil
                    transfer.cancel()
                }
            }
            var running: Int32 = 0
            curl_multi_perform(multi.pointer, &running)
            finishDone(&transfers)
            // Woken by a new job; the long time is only a bound.
            curl_multi_poll(multi.pointer, nil, 0, 60_000, nil)
        }
        queue.detach()
        for (handle, transfer) in transfers {
            curl_multi_remove_handle(multi.pointer, handle)
            transfer.cancel()
        }
    }

    private func begin(_ job: PendingTransfer) -> Transfer? {
        guard let transfer = Transfer(job) else {
            job.continuation.resume(returning: .failure(TransportError(kind: .setup, code: 0, text: "curl_easy_init failed")))
            return nil
        }
        let code = transfer.configure()
        guard code == CURLE_OK, curl_multi_add_handle(multi.pointer, transfer.easy.pointer) == CURLM_OK else {
            transfer.finish(code == CURLE_OK ? CURLE_FAILED_INIT : code)
            return nil
        }
        return transfer
    }

    private func finishDone(_ transfers: inout [UnsafeMutableRawPointer: Transfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi.pointer, &left) {
            var handle: UnsafeMutableRawPointer?
            var code = CURLE_OK
            guard snikket_curl_message(message, &handle, &code) == 1, let handle else { continue }
            curl_multi_remove_handle(multi.pointer, handle)
            transfers.removeValue(forKey: handle)?.finish(code)
        }
    }
}
