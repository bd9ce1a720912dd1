import rule from '../../src/core/rules/lost-update.ts';
import { ruleTester } from './ruleTester.ts';

/** Two agents at work at the same time. */
const begin = `
user: change it twice
assistant: call a1 Agent "first"
assistant+: call a2 Agent "second"
tool: result a1 async one
tool: result a2 async two
user [agent=one]: first
user [agent=two]: second`;

const end = `
assistant [agent=one at=90]: done
assistant [agent=two at=91]: done
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
assistant [at=92]: done`;

const reads = `
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_note {"id": 1}
tool [agent=two at=23]: result p1 {"text": "nothing"}`;

ruleTester.run(rule, {
	valid: [
		{
			// Looked for from each of its characters, it would take minutes.
			name: 'the call says which state it is about, under a name that is a megabyte long',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs", "${'_old'.repeat(2 ** 18)}.": 1, "old": 1}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk", "old": 1}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'the second has read again',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__get_note {"id": 1}
tool [agent=two at=33]: result p2 {"text": "eggs"}
assistant [agent=two at=34]: call p3 mcp__notes__update_note {"id": 1, "text": "eggs, milk"}
tool [agent=two at=35]: result p3 ok${end}`,
		},
		{
			name: 'the second has looked at a list that may have shown it',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__list_notes {}
tool [agent=two at=33]: result p2 [{"text": "eggs"}]
assistant [agent=two at=34]: call p3 mcp__notes__update_note {"id": 1, "text": "eggs, milk"}
tool [agent=two at=35]: result p3 ok${end}`,
		},
		{
			name: 'they write different things, different members, or the same',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "title": "food"}
tool [agent=two at=33]: result p2 ok
assistant [agent=one at=34]: call o3 mcp__notes__update_note {"id": 2, "text": "milk"}
tool [agent=one at=35]: result o3 ok
assistant [agent=two at=36]: call p3 mcp__notes__update_note {"id": 2, "text": "milk"}
tool [agent=two at=37]: result p3 ok${end}`,
		},
		{
			name: 'the write says which version it is about',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs", "etag": "7"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk", "etag": "8"}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'the server refuses the second write',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk"}
tool [agent=two at=33]: result p2 says The note has changed since you read it.${end}`,
		},
		{
			name: 'the tools add to what is there',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__append_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__append_note {"id": 1, "text": "milk"}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'the second was told in between',
			transcript: `${begin}${reads}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
coordinator [agent=two at=32]: The first one has written eggs; make it eggs and milk
assistant [agent=two at=33]: call p2 mcp__notes__update_note {"id": 1, "text": "eggs, milk"}
tool [agent=two at=34]: result p2 ok${end}`,
		},
		{
			name: 'the second writes without having read, or reads something else of that number',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_author {"id": 1}
tool [agent=two at=23]: result p1 {"name": "Ann"}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk"}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'the second was refused when it wanted to read, and what it did get was no thing by name',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_note {"id": 1}
tool [agent=two at=23]: result p1 error
assistant [agent=two at=24]: call p0 mcp__notes__get_note {}
tool [agent=two at=25]: result p0 {"text": "the last one"}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk"}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'what the second read has another name beside the number',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_note {"id": 1, "notebook_id": 7}
tool [agent=two at=23]: result p1 {"text": "nothing"}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk"}
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'one agent writes twice',
			transcript: `
user: change it
assistant: call o1 mcp__notes__get_note {"id": 1}
tool: result o1 {"text": "nothing"}
assistant: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
tool: result o2 ok
assistant: call o3 mcp__notes__update_note {"id": 1, "text": "milk"}
tool: result o3 ok
assistant: done`,
		},
		{
			name: "Claude Code's own tools look for changes themselves",
			transcript: `${begin}
assistant [agent=one at=20]: call o1 Read {"file_path": "/n.txt"}
tool [agent=one at=21]: result o1 ok
assistant [agent=two at=22]: call p1 Read {"file_path": "/n.txt"}
tool [agent=two at=23]: result p1 ok
assistant [agent=one at=30]: call o2 Write {"file_path": "/n.txt", "content": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 Write {"file_path": "/n.txt", "content": "milk"}
tool [agent=two at=33]: result p2 says File has been modified since read
assistant [agent=two at=34]: call p3 Read {"file_path": "/n.txt"}
tool [agent=two at=35]: result p3 ok${end}`,
		},
	],
	invalid: [
		{
			name: 'two agents read one note, and the second writes over what the first has written',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ firstRead
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_note {"id": 1}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ staleRead
tool [agent=two at=23]: result p1 {"text": "nothing"}
assistant [agent=two at=24]: call p0 mcp__notes__get_note {"id": 2}
tool [agent=two at=25]: result p0 {"text": "other"}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ overwritten
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__update_note {"id": 1, "text": "milk"}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ lost error
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'the second wanted to read it again, and was refused',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__notes__get_note {"id": 1}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ firstRead
tool [agent=one at=21]: result o1 {"text": "nothing"}
assistant [agent=two at=22]: call p1 mcp__notes__get_note {"id": 1}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ staleRead
tool [agent=two at=23]: result p1 {"text": "nothing"}
assistant [agent=one at=30]: call o2 mcp__notes__update_note {"id": 1, "text": "eggs"}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ overwritten
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__notes__get_note {"id": 1}
tool [agent=two at=33]: result p2 error
assistant [agent=two at=34]: call p3 mcp__notes__update_note {"id": 1, "text": "milk"}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ lost
tool [agent=two at=35]: result p3 ok${end}`,
		},
		{
			name: 'files of a server that does not look for changes',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__filesystem__read_text_file {"path": "/n.txt"}
tool [agent=one at=21]: result o1 nothing
assistant [agent=two at=22]: call p1 mcp__filesystem__read_text_file {"path": "/n.txt", "head": 20}
tool [agent=two at=23]: result p1 nothing
assistant [agent=one at=30]: call o2 mcp__filesystem__write_file {"path": "/n.txt", "content": "eggs"}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__filesystem__write_file {"path": "/n.txt", "content": "milk"}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ lost
tool [agent=two at=33]: result p2 ok${end}`,
		},
		{
			name: 'there is one counter, which needs no name',
			transcript: `${begin}
assistant [agent=one at=20]: call o1 mcp__state__get_counter {}
tool [agent=one at=21]: result o1 {"counter": 1}
assistant [agent=two at=20]: call p1 mcp__state__get_counter {}
tool [agent=two at=21]: result p1 {"counter": 1}
assistant [agent=one at=30]: call o2 mcp__state__set_counter {"counter": 2}
tool [agent=one at=31]: result o2 ok
assistant [agent=two at=32]: call p2 mcp__state__set_counter {"counter": 4}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ lost
tool [agent=two at=33]: result p2 ok${end}`,
		},
	],
});
