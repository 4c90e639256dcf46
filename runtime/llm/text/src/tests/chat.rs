//! Chat templates: the golden conversations and what templates in the wild use.

use super::data;
use crate::chat::render;
use serde_json::Value;

const CONVERSATION: &str = r#"[{"role": "user", "content": " Hi <b> é "}]"#;

fn rendered(template: &str) -> String {
    render(template, CONVERSATION, "<s>", "</s>", true).unwrap_or_else(|e| panic!("{}", e.message))
}

fn refused(template: &str) -> String {
    render(template, CONVERSATION, "<s>", "</s>", true).expect_err("a refusal").message
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

/// What Jinja2 gives in the environment of transformers (test/data/chat/make_jinja.py).
#[test]
fn constructs_of_templates_in_use() {
    let golden: Value = serde_json::from_slice(&data("../chat/jinja.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 200);
    for case in cases {
        let template = case["template"].as_str().unwrap();
        let prompt = case["add_generation_prompt"].as_bool().unwrap();
        let found = render(template, &case["messages"].to_string(), "<s>", "</s>", prompt);
        assert_eq!(
            found.as_ref().ok().map(String::as_str),
            case["text"].as_str(),
            "{template}: {found:?}"
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
fn absent_tools_are_none() {
    assert_eq!(rendered("{{ tools is none }} {{ documents is none }}"), "True True");
}

#[test]
fn dates_are_those_of_now() {
    assert_eq!(rendered("{{ strftime_now is defined }}"), "True");
    assert_eq!(rendered("{{ strftime_now('%Y')|int >= 2025 }}"), "True");
    assert_eq!(rendered("{{ strftime_now('on %%d')|length }}{{ strftime_now('') }}"), "5");
    assert!(refused("{{ strftime_now('%10000000000Y') }}").contains("more than 256 bytes"));
    assert!(refused("{{ strftime_now('%Y' * 1000) }}").contains("more than 256 bytes"));
}

#[test]
fn line_ends_are_those_of_jinja() {
    let template = "{% if true %}\na\n{% endif %}\nb{{ 'c\nd' }}\n";
    let text = rendered(template);
    assert_eq!(text, "a\nbc\nd");
    assert_eq!(rendered(&template.replace('\n', "\r\n")), text);
    assert_eq!(rendered(&template.replace('\n', "\r")), text);
    assert_eq!(rendered("{{ 'a\\r\\n' }}|"), "a\r\n|");
}

#[test]
fn texts_take_percent() {
    assert_eq!(rendered("{{ '%s' % 'x' ~ 1 }}{{ ('%d%%' % 5)|length }}"), "x12");
    assert_eq!(rendered("{{ '%s-%s' % ('a', 'b') }}{{ ['%s' % 1, 2]|length }}"), "a-b2");
    assert_eq!(rendered("{{ '%s' % messages[0].role|upper if 1 else 2 }}"), "USER");
    assert_eq!(rendered("{{ '%s%%s' % 'a' % 'b' }}{{ 'a' 'b%s' % 1 }}"), "abab1");
    assert_eq!(rendered("{{ '%(a)s' % {'a': 1} }}{{ '%s' % {'a': 1} }}"), "1{'a': 1}");
    assert_eq!(
        rendered("{{ 7 % 4 }}{{ 'abcde'|length % 2 }}{{ '7'|int % 4 }}{{ 2 * 7 % 4 }}"),
        "3132"
    );
    assert_eq!(rendered("{% raw %}{{ '%s' % 1 }}{% endraw %}{# '%s' % 1 #}"), "{{ '%s' % 1 }}");
}

#[test]
fn generation_is_a_scope() {
    let template = "{%- generation -%} a {%- set x = 1 %}b{% endgeneration %}\n{{ x is defined }}{{ generation is defined }}";
    assert_eq!(rendered(template), "abFalseFalse");
    assert_eq!(rendered("{% raw %}{% generation %}{% endraw %}"), "{% generation %}");
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
    assert!(refused("{{ nothing | tojson }}").contains("undefined"));
    assert!(refused("{% set n = namespace() %}{% set n.n = n %}{{ n | tojson }}")
        .contains("nested deeper"));
}

#[test]
fn a_template_can_refuse_a_conversation() {
    assert_eq!(
        refused("line\n{{ raise_exception('roles must alternate') }}"),
        "chat template, line 2: roles must alternate"
    );
    let is_raised =
        |template| render(template, CONVERSATION, "", "", true).expect_err("a refusal").is_raised;
    assert!(is_raised("{% macro m() %}{{ raise_exception('no') }}{% endmacro %}{{ m() }}"));
    assert!(!is_raised("{{ nothing.at.all }}"));
}

#[test]
fn broken_templates_and_messages_are_errors() {
    assert!(refused("{% if %}").starts_with("chat template, line 1: "));
    assert!(refused("{% for m in messages %}").starts_with("chat template"));
    assert!(refused("{{ nothing.at.all }}").starts_with("chat template"));
    let messages = |text| render("x", text, "", "", false).expect_err("a refusal").message;
    assert_eq!(messages("{}"), "broken messages: expected an array, found an object");
    assert!(messages("[").starts_with("broken messages: "));
    assert!(messages(&"[".repeat(100_000)).starts_with("broken messages: "));
}

#[test]
fn endless_templates_run_out_of_steps() {
    let nested = "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(refused(nested).contains("500000 steps"));
    let growing = "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}";
    assert!(refused(growing).contains("500000 steps"));
    assert!(!refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").is_empty());
    assert!(!refused(&"{% if 1 %}".repeat(50_000)).is_empty());
    assert!(refused(&format!("{{{{ {}1 }}}}", "(".repeat(50_000))).contains("brackets"));
    assert!(refused(&format!("{{{{ {}1 }}}}", "1+".repeat(50_000)))
        .contains("more than 1000 operators"));
    assert!(refused(&format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(50_000)))
        .contains("`elif`"));
    assert!(refused("{{ '{:>10000000000}'.format(1) }}").contains("500000 steps"));
    assert!(refused(&"x".repeat(2_000_000)).contains("2000000 bytes"));
}
