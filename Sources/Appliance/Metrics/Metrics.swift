import ChatServer
import Health

/// Everything that there is to measure, as metric families. docs/monitoring.md says what each means.
struct Metrics {
    var status: StatusReport
    var probes: [ProbeRecord]
    var own: OwnProcess
    /// What the chat server counts; nil when it did not tell.
    var chat: [ChatStatistics]?

    var families: [MetricFamily] {
        appliance + services + checks + certificate + process + (chat ?? []).compactMap(MetricFamily.init)
    }

    private var appliance: [MetricFamily] {
        let versions = [(name: "version", value: status.version)] + status.versions.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        var phase = MetricFamily("snikket_phase", .stateSet, "Where snikket up is in its story.")
        phase.add(state: status.phase.rawValue, of: StatusReport.Phase.allCases.map(\.rawValue))
        var problems = MetricFamily("snikket_problem", .gauge, "What is wrong with the machine or the appliance as a whole, as long as it is.")
        for problem in status.problems { problems.add(1, ("matter", problem.matter)) }
        return [
            MetricFamily("snikket_build", .info, "Versions.", samples: [.init(labels: versions, value: 1)]),
            MetricFamily("snikket_healthy", .gauge, "Whether every server serves and the certificate is good.", value: status.healthy.metric),
            phase, problems,
            MetricFamily(
                "snikket_settings_changed", .gauge, "Whether the settings' file has changed and was not taken over.",
                value: status.settingsChanged.metric),
            MetricFamily(
                "snikket_messages_undelivered", .gauge, "Messages to the administrators that could not be delivered yet.",
                value: Double(status.telling.undelivered)),
            MetricFamily(
                "snikket_disk_free_bytes", .gauge, unit: "bytes", "Room that is left for messages and files.",
                value: status.disk.map { Double($0.freeBytes) }),
            MetricFamily(
                "snikket_disk_size_bytes", .gauge, unit: "bytes", "The size of the file system that holds messages and files.",
                value: status.disk.map { Double($0.totalBytes) }),
            MetricFamily(
                "snikket_chat_statistics_available", .gauge, "Whether the chat server told its statistics.", value: (chat != nil).metric),
        ]
    }

    private var services: [MetricFamily] {
        var up = MetricFamily("snikket_service_up", .gauge, "Whether the server serves.")
        var state = MetricFamily("snikket_service_state", .stateSet, "Where the server is in its life.")
        var restarts = MetricFamily("snikket_service_restarts", .counter, "How often the server was started again.")
        var memory = MetricFamily(
            "snikket_service_memory_bytes", .gauge, unit: "bytes", "Memory of the server's processes, shared pages counted in parts (PSS).")
        var start = MetricFamily("snikket_service_start_time_seconds", .gauge, unit: "seconds", "When the server's process was started, since 1970.")
        for service in status.services {
            let label = (name: "service", value: service.name)
            up.add((service.state == "ready").metric, label)
            state.add(state: service.state, of: StatusReport.ServiceReport.states, label)
            restarts.add(Double(service.restarts), label)
            if let bytes = service.memoryBytes { memory.add(Double(bytes), label) }
            if service.pid != nil, let since = RFC3339.seconds(service.since) { start.add(Double(since), label) }
        }
        return [up, state, restarts, memory, start]
    }

    private var checks: [MetricFamily] {
        var success = MetricFamily("snikket_probe_success", .gauge, "Whether the last answer to the probe was good.")
        var latency = MetricFamily("snikket_probe_latency_seconds", .gauge, unit: "seconds", "How long the last answer took.")
        var checks = MetricFamily("snikket_probe_checks", .counter, "How often the probe has asked.")
        var failures = MetricFamily("snikket_probe_failures", .counter, "How many answers to the probe were bad.")
        var time = MetricFamily("snikket_probe_last_check_timestamp_seconds", .gauge, unit: "seconds", "When the last answer came, since 1970.")
        for record in probes {
            let labels = ((name: "service", value: record.service), (name: "probe", value: record.probe))
            success.add((record.failure == nil).metric, labels.0, labels.1)
            latency.add(record.latency / .seconds(1), labels.0, labels.1)
            checks.add(Double(record.checks), labels.0, labels.1)
            failures.add(Double(record.failures), labels.0, labels.1)
            time.add(Double(record.checkedAt), labels.0, labels.1)
        }
        return [success, latency, checks, failures, time]
    }

    private var certificate: [MetricFamily] {
        guard let certificate = status.certificate else { return [] }
        func moment(_ name: String, _ help: String, _ text: String?) -> MetricFamily {
            MetricFamily(
                "snikket_certificate_\(name)_timestamp_seconds", .gauge, unit: "seconds", help, value: text.flatMap(RFC3339.seconds).map(Double.init))
        }
        var served = MetricFamily(
            "snikket_certificate_served", .gauge, "Whether the port serves the certificate that is in place, as of the last look.")
        for (port, serial) in certificate.served.sorted(by: { $0.key < $1.key }) { served.add((serial == certificate.serial).metric, ("port", port)) }
        return [
            moment("not_before", "From when on the certificate is good, since 1970.", certificate.notBefore),
            moment("not_after", "Until when the certificate is good, since 1970.", certificate.notAfter),
            moment("next_attempt", "When it is tried next to get a new certificate, since 1970.", certificate.nextAttempt),
            MetricFamily(
                "snikket_certificate_attempts_failed", .gauge, "Attempts to get a certificate that failed since the last that did not.",
                value: Double(certificate.failures)),
            served,
        ]
    }

    /// Under the names that every client library of Prometheus gives them.
    private var process: [MetricFamily] {
        [
            MetricFamily("process_cpu_seconds", .counter, unit: "seconds", "Time that snikket up has spent working.", value: own.cpuSeconds),
            MetricFamily("process_resident_memory_bytes", .gauge, unit: "bytes", "Memory of snikket up.", value: own.residentBytes.map(Double.init)),
            MetricFamily("process_start_time_seconds", .gauge, unit: "seconds", "When snikket up was started, since 1970.", value: own.startedAt),
            MetricFamily("process_open_fds", .gauge, "Open files of snikket up.", value: own.openFiles.map(Double.init)),
            MetricFamily("process_max_fds", .gauge, "How many files snikket up may open.", value: own.maximumFiles.map(Double.init)),
        ]
    }
}
