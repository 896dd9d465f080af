//! Every way to tamper with a log is found and named.

use jiff::Timestamp;

use super::{
    super::{Event, Signer},
    *,
};

/// Two segments: a first line, three calls and a checkpoint each, so a call is 2 to 4 or 7 to 9, a checkpoint 5 or 10.
struct Log {
    signer: Signer,
    segments: Vec<Vec<Vec<u8>>>,
}

fn call(n: u64) -> String {
    format!(r#"{{"kind":"call","tool":"users.Users.Get","n":{n},"allowed":true}}"#)
}

fn write(signer: &Signer, head: &mut Head, calls: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    let (mut out, previous) = (Vec::new(), head.hash);
    let time = Timestamp::UNIX_EPOCH;
    let event = |event| serde_json::to_vec(&event).unwrap();
    head.seal(&event(Event::Segment { timestamp: time, log: "log", previous }), &mut out);
    for n in calls {
        head.seal(call(n).as_bytes(), &mut out);
    }
    let checkpoint = Checkpoint::sign(signer, "log", *head, time);
    head.seal(&event(Event::Checkpoint(&checkpoint)), &mut out);
    out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

impl Log {
    fn new() -> Self {
        let (signer, mut head) = (Signer::generate().0, Head::default());
        let segments = [0..3, 3..6].map(|calls| write(&signer, &mut head, calls)).into();
        Self { signer, segments }
    }

    /// The line of a number.
    fn seq(&mut self, seq: usize) -> &mut Vec<u8> {
        &mut self.segments[(seq - 1) / 5][(seq - 1) % 5]
    }

    fn report(&self, kept: Option<&[u8]>, expect: Option<Head>) -> Report {
        let mut verifier = Verifier::new(Some(self.signer.public()), kept.map_or(Kept::Nothing, Kept::Checkpoint));
        expect.into_iter().for_each(|head| verifier.expect(head));
        for (n, segment) in self.segments.iter().enumerate() {
            verifier.segment(&format!("{}", n + 1));
            segment.iter().for_each(|line| verifier.line(line));
        }
        verifier.end()
    }

    /// Gives every line from this number on a new number and a new hash, as one would who has no key.
    fn rehash_from(&mut self, seq: usize) {
        let (mut head, mut n) = (Head::default(), 0);
        for line in self.segments.iter_mut().flatten() {
            n += 1;
            if n < seq {
                head = Line::parse(line).unwrap().head();
                continue;
            }
            let text = String::from_utf8(line.clone()).unwrap();
            let (from, to) = (text.find(',').unwrap() + 1, text.rfind(",\"hash\"").unwrap());
            let mut out = Vec::new();
            head.seal(format!("{{{}}}", &text[from..to]).as_bytes(), &mut out);
            out.pop();
            *line = out;
        }
    }
}

fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(line.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

/// Tampers with a good log; the findings are `segment:line fault`.
#[track_caller]
fn check(tamper: impl FnOnce(&mut Log), expect: &[&str]) {
    let mut log = Log::new();
    let kept = log.seq(10).clone();
    tamper(&mut log);
    let report = log.report(Some(&kept), None);
    let found: Vec<_> = report
        .found
        .iter()
        .map(|found| {
            let json = serde_json::to_value(found).unwrap();
            let numbers = ["seq", "from", "through"].iter().filter_map(|name| json[*name].as_u64());
            let numbers: String = numbers.map(|number| format!(" {number}")).collect();
            format!("{}:{} {}{numbers}", found.segment, found.line, json["fault"].as_str().unwrap())
        })
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn a_log_that_nobody_touched_is_good() {
    let mut log = Log::new();
    let (kept, noted) = (log.seq(10).clone(), Line::parse(log.seq(7)).unwrap().head());
    let report = log.report(Some(&kept), Some(noted));
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.lines, report.calls, report.signed, report.segments), (10, 6, 9, 2));
    assert_eq!(report.hash, Line::parse(&kept).unwrap().hash);
}

#[test]
fn an_edited_line_is_named() {
    for seq in [2, 3, 4, 7] {
        let place = if seq < 6 { format!("1:{seq}") } else { format!("2:{}", seq - 5) };
        let edit = |log: &mut Log| *log.seq(seq) = replaced(log.seq(seq), "true", "fals");
        check(edit, &[&format!("{place} changed {seq}")]);
    }
    check(|log| *log.seq(1) = replaced(log.seq(1), "log", "gol"), &["1:1 changed 1"]);
    // The checkpoint's own bytes: neither its hash nor its signature is right any more.
    check(|log| *log.seq(5) = replaced(log.seq(5), "1970", "1971"), &["1:5 changed 5", "1:5 forged 1 4"]);
}

#[test]
fn a_line_that_is_none_any_more_is_named() {
    check(|log| log.seq(3).truncate(20), &["1:3 unreadable"]);
    check(|log| *log.seq(3) = b"\xff\xfe".to_vec(), &["1:3 unreadable"]);
    check(|log| log.segments[0].insert(2, b"{}".to_vec()), &["1:3 unreadable"]);
}

#[test]
fn deleted_lines_are_named() {
    check(|log| drop(log.segments[0].remove(2)), &["1:3 missing 3 3"]);
    check(|log| drop(log.segments[0].drain(1..4)), &["1:2 missing 2 4"]);
    check(|log| drop(log.segments[0].remove(0)), &["1:1 missing 1 1"]);
    check(|log| drop(log.segments[0].remove(4)), &["2:1 missing 5 5"]);
    check(|log| drop(log.segments.remove(0)), &["1:1 missing 1 5"]);
}

#[test]
fn lines_in_another_order_are_named() {
    check(|log| log.segments[0].swap(1, 2), &["1:3 out_of_order 2"]);
    check(
        |log| log.segments.swap(0, 1),
        &["2:1 out_of_order 1", "2:2 out_of_order 2", "2:3 out_of_order 3", "2:4 out_of_order 4", "2:5 out_of_order 5"],
    );
    let moved = |log: &mut Log| {
        let line = log.segments[0].remove(1);
        log.segments[1].push(line);
    };
    check(moved, &["2:6 out_of_order 2"]);
}

#[test]
fn a_line_that_stands_twice_is_named() {
    let twice = |log: &mut Log| {
        let line = log.seq(3).clone();
        log.segments[0].insert(3, line);
    };
    check(twice, &["1:4 repeated 3"]);
    check(
        |log| log.segments[1] = log.segments[0].clone(),
        &["2:1 repeated 1", "2:2 repeated 2", "2:3 repeated 3", "2:4 repeated 4", "2:5 repeated 5", "2:5 cut 6 10"],
    );
}

#[test]
fn a_log_cut_short_is_named() {
    check(|log| drop(log.segments[1].pop()), &["2:4 cut 10 10"]);
    check(|log| drop(log.segments.pop()), &["1:5 cut 6 10"]);
    check(|log| log.segments.clear(), &[":0 cut 1 10"]);
}

#[test]
fn what_was_written_anew_without_the_key_is_named() {
    let edit = |seq: usize| {
        move |log: &mut Log| {
            *log.seq(seq) = replaced(log.seq(seq), "Get", "Put");
            log.rehash_from(seq);
        }
    };
    check(edit(2), &["1:5 forged 1 9", "2:5 rewritten 10"]);
    check(edit(7), &["2:5 forged 5 9", "2:5 rewritten 10"]);
    let drop_one = |log: &mut Log| {
        log.segments[0].remove(2);
        log.rehash_from(3);
    };
    check(drop_one, &["1:4 forged 1 8", "2:5 cut 10 10"]);
    let insert = |log: &mut Log| {
        let line = log.seq(3).clone();
        log.segments[0].insert(3, line);
        log.rehash_from(4);
    };
    check(insert, &["1:6 forged 1 10", "2:4 rewritten 10"]);
}

#[test]
fn a_line_that_was_changed_with_its_hash_is_named_by_the_next_one() {
    let mut log = Log::new();
    let next = log.seq(4).clone();
    *log.seq(3) = replaced(log.seq(3), "Get", "Put");
    log.rehash_from(3);
    log.segments[0].truncate(3);
    log.segments[0].push(next);
    log.segments.pop();
    let found = log.report(None, None).found;
    assert_eq!(found.iter().map(|found| &found.fault).collect::<Vec<_>>(), [&Fault::Changed { seq: 4 }]);
    assert!(found[0].fault.to_string().contains("or record 3 was"));
}

#[test]
fn a_log_of_another_key_is_of_nobody() {
    let (log, other) = (Log::new(), Log::new());
    let mixed = Log { signer: other.signer, segments: log.segments };
    let report = mixed.report(None, None);
    assert_eq!(report.signed, 0);
    assert_eq!(
        report.found.iter().map(|found| &found.fault).collect::<Vec<_>>(),
        [&Fault::Forged { from: 1, through: 9 }]
    );
}

#[test]
fn a_whole_log_put_back_to_an_earlier_checkpoint_is_found_by_who_noted_down_a_later_one() {
    let mut log = Log::new();
    let noted = Line::parse(log.seq(10)).unwrap().head();
    let earlier = log.seq(5).clone();
    log.segments.pop();
    assert!(log.report(Some(&earlier), None).is_good(), "the folder alone cannot know");
    let found = log.report(Some(&earlier), Some(noted)).found;
    assert_eq!(found[0].fault, Fault::Cut { from: 6, through: 10 });
}

#[test]
fn what_a_start_found_missing_stays_known() {
    let start = Event::Start { timestamp: Timestamp::UNIX_EPOCH, version: "1", torn: 0, unconfirmed_through: Some(40) };
    let (mut head, mut out) = (Head::default(), Vec::new());
    head.seal(&serde_json::to_vec(&start).unwrap(), &mut out);
    let mut verifier = Verifier::new(None, Kept::Missing);
    verifier.segment("1");
    verifier.line(out.trim_ascii_end());
    let faults: Vec<_> = verifier.end().found.into_iter().map(|found| found.fault).collect();
    assert_eq!(faults, [Fault::NothingKept, Fault::Unconfirmed { through: 40 }]);
}

#[test]
fn what_is_found_is_bounded() {
    let mut verifier = Verifier::new(None, Kept::Nothing);
    verifier.segment("1");
    (0..1000).for_each(|_| verifier.line(b"x"));
    let report = verifier.end();
    assert_eq!((report.found.len(), report.more), (MOST_FOUND, 1000 - MOST_FOUND as u64));
}
