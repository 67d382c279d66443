import ChatServer
import FoundationEssentials
import Health
import Testing

@testable import Appliance

@Suite("metrics as text")
struct MetricsTests {
    private func text(_ form: MetricsText.Form = .openMetrics, _ families: MetricFamily...) -> String {
        String(decoding: MetricsText(form, families).bytes, as: UTF8.self)
    }

    @Test("a family has its type, its unit, its help, and its samples")
    func family() {
        var family = MetricFamily("made_bytes", .counter, unit: "bytes", "What was made.")
        family.add(3, ("by", "a"))
        family.add(0.5, ("by", "b"))
        #expect(
            text(.openMetrics, family) == """
                # TYPE made_bytes counter
                # UNIT made_bytes bytes
                # HELP made_bytes What was made.
                made_bytes_total{by="a"} 3
                made_bytes_total{by="b"} 0.5
                # EOF

                """)
        #expect(
            text(.plain, family) == """
                # HELP made_bytes_total What was made.
                # TYPE made_bytes_total counter
                made_bytes_total{by="a"} 3
                made_bytes_total{by="b"} 0.5

                """)
    }

    @Test("whatever names and values come, nothing gets out of its place")
    func escaping() {
        let nasty = MetricFamily(
            "1 bad/na\nme{}", .gauge, unit: "x y", "say \"\\\n# EOF\r",
            samples: [
                .init(labels: [(name: "a\"b", value: "\"} 1\n# EOF\\")], value: .nan), .init(labels: [(name: "", value: "x")], value: .infinity),
            ])
        #expect(
            text(.openMetrics, nasty) == """
                # TYPE _1_bad__na_me__ gauge
                # HELP _1_bad__na_me__ say \\"\\\\\\n# EOF\u{20}
                _1_bad__na_me__{a_b="\\"} 1\\n# EOF\\\\"} NaN
                _1_bad__na_me__ +Inf
                # EOF

                """)
    }

    @Test("of two with the same name the first is written, of two samples with the same labels too, and none that its kind does not have")
    func clashes() {
        let first = MetricFamily("a", .counter, "1", value: 1)
        let clash = MetricFamily("a_total", .gauge, "2", value: 2)
        let same = MetricFamily("a", .gauge, "3", value: 3)
        var twice = MetricFamily("b", .gauge, "4", samples: [.init(suffix: "_bucket", labels: [], value: 1)])
        twice.add(4, ("l", "x"))
        twice.add(5, ("l", "x"))
        let backwards = MetricFamily("c", .counter, "5", value: -1)
        let written = text(.openMetrics, first, clash, same, twice, backwards)
        #expect(written.split(separator: "\n").filter { !$0.hasPrefix("#") } == ["a_total 1", "b{l=\"x\"} 4"])
        #expect(!written.contains("TYPE c"))
    }

    @Test("a long label is cut, and what would make the whole too long is left out")
    func bounds() {
        var long = MetricFamily("long", .gauge, "")
        long.add(1, ("l", String(repeating: "\u{e9}", count: 10_000)))
        #expect(text(.openMetrics, long).count < 400)
        var many = MetricFamily("many", .gauge, "")
        for number in 0..<60_000 { many.add(1, ("l", String(number))) }
        #expect(text(.openMetrics, many, long).hasPrefix("# TYPE long"))
    }

    @Test(
        "the older form is for who asks for it and not for the newer",
        arguments: [
            (nil, MetricsText.Form.openMetrics), ("*/*", .openMetrics), ("text/plain", .plain), ("text/plain; version=0.0.4, */*;q=0.1", .plain),
            ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", .openMetrics),
        ] as [(String?, MetricsText.Form)])
    func accepting(field: String?, form: MetricsText.Form) {
        #expect(MetricsText.Form(accepting: field) == form)
    }

    @Test("Prosody's histograms come with their buckets in order, one after the other")
    func histograms() throws {
        let said = """
            {"name":"prosody_mod_x/wait","kind":"histogram","help":"h","labels":["host"],"samples":[
            {"value":3,"labels":["a"],"suffix":"_bucket","le":"+Inf"},{"value":1,"labels":["b"],"suffix":"_count"},
            {"value":1,"labels":["a"],"suffix":"_bucket","le":"0.1"},{"value":2.5,"labels":["a"],"suffix":"_sum"},
            {"value":2,"labels":["a"],"suffix":"_bucket","le":"10"},{"value":3,"labels":["a"],"suffix":"_count"}]}
            """
        let family = try #require(MetricFamily(try JSONDecoder().decode(ChatStatistics.self, from: Data(said.utf8))))
        #expect(
            text(.openMetrics, family).split(separator: "\n").filter { !$0.hasPrefix("#") } == [
                #"prosody_mod_x__wait_bucket{host="a",le="0.1"} 1"#, #"prosody_mod_x__wait_bucket{host="a",le="10.0"} 2"#,
                #"prosody_mod_x__wait_bucket{host="a",le="+Inf"} 3"#, #"prosody_mod_x__wait_count{host="a"} 3"#,
                #"prosody_mod_x__wait_sum{host="a"} 2.5"#, #"prosody_mod_x__wait_count{host="b"} 1"#,
            ])
        #expect(MetricFamily(ChatStatistics(name: "a", kind: "spline", samples: [])) == nil)
        #expect(MetricFamily(ChatStatistics(name: "prosody_mod_y__summary_seconds", kind: "gauge", samples: [])) == nil)
    }

    @Test("everything in the report is measured")
    func report() {
        let probes = ProbeRecords()
        probes.note("prosody", "c2s", latency: .milliseconds(20), failure: nil)
        probes.note("prosody", "c2s", latency: .seconds(3), failure: "late")
        let metrics = Metrics(status: StatusReportTests.full, probes: probes.records, own: OwnProcess(startedAt: 5), chat: nil)
        let written = String(decoding: MetricsText(.openMetrics, metrics.families).bytes, as: UTF8.self)
        for line in [
            "snikket_healthy 1", #"snikket_phase{snikket_phase="running"} 1"#, #"snikket_problem{matter="clock"} 1"#,
            "snikket_messages_undelivered 1",
            #"snikket_service_state{service="nginx",snikket_service_state="ready"} 1"#,
            #"snikket_service_state{service="nginx",snikket_service_state="backing-off"} 0"#, #"snikket_service_restarts_total{service="nginx"} 2"#,
            #"snikket_service_memory_bytes{service="nginx"} 1000000"#, "snikket_disk_free_bytes 1", "snikket_disk_size_bytes 2",
            "snikket_certificate_not_after_timestamp_seconds 1777691045", "snikket_certificate_attempts_failed 1",
            #"snikket_certificate_served{port="turn_tls"} 0"#, #"snikket_certificate_served{port="xmpp_client"} 1"#,
            #"snikket_probe_success{service="prosody",probe="c2s"} 0"#, #"snikket_probe_latency_seconds{service="prosody",probe="c2s"} 3"#,
            #"snikket_probe_checks_total{service="prosody",probe="c2s"} 2"#, #"snikket_probe_failures_total{service="prosody",probe="c2s"} 1"#,
            "snikket_chat_statistics_available 0", "process_start_time_seconds 5",
        ] { #expect(written.contains(line + "\n"), "\(line)") }
    }

    @Test("this process's own numbers are the kernel's")
    func ownProcess() throws {
        let own = OwnProcess(startedAt: 0)
        #expect(try #require(own.residentBytes) > 1 << 20)
        #expect(try #require(own.cpuSeconds) > 0)
        #expect(try #require(own.openFiles) >= 3)
    }
}
