use ringback_model::{DeviceName, Group, LineId, Locale, UtcOffset};

use super::{Demanded, OrViolation, Violation, device, dn, group, line, same, strange_texts};
use crate::admin::{AdminError, DirectoryAdmin, PhoneConfig};
use crate::directory::{Directory, LineEntry, PhoneEntry};
use crate::feed::Table;

/// Proves a [`Directory`] by what its [`DirectoryAdmin`] writes. `make` gives an empty one each time.
///
/// # Errors
/// The first rule that it breaks.
pub async fn directory<D: Directory + DirectoryAdmin>(make: impl AsyncFn() -> D) -> Result<(), Violation> {
    phones(&make().await).await.demanded_by("Directory::phone")?;
    templates(&make().await).await.demanded_by("PhoneEntry::has_callback_key")?;
    lines(&make().await).await.demanded_by("Directory::line")?;
    several_lines(&make().await).await.demanded_by("Directory::lines")?;
    line_settings(&make().await).await.demanded_by("DirectoryAdmin")?;
    dialled(&make().await).await.demanded_by("Directory::dialled")?;
    references(&make().await).await.demanded_by("DirectoryAdmin")?;
    parameters(&make().await).await.demanded_by("Directory::parameters")?;
    settings(&make().await).await.demanded_by("Directory::settings")?;
    all_phones(&make().await).await.demanded_by("DirectoryAdmin::phones")?;
    names(&make().await).await.demanded_by("Directory")?;
    groups(&make().await).await.demanded_by("Directory")
}

fn phone(name: &str, lines: &[LineId]) -> PhoneConfig {
    PhoneConfig::new(device(name), lines.to_vec())
}

fn entry(config: &PhoneConfig) -> PhoneEntry {
    PhoneEntry {
        device: config.device.clone(),
        lines: config.lines.clone(),
        locale: config.locale.clone(),
        utc_offset: config.utc_offset,
        has_callback_key: true,
        do_not_disturb: false,
    }
}

fn plain(line: &LineId, devices: &[&str]) -> LineEntry {
    LineEntry {
        line: line.clone(),
        devices: devices.iter().map(|name| device(name)).collect(),
        display_name: None,
        forwards_all_to: None,
    }
}

async fn phones(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "a phone is read as it was put, its lines in the order of their buttons";
    let g = Group::default();
    same(RULE, d.probe().await, Ok(()))?;
    same(RULE, d.phone(&g, &device("a")).await, Ok(None))?;
    let mut config = phone("a", &[line("", "1003"), line("p", "1001"), line("", "1001")]);
    config.locale = Locale::new("fr_FR").or_violation(RULE)?;
    config.utc_offset = UtcOffset::from_minutes(-210).unwrap_or_default();
    d.put_phone(&g, &config).await.or_violation(RULE)?;
    d.put_phone(&g, &config).await.or_violation(RULE)?;
    same(RULE, d.phone(&g, &config.device).await, Ok(Some(entry(&config))))?;

    config.lines.swap(0, 2);
    d.put_phone(&g, &config).await.or_violation(RULE)?;
    same(RULE, d.phone(&g, &config.device).await, Ok(Some(entry(&config))))?;

    const DND: &str = "do-not-disturb is read as it was set, and stays when the phone is put again";
    d.set_do_not_disturb(&g, &config.device, true).await.or_violation(DND)?;
    config.lines.clear();
    d.put_phone(&g, &config).await.or_violation(DND)?;
    let expected = PhoneEntry { do_not_disturb: true, ..entry(&config) };
    same(DND, d.phone(&g, &config.device).await, Ok(Some(expected)))?;
    d.set_do_not_disturb(&g, &config.device, false).await.or_violation(DND)?;
    same(DND, d.phone(&g, &config.device).await, Ok(Some(entry(&config))))?;

    const GONE: &str = "a removed phone is gone, and removing it again is no error";
    d.remove_phone(&g, &config.device).await.or_violation(GONE)?;
    d.remove_phone(&g, &config.device).await.or_violation(GONE)?;
    same(GONE, d.phone(&g, &config.device).await, Ok(None))
}

async fn templates(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "a phone's own softkey template wins over its pool's; with neither it has CallBack";
    let g = Group::default();
    d.put_template(&g, "with", true).await.or_violation(RULE)?;
    d.put_template(&g, "without", false).await.or_violation(RULE)?;
    d.put_pool(&g, "bare", None).await.or_violation(RULE)?;
    d.put_pool(&g, "poor", Some("without")).await.or_violation(RULE)?;
    let cases = [
        (None, None, true),
        (Some("with"), None, true),
        (Some("without"), None, false),
        (None, Some("bare"), true),
        (None, Some("poor"), false),
        (Some("with"), Some("poor"), true),
        (Some("without"), Some("bare"), false),
    ];
    let mut config = phone("a", &[line("", "1001")]);
    let has_key = async |device| d.phone(&g, device).await.map(|phone| phone.map(|p| p.has_callback_key));
    for (template, pool, expected) in cases {
        config.template = template.map(str::to_owned);
        config.pool = pool.map(str::to_owned);
        d.put_phone(&g, &config).await.or_violation(RULE)?;
        same(RULE, has_key(&config.device).await, Ok(Some(expected)))?;
    }

    const CHANGED: &str = "a changed template or pool acts on the phones that use it";
    (config.template, config.pool) = (None, Some("poor".to_owned()));
    d.put_phone(&g, &config).await.or_violation(CHANGED)?;
    d.put_template(&g, "without", true).await.or_violation(CHANGED)?;
    same(CHANGED, has_key(&config.device).await, Ok(Some(true)))?;
    d.put_template(&g, "without", false).await.or_violation(CHANGED)?;
    d.put_pool(&g, "poor", Some("with")).await.or_violation(CHANGED)?;
    same(CHANGED, has_key(&config.device).await, Ok(Some(true)))
}

async fn lines(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "a line names the phones it appears on, by name, and exists as long as there is one";
    let g = Group::default();
    let shared = line("", "1001");
    let own = line("p", "1001");
    same(RULE, d.line(&g, &shared).await, Ok(None))?;
    d.put_phone(&g, &phone("b", &[own.clone(), shared.clone()])).await.or_violation(RULE)?;
    d.put_phone(&g, &phone("a", std::slice::from_ref(&shared))).await.or_violation(RULE)?;
    same(RULE, d.line(&g, &shared).await, Ok(Some(plain(&shared, &["a", "b"]))))?;
    same(RULE, d.line(&g, &own).await, Ok(Some(plain(&own, &["b"]))))?;
    d.put_phone(&g, &phone("b", std::slice::from_ref(&shared))).await.or_violation(RULE)?;
    same(RULE, d.line(&g, &own).await, Ok(None))?;
    d.remove_phone(&g, &device("a")).await.or_violation(RULE)?;
    same(RULE, d.line(&g, &shared).await, Ok(Some(plain(&shared, &["b"]))))?;
    d.remove_phone(&g, &device("b")).await.or_violation(RULE)?;
    same(RULE, d.line(&g, &shared).await, Ok(None))
}

async fn several_lines(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "several lines are told as each of them is, in the order in which they were asked for";
    let g = Group::default();
    let mut asked: Vec<LineId> = Vec::new();
    for text in strange_texts(50) {
        let own = [line(&text, &text), line("", &text)];
        d.put_phone(&g, &phone(&text, &own)).await.or_violation(RULE)?;
        d.set_display_name(&g, &own[0], Some(&text)).await.or_violation(RULE)?;
        d.set_forward_all(&g, &own[1], Some(&dn(&text))).await.or_violation(RULE)?;
        let [first, second] = own;
        asked.extend([second, line("nowhere", &text), first]);
    }
    d.put_phone(&g, &phone("second", &asked[..1])).await.or_violation(RULE)?;
    asked.push(asked[0].clone());
    let mut expected = Vec::new();
    for line in &asked {
        expected.push(d.line(&g, line).await.or_violation(RULE)?);
    }
    same(RULE, d.lines(&g, &asked).await, Ok(expected))?;
    same(RULE, d.lines(&g, &[]).await, Ok(vec![]))
}

async fn line_settings(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "name and forwarding of a line are read as they were set, and cleared";
    let g = Group::default();
    let id = line("", "1001");
    let one = phone("a", std::slice::from_ref(&id));
    d.put_phone(&g, &one).await.or_violation(RULE)?;
    let mut expected = plain(&id, &["a"]);
    d.set_display_name(&g, &id, Some("Ada \"A\" Ä")).await.or_violation(RULE)?;
    expected.display_name = Some("Ada \"A\" Ä".to_owned());
    same(RULE, d.line(&g, &id).await, Ok(Some(expected.clone())))?;
    d.set_forward_all(&g, &id, Some(&dn("9000"))).await.or_violation(RULE)?;
    expected.forwards_all_to = Some(dn("9000"));
    same(RULE, d.line(&g, &id).await, Ok(Some(expected.clone())))?;
    d.set_display_name(&g, &id, None).await.or_violation(RULE)?;
    expected.display_name = None;
    same(RULE, d.line(&g, &id).await, Ok(Some(expected.clone())))?;

    const KEPT: &str = "a line keeps its settings while it appears somewhere, and loses them afterwards";
    d.put_phone(&g, &phone("b", &[line("", "1002"), id.clone()])).await.or_violation(KEPT)?;
    d.put_phone(&g, &phone("b", &[id.clone(), line("", "1002")])).await.or_violation(KEPT)?;
    d.remove_phone(&g, &device("a")).await.or_violation(KEPT)?;
    expected.devices = vec![device("b")];
    same(KEPT, d.line(&g, &id).await, Ok(Some(expected)))?;
    d.remove_phone(&g, &device("b")).await.or_violation(KEPT)?;
    d.put_phone(&g, &one).await.or_violation(KEPT)?;
    same(KEPT, d.line(&g, &id).await, Ok(Some(plain(&id, &["a"]))))
}

async fn dialled(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str =
        "a number leads to the caller's partition, else the one without a name, else the first by name";
    let g = Group::default();
    let ids = [line("", "1"), line("a", "1"), line("Z", "1"), line("b", "2"), line("a", "2"), line("B", "2")];
    d.put_phone(&g, &phone("x", &ids)).await.or_violation(RULE)?;
    let cases = [
        ("a", "1", Some("a")),
        ("", "1", Some("")),
        ("b", "1", Some("")),
        ("b", "2", Some("b")),
        ("", "2", Some("B")),
        ("nowhere", "2", Some("B")),
        ("a", "3", None),
    ];
    for (from, number, leads_to) in cases {
        let expected = leads_to.map(|partition| plain(&line(partition, number), &["x"]));
        same(RULE, d.dialled(&g, &line(from, "77"), &dn(number)).await, Ok(expected))?;
    }
    d.set_forward_all(&g, &ids[1], Some(&dn("9"))).await.or_violation(RULE)?;
    let expected = LineEntry { forwards_all_to: Some(dn("9")), ..plain(&ids[1], &["x"]) };
    same(RULE, d.dialled(&g, &line("a", "77"), &dn("1")).await, Ok(Some(expected)))
}

async fn names(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "a name or number is found by its very bytes only, whatever they are";
    let g = Group::default();
    let texts = strange_texts(50);
    for (index, text) in texts.iter().enumerate() {
        let own = line(text, text);
        let mut config = phone(text, &[line("", text), own.clone()]);
        config.template = Some(text.clone());
        d.put_template(&g, text, index % 2 == 0).await.or_violation(RULE)?;
        d.put_phone(&g, &config).await.or_violation(RULE)?;
        d.set_display_name(&g, &own, Some(text)).await.or_violation(RULE)?;
        d.set_parameter(&g, text, Some(text)).await.or_violation(RULE)?;
    }
    for (index, text) in texts.iter().enumerate() {
        let own = line(text, text);
        let config = phone(text, &[line("", text), own.clone()]);
        let expected = PhoneEntry { has_callback_key: index % 2 == 0, ..entry(&config) };
        same(RULE, d.phone(&g, &config.device).await, Ok(Some(expected)))?;
        let expected = LineEntry { display_name: Some(text.clone()), ..plain(&own, &[text]) };
        same(RULE, d.line(&g, &own).await, Ok(Some(expected.clone())))?;
        same(RULE, d.dialled(&g, &own, &own.dn).await, Ok(Some(expected)))?;
        let nameless = plain(&line("", text), &[text]);
        same(RULE, d.dialled(&g, &line("elsewhere", "1"), &own.dn).await, Ok(Some(nameless)))?;
    }
    let mut expected: Vec<(String, String)> = texts.iter().map(|text| (text.clone(), text.clone())).collect();
    expected.sort_unstable();
    same(RULE, d.parameters(&g).await, Ok(expected))?;
    for unknown in ["b", "aa", "%a", "\u{c9}"] {
        same(RULE, d.phone(&g, &device(unknown)).await, Ok(None))?;
        same(RULE, d.line(&g, &line("a", unknown)).await, Ok(None))?;
        same(RULE, d.line(&g, &line(unknown, "a")).await, Ok(None))?;
        same(RULE, d.dialled(&g, &line("a", "a"), &dn(unknown)).await, Ok(None))?;
    }
    const LONG: &str = "a name of the greatest length is read whole";
    let longest = "\u{65e5}".repeat(DeviceName::MAX_LEN / 3) + "xx";
    d.put_phone(&g, &phone(&longest, &[])).await.or_violation(LONG)?;
    same(LONG, d.phone(&g, &device(&longest)).await, Ok(Some(entry(&phone(&longest, &[])))))
}

async fn references(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "what does not exist cannot be referred to or set, and nothing is changed";
    let g = Group::default();
    let id = line("", "1001");
    let unknown = |what| Err(AdminError::Unknown { what });
    let mut config = phone("a", std::slice::from_ref(&id));
    config.template = Some("t".to_owned());
    same(RULE, d.put_phone(&g, &config).await, unknown("softkey template"))?;
    (config.template, config.pool) = (None, Some("p".to_owned()));
    same(RULE, d.put_phone(&g, &config).await, unknown("device pool"))?;
    same(RULE, d.put_pool(&g, "p", Some("t")).await, unknown("softkey template"))?;
    same(RULE, d.set_do_not_disturb(&g, &config.device, true).await, unknown("phone"))?;
    same(RULE, d.set_forward_all(&g, &id, Some(&dn("9"))).await, unknown("line"))?;
    same(RULE, d.set_display_name(&g, &id, Some("x")).await, unknown("line"))?;
    let twice = phone("a", &[id.clone(), id.clone()]);
    same(RULE, d.put_phone(&g, &twice).await, Err(AdminError::DuplicateLine))?;
    same(RULE, d.phone(&g, &config.device).await, Ok(None))?;
    same(RULE, d.line(&g, &id).await, Ok(None))?;

    const USED: &str = "a template can be removed when nothing uses it";
    let in_use = |used_by| Err(AdminError::InUse { what: "softkey template", used_by });
    d.put_template(&g, "t", false).await.or_violation(USED)?;
    d.put_pool(&g, "p", Some("t")).await.or_violation(USED)?;
    same(USED, d.remove_template(&g, "t").await, in_use("device pools"))?;
    d.put_pool(&g, "p", None).await.or_violation(USED)?;
    config.template = Some("t".to_owned());
    d.put_phone(&g, &config).await.or_violation(USED)?;
    same(USED, d.remove_template(&g, "t").await, in_use("phones"))?;
    d.remove_phone(&g, &config.device).await.or_violation(USED)?;
    same(USED, d.remove_template(&g, "t").await, Ok(()))?;
    same(USED, d.remove_template(&g, "t").await, Ok(()))?;
    same(USED, d.put_phone(&g, &config).await, unknown("softkey template"))
}

async fn parameters(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "service parameters that are set are read, ordered by name";
    let g = Group::default();
    let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    same(RULE, d.parameters(&g).await, Ok(vec![]))?;
    for (name, value) in [("B", "1"), ("A", "fifo"), ("B", "30 s")] {
        d.set_parameter(&g, name, Some(value)).await.or_violation(RULE)?;
    }
    same(RULE, d.parameters(&g).await, Ok(vec![row("A", "fifo"), row("B", "30 s")]))?;
    for _ in 0..2 {
        d.set_parameter(&g, "A", None).await.or_violation(RULE)?;
    }
    same(RULE, d.parameters(&g).await, Ok(vec![row("B", "30 s")]))
}

async fn settings(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "settings of traces and alarms are read by table, ordered by name, and removed";
    let g = Group::default();
    let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let writes = [
        (Table::Trace, "B", "1"),
        (Table::Trace, "A", "x"),
        (Table::Alarm, "A", ""),
        (Table::Trace, "B", "2"),
    ];
    for (table, name, value) in writes {
        d.set_setting(&g, table, name, Some(value)).await.or_violation(RULE)?;
    }
    same(RULE, d.settings(&g, Table::Trace).await, Ok(vec![row("A", "x"), row("B", "2")]))?;
    same(RULE, d.settings(&g, Table::Alarm).await, Ok(vec![row("A", "")]))?;
    for _ in 0..2 {
        d.set_setting(&g, Table::Trace, "A", None).await.or_violation(RULE)?;
    }
    same(RULE, d.settings(&g, Table::Trace).await, Ok(vec![row("B", "2")]))?;
    same(RULE, d.settings(&group("other"), Table::Trace).await, Ok(vec![]))?;

    const PARAMETERS: &str = "service parameters are settings, too";
    d.set_setting(&g, Table::Parameter, "P", Some("1")).await.or_violation(PARAMETERS)?;
    d.set_parameter(&g, "Q", Some("2")).await.or_violation(PARAMETERS)?;
    let both = vec![row("P", "1"), row("Q", "2")];
    same(PARAMETERS, d.parameters(&g).await, Ok(both.clone()))?;
    same(PARAMETERS, d.settings(&g, Table::Parameter).await, Ok(both))?;

    const OTHERS: &str = "other tables hold no settings and take none";
    for table in [Table::Phone, Table::Line, Table::Template, Table::Pool] {
        same(OTHERS, d.settings(&g, table).await, Ok(vec![]))?;
        let refused = d.set_setting(&g, table, "A", Some("1")).await;
        same(OTHERS, refused, Err(AdminError::NoSettings(table)))?;
    }
    Ok(())
}

async fn all_phones(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "all phones of a group are told as they were put, ordered by name";
    let g = Group::default();
    same(RULE, d.phones(&g).await, Ok(vec![]))?;
    d.put_template(&g, "t", true).await.or_violation(RULE)?;
    d.put_pool(&g, "p", None).await.or_violation(RULE)?;
    let mut full = phone("b", &[line("", "1003"), line("p", "1001"), line("", "1001")]);
    full.locale = Locale::new("fr_FR").or_violation(RULE)?;
    full.utc_offset = UtcOffset::from_minutes(-210).unwrap_or_default();
    (full.template, full.pool) = (Some("t".to_owned()), Some("p".to_owned()));
    let (bare, shared) = (phone("B", &[]), phone("a", &[line("", "1003")]));
    for config in [&full, &shared, &bare] {
        d.put_phone(&g, config).await.or_violation(RULE)?;
    }
    d.put_phone(&group("other"), &phone("c", &[])).await.or_violation(RULE)?;
    same(RULE, d.phones(&g).await, Ok(vec![bare, shared, full.clone()]))?;
    for name in ["a", "B"] {
        d.remove_phone(&g, &device(name)).await.or_violation(RULE)?;
    }
    full.lines.reverse();
    d.put_phone(&g, &full).await.or_violation(RULE)?;
    same(RULE, d.phones(&g).await, Ok(vec![full]))
}

async fn groups(d: &(impl Directory + DirectoryAdmin)) -> Result<(), Violation> {
    const RULE: &str = "groups share nothing";
    let (one, other) = (group("one"), group("other"));
    let id = line("", "1001");
    let config = phone("a", std::slice::from_ref(&id));
    d.put_phone(&one, &config).await.or_violation(RULE)?;
    d.put_template(&one, "t", false).await.or_violation(RULE)?;
    d.set_parameter(&one, "A", Some("1")).await.or_violation(RULE)?;
    same(RULE, d.phone(&other, &config.device).await, Ok(None))?;
    same(RULE, d.line(&other, &id).await, Ok(None))?;
    same(RULE, d.dialled(&other, &id, &id.dn).await, Ok(None))?;
    same(RULE, d.parameters(&other).await, Ok(vec![]))?;
    let missing = AdminError::Unknown { what: "softkey template" };
    same(RULE, d.put_pool(&other, "p", Some("t")).await, Err(missing))?;
    d.put_phone(&other, &config).await.or_violation(RULE)?;
    d.remove_phone(&other, &config.device).await.or_violation(RULE)?;
    same(RULE, d.phone(&one, &config.device).await, Ok(Some(entry(&config))))
}
