"""Writes jinja.json: what Jinja2 gives for constructs of chat templates, in the environment of transformers.

    pip install jinja2==3.1.6; python make_jinja.py

A case without `text` is one that Jinja2 refuses.
"""

import json
import os

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    """`{% generation %}`, as transformers' AssistantTracker has it, without the tracking."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("support"), [], [], body).set_lineno(line)

    def support(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def make_environment():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    return environment


def say(role, content):
    return {"role": role, "content": content}


ONE = [say("user", "Hello \u00e9")]
SEVERAL = [say("user", " Hi "), say("assistant", "Yo"), say("user", "x <b>\n")]
SYSTEM = [say("system", "Be good."), say("user", " Hi <b> \u00e9\n"), say("assistant", "Yes"), say("user", "Bye")]

# Each is printed, with the conversation SYSTEM.
EXPRESSIONS = r"""
'%s' % 'x'
'%s and %d' % ('a', 3)
'%05.2f|%-5s|%5s|%x|%%' % (1.5, 'a', 'b', 255)
'%(a)s' % {'a': 1}
'%s' % none
'%s' % [1, 'a']
'%s' % messages[0]
"{} {}".format(1, 'a')
"{0:>10}|{1:<4}|{n}".format('a', 2, n=3)
"{:,}".format(1234567)
"%s"|format('a')
1/2
7//2
-7//2
7%3
-7%3
2**10
2**0.5
1.0
1e20
1e16
1e-7
123456789.123
0.1+0.2
10/5
'a'*3
[1]*3
'a' ~ 1 ~ none ~ true
true + 1
[1,2]+[3]
(1,2)
(1,)
()
[1,'a',none,true,1.5]
{'a':1,'b':[1,2]}
{'a':'it\'s'}
'a\tb\n\x41\u00e9'
"it's" | list
['it\'s "x"']
messages
messages[0]
messages[-1]
messages[1:]
messages[:-1]|length
messages[::-1][0].content
messages[::2]|length
'abcdef'[1:4]
'abcdef'[::-1]
'abcdef'[-2:]
'abcdef'[5:1:-1]
'abc'[0]
'abc'[10]
messages[10]
messages[10] is defined
messages[0].foo is defined
messages[0]['foo'] is none
undefinedvar
undefinedvar is defined
undefinedvar or 'x'
undefinedvar | default('x')
undefinedvar == none
none | default('x')
'' | default('x', true)
none
true
false
true and 1
0 or 'a'
not ''
'a' in 'abc'
'a' not in ['b']
'role' in messages[0]
1 < 2 < 3
1 < 2 > 3
1 == 1.0
'1' == 1
1 == true
'a' < 'b'
'abc'.upper()
'abc'.capitalize()
'a b c'.title()
'a b c'.split()
'a b c'.split(' ', 1)
'a,b,,c'.split(',')
' a  b '.split()
'a b c'.rsplit(' ', 1)
'abc'.rsplit('b')
'abc'.partition('b')
'abcbd'.rpartition('b')
'  a '.strip()
'xxaxx'.strip('x')
'xxaxx'.lstrip('x')
'xxaxx'.rstrip('x')
'abc'.startswith('a')
'abc'.startswith(('x','a'))
'abc'.endswith(('x','c'))
'abc'.endswith('c')
'abcabc'.replace('a','x')
'abcabc'.replace('a','x',1)
'abc'.find('c')
'abc'.find('x')
'abcb'.rfind('b')
'abc'.index('c')
'abcb'.count('b')
'abc'.isdigit()
'12'.isdigit()
'abc'.isalpha()
'a1'.isalnum()
'ABC'.isupper()
'abc'.islower()
' '.isspace()
'ABC'.lower()
'AbC'.swapcase()
'abc'.center(9, '*')
'abc'.ljust(5)+'|'
'abc'.rjust(5)
'5'.zfill(3)
'abc'.removeprefix('a')
'abc'.removesuffix('c')
', '.join(['a','b'])
'a\nb\r\nc'.splitlines()
'a\nb'.splitlines(true)
'ß'.casefold()
'a\tb'.expandtabs(4)
'abc'.format()
'{a[0]}'.format(a=[1])
'abc'|first
'abc'|last
[3,1,2]|sort
[3,1,2]|sort(reverse=true)
['b','A','c']|sort
[3,1,2]|max
[3,1,2]|min
[1,2]|sum
['a','b']|join(', ')
messages|map(attribute='role')|list
messages|map(attribute='role')|join(',')
['a','b']|map('upper')|list
messages|selectattr('role','equalto','user')|list|length
messages|selectattr('role','==','user')|map(attribute='content')|list
messages|rejectattr('role','equalto','user')|list|length
messages|selectattr('foo')|list|length
messages|selectattr('foo','defined')|list|length
[1,2,3]|select('odd')|list
[1,2,3]|reject('even')|list
[1,none,2]|select|list
messages|length
messages|count
'abc'|length
'abc'|reverse
[1,2]|reverse|list
'  a '|trim
'xax'|trim('x')
'aXb'|lower
'hello world'|capitalize
'hello world'|title
'a-b'|replace('-','+')
'<a>'|e
'<a>'|escape
'<a>'|safe
'abc'|indent(2)
'a\nb'|indent(2)
'a\nb'|indent(2,true)
'a\nb'|indent(width=2,first=true)
'a\n\nb'|indent(2,blank=true)
{'a':1,'b':2}|items|list
{'b':1,'a':2}|dictsort
{'a':1}.items()|list
{'a':1}.keys()|list
{'a':1}.values()|list
{'a':1}.get('a')
{'a':1}.get('b')
{'a':1}.get('b','x')
{'a':1}.copy()
dict(a=1,b=2)
{'a':1} == {'a':1.0}
[1,2,3]|batch(2)|list
[1,2,3]|slice(2)|list
[1,1,2]|unique|list
messages|groupby('role')|list|length
[1,2]|string
1|string
true|string
none|string
[1,2]|tojson
{'b':1,'a':[1.0,2.5e10,none,true]}|tojson
{'b':1,'a':2}|tojson(sort_keys=true)
{'b':1,'a':[1,2]}|tojson(indent=2)
{'b':1,'a':[1,2]}|tojson(indent=4)
{}|tojson(indent=2)
[]|tojson(indent=2)
{'é':'é "q" \n </b> & \' \u2028'}|tojson
'é'|tojson(ensure_ascii=true)
'é😀'|tojson(ensure_ascii=True)
{'a':1,'b':2}|tojson(separators=(',',':'))
{'a':1,'b':[1,2]}|tojson(separators=(',',': '), indent=2)
{1:2,none:3,true:4}|tojson
1e20|tojson
1.0|tojson
0.1|tojson
'\x00\x1f\x7f'|tojson
(1,2)|tojson
undefinedvar|tojson
messages[0]|tojson(indent=None)
[1,2]|tojson(indent=0)
[1,2]|tojson(indent='\t')
5|int
'5'|int
'5.7'|float
'x'|int
'x'|int(7)
5.9|int
'5'|float
3.7|round
3.14159|round(2)
-5|abs
5|float
'0x1f'|int(0,16)
[1,2][0]
{'a':1}['a']
{'a':{'b':2}}.a.b
messages[0].get('foo')
messages[0]['content'].strip()
range(3)|list
range(1,10,3)|list
range(5,0,-1)|list
'x' if true else 'y'
'x' if false
('x' if false) is defined
1 is number
'a' is string
[] is iterable
'a' is iterable
{} is mapping
[] is mapping
[] is sequence
'a' is sequence
none is none
1 is odd
4 is divisibleby(2)
true is boolean
1 is boolean
1 is integer
1.0 is float
1 is float
true is true
'a' is eq('a')
'a' is in(['a'])
'A' is upper
1 is sameas(1)
none is sameas(none)
messages is callable
raise_exception is defined
namespace is defined
namespace(a=1).a
joiner(',')()
'abc' in messages
[1,[2,3]]
'a' 'b'
1_000
0x1f
0b11
1.5e3
-1
--1
not not 1
'a'|upper|lower
('a'|upper).lower()
[1,2,3][1:]
[1,2,3][-1]
messages[0].role == 'system' and messages|length > 1
(messages|length) % 2 == 0
messages|last
(messages|last).content
messages[-1]['content'] | trim
[] | first
[] | last
[]|first is defined
''.join([])
'a'.join('bcd')
none is not none
none == none
'foo' is not defined
foo.bar
foo.bar is defined
messages.foo.bar
messages[0].items()|list
messages[0].content.foo
messages[0] | list
messages[0].values() | list | length
messages | map('length') | list
messages | map(attribute='foo', default='d') | list
['a','b'] | map('replace','a','c') | list
[{'a':{'b':1}}] | map(attribute='a.b') | list
[[1,2],[3,4]] | map(attribute=0) | list
'abc' | list
'%.2f' | format(3.14159)
'%d%%' | format(5)
'a%sb%s' | format('x', 'y')
'x' | pprint
''|trim|length == 0
"\n"
'\n'
"a\\nb"
'\''
"\""
'\d'
'\101'
'\0'
1 + 'a'
'a' + 1
'a' + none
none + 1
[1] + (2,)
[] + none
messages[0].content + ''
messages[0].nope + 'x'
-'a'
not undefinedvar
undefinedvar + 'x'
'x' + undefinedvar
'x' ~ undefinedvar
undefinedvar | length
undefinedvar | upper
undefinedvar.x
undefinedvar()
undefinedvar[0]
undefinedvar in [1]
1 in undefinedvar
1 in none
1 in 5
none | length
5 | length
none[0]
none.x
none.x is defined
5()
1 // 0
1 / 0
1 % 0
1.0 // 0.3
5.5 % 2
-5.5 % 2
2 ** -1
10 ** 20
9223372036854775807 + 1
9223372036854775807 * 9223372036854775807
12345678901234567890123
1 if 1
loop
caller
varargs
true == 1
'é'|length
'é'|upper
'😀'[0]
messages.append(1)
messages.pop()
[1,2].append(3)
[1,2].index(2)
[1,2,2].count(2)
{'a':1}.update({'b':2})
{'a':1}.pop('a')
'abc'.nosuch()
'abc'.isnumeric()
'abc'.isdecimal()
'abc'.isascii()
'a'.__add__('b')
messages|list|length
True
False
None
[True, False, None]
{"a": True}
{'x': (1, 2)}
'a' if messages[0]['tool_calls'] is defined and messages[0]['tool_calls'] else 'b'
messages[0].tool_calls is not none
messages[0]['tool_calls'] is not none
messages[0]['tool_calls'] == None
messages[0].tool_calls | length
""".strip().split("\n")

# In the manner of the families that they are named after; each is rendered with every conversation.
TEMPLATES = {
    "chatml": """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are helpful.<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}""",
    "instruct with alternation": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("only user and assistant roles are supported") }}
    {%- endif %}
{%- endfor %}
""",
    "no system role": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{% for message in messages %}
{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}
{% endfor %}
{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    "headers and tools": """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
    {%- endfor %}
{%- endif %}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one call at a time") }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "thinking": """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning_content) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' ~ message.role ~ '\\n' ~ content ~ '<|im_end|>' ~ '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    "macros": """{%- macro render_type(spec) -%}
    {%- if spec.type == 'array' -%}{{ render_type(spec['items']) }}[]
    {%- elif spec.type is sequence and spec.type is not string -%}{{ spec.type | join(' | ') }}
    {%- else -%}{{ spec.type }}{%- endif -%}
{%- endmacro -%}
{%- macro turn(role, content='', end=true) -%}
<|{{ role }}|>{{ caller() if caller is defined else content }}{% if end %}<|end|>{% endif %}
{%- endmacro -%}
{{ render_type({'type': 'array', 'items': {'type': ['string', 'null']}}) }}
{% for message in messages -%}
{{ turn(message.role, message.content | trim) }}
{% endfor -%}
{% call turn('note', end=false) %}called{% endcall %}
{% if add_generation_prompt %}{{ turn('assistant', end=false) }}{% endif %}""",
    "training": """{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{% generation %}{{ message.content + eos_token }}{% endgeneration %}
{%- else -%}
<|{{ message.role }}|>
{{ message.content }}
{% endif -%}
{%- endfor -%}""",
    "loop controls and formats": """{% for message in messages %}
{% if message.role == 'system' %}{% continue %}{% endif %}
{{ '%s: %s' % (message.role|upper, message.content.strip()) }}
{{ "%-10s|" | format(message.role) }}{{ "{:>10}|{}".format(message.role, loop.index) }}
{% if loop.index == 2 %}{% break %}{% endif %}
{% endfor %}""",
    "block sets and filters": """{% set ns = namespace(found=false, texts=[]) %}
{% set header %}<h>{{ messages|length }}</h>{% endset %}
{{ header }}{{ header|length }}
{% for m in messages if m.role == 'user' %}{% set ns.found = true %}{% set ns.texts = ns.texts + [m.content] %}{% else %}none{% endfor %}
{{ ns.found }} {{ ns.texts }}
{% filter upper %}{{ messages[0].role }}{% endfilter %}
{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join('+') }}
{{ (messages | last).content | replace('x', 'y') }} {{ messages | tojson }}
{% for group in messages | groupby('role') %}{{ group.grouper }}={{ group.list|length }};{% endfor %}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}
{% for k, v in messages[0].items() %}{{ k }}:{{ v|tojson }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for m in messages %}{{ loop.cycle('a', 'b') }}{{ loop.revindex }}{{ loop.previtem.role if loop.previtem is defined }}{% endfor %}""",
    "multimodal contents": """{%- for message in messages %}
{{- '<|' + message['role'] + '|>' }}
{%- if message['content'] is string %}
{{- message['content'] }}
{%- elif message['content'] is iterable %}
{%- for item in message['content'] %}
{%- if item['type'] == 'image' %}<image>{% elif 'text' in item %}{{ item['text'] }}{% endif %}
{%- endfor %}
{%- endif %}
{%- endfor %}""",
    "line ends": "{% if true %}\r\na\r{% endif %}\r\n  {% for m in messages %}\r{{ m.role }}\r\n  {% endfor %}\rend\r\n",
}


def make_case(environment, template, messages, add_generation_prompt):
    case = {"template": template, "messages": messages, "add_generation_prompt": add_generation_prompt}
    values = {"bos_token": "<s>", "eos_token": "</s>", "tools": None, "documents": None}
    try:
        case["text"] = environment.from_string(template).render(
            messages=messages, add_generation_prompt=add_generation_prompt, **values)
    except Exception:  # whatever a template raises is its refusal
        pass
    return case


def main():
    environment = make_environment()
    cases = [make_case(environment, "{{ " + expression + " }}", SYSTEM, True) for expression in EXPRESSIONS]
    image = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what?"}]}]
    for name, template in TEMPLATES.items():
        conversations = [ONE, SEVERAL, SYSTEM] + ([image] if name == "multimodal contents" else [])
        cases += [make_case(environment, template, messages, prompt)
                  for messages in conversations for prompt in (True, False)]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jinja.json")
    with open(path, "w") as file:
        json.dump({"jinja2": jinja2.__version__, "cases": cases}, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
