//! Chat templates: the golden conversations and what templates in the wild use.

use super::data;
use crate::chat::render;
use serde_json::Value;

const CONVERSATION: &str = r#"[{"role": "user", "content": " Hi <b> é "}]"#;

fn rendered(template: &str) -> String {
    render(template, CONVERSATION, "<s>", "</s>", true).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(template: &str) -> String {
    render(template, CONVERSATION, "<s>", "</s>", true).expect_err("a refusal")
}

#[test]
fn golden_conversations() {
    let golden: Value = serde_json::from_slice(&data("smollm2-chat.json")).unwrap();
    let template = golden["template"].as_str().unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let messages = case["messages"].to_string();
        let prompt = case["add_generation_prompt"].as_bool().unwrap();
        assert_eq!(
            render(template, &messages, "", "", prompt).unwrap(),
            case["text"].as_str().unwrap()
        );
    }
}

#[test]
fn python_methods_slices_and_loop_controls() {
    assert_eq!(rendered("{{ messages[0]['content'].strip() }}|"), "Hi <b> é|");
    assert_eq!(rendered("{{ messages[0].content.split('<')[-1].rstrip() }}|"), "b> é|");
    assert_eq!(rendered("{{ 'user'.startswith('us') and 'x'.title() }}"), "X");
    assert_eq!(rendered("{{ messages[1:] | length }}{{ messages[::-1] | length }}"), "01");
    assert_eq!(
        rendered(
            "{% for i in [1, 2, 3] %}{{ i }}{% if i == 2 %}{% break %}{% endif %}{% endfor %}"
        ),
        "12"
    );
    assert_eq!(rendered("{% set n = namespace(x=1) %}{% set n.x = 2 %}{{ n.x }}"), "2");
    assert_eq!(rendered("{{ bos_token + eos_token }}"), "<s></s>");
}

#[test]
fn blocks_are_trimmed_as_hugging_face_does() {
    assert_eq!(rendered("  {% if add_generation_prompt %}\nyes\n  {% endif %}\nend\n"), "yes\nend");
}

#[test]
fn absent_tools_are_none_and_time_is_undefined() {
    assert_eq!(rendered("{{ tools is none }} {{ documents is none }}"), "True True");
    assert_eq!(rendered("{{ strftime_now is defined }}"), "False");
}

#[test]
fn tojson_writes_as_python_does() {
    assert_eq!(
        rendered("{{ messages | tojson }}"),
        r#"[{"role": "user", "content": " Hi <b> é "}]"#
    );
    assert_eq!(
        rendered("{{ {'a': [1, none]} | tojson(indent=2) }}"),
        "{\n  \"a\": [\n    1,\n    null\n  ]\n}"
    );
    assert!(refused("{{ 1 | tojson(indent=100000000) }}").contains("at most 64"));
}

#[test]
fn a_template_can_refuse_a_conversation() {
    assert_eq!(
        refused("line\n{{ raise_exception('roles must alternate') }}"),
        "chat template, line 2: roles must alternate"
    );
}

#[test]
fn broken_templates_and_messages_are_errors() {
    assert!(refused("{% if %}").starts_with("chat template, line 1: "));
    assert!(refused("{% for m in messages %}").starts_with("chat template"));
    assert!(refused("{{ nothing.at.all }}").starts_with("chat template"));
    let messages = |text| render("x", text, "", "", false).expect_err("a refusal");
    assert_eq!(messages("{}"), "broken messages: expected an array, found an object");
    assert!(messages("[").starts_with("broken messages: "));
    assert!(messages(&"[".repeat(100_000)).starts_with("broken messages: "));
}

#[test]
fn endless_templates_run_out_of_fuel() {
    let nested = "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(refused(nested).contains("fuel"));
    let growing = "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}";
    assert!(refused(growing).contains("fuel"));
    assert!(!refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").is_empty());
    assert!(!refused(&"{% if 1 %}".repeat(50_000)).is_empty());
    assert!(!refused(&format!("{{{{ {}1 }}}}", "(".repeat(50_000))).is_empty());
}
