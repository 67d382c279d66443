/// How many characters have to be inserted, deleted, replaced or swapped with their neighbour to make one text of another
/// (Damerau-Levenshtein, each place edited once).
func editDistance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first.utf8), Array(second.utf8))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var distance = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, beforeLast[j - 1] + 1) }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}

extension Settings.Option {
    /// The name that somebody probably meant; nil when none is near.
    public static func nearestName(to name: String) -> String? {
        let name = String(name.prefix(100)).uppercased()
        // Half of a person's typing mistakes are a forgotten or doubled word before the rest: the ends are compared too.
        let candidates = all.map { option in
            (name: option.name, distance: min(editDistance(name, option.name), endDistance(name, option.name)))
        }
        if let nearest = candidates.min(by: { $0.distance < $1.distance }), nearest.distance <= max(2, name.utf8.count / 5) {
            return nearest.name
        }
        // The beginning of one name, and of one only.
        let longer = all.filter { $0.name.hasPrefix(name + "_") }
        return longer.count == 1 ? longer.first?.name : nil
    }

    /// Two, when one name is the other's end behind an underscore: `RETENTION_DAYS`, `SNIKKET_TWEAK_SITE_NAME`.
    private static func endDistance(_ name: String, _ other: String) -> Int {
        func end(_ name: String) -> Substring {
            for prefix in ["SNIKKET_TWEAK_", "SNIKKET_"] where name.hasPrefix(prefix) { return name.dropFirst(prefix.count) }
            return name[...]
        }
        return end(name) == end(other) ? 1 : Int.max
    }
}
