import rule from '../../src/core/rules/default-scope-query.ts';
import { ruleTester } from './ruleTester.ts';

const listMessages = `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "limit": {"type": "integer", "default": 200}, "cursor": "From the answer before."} Lists messages.`;

const many = Array.from({ length: 60 }, (_, index) => `s${index}`);

ruleTester.run(rule, {
	valid: [
		{
			name: 'it is passed',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "all"}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'the server refuses a call without it',
			transcript: `
describes: chat list_messages {"context_id!": "Which chat."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'a person says that the default is meant',
			transcript: `
scope: {"chat": {"list_*": {"intended": {"context_id": "The review is about its own tab."}}}}${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'a person says that the tool has no scope',
			transcript: `
scope: {"chat": {"list_messages": {"parameters": []}}}${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'three tools of a server share a name that says nothing',
			transcript: `
describes: store list_parts {"silo": {"type": "string", "default": "north"}} Lists parts.
describes: store list_nails {"silo!": {"type": "string"}} Lists nails.
describes: store count_nails {"silo!": {"type": "string"}} Counts nails.
user [origin=scheduled]: what is there?
assistant: call t1 mcp__store__list_parts {}
tool: result t1 {"parts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the host fills it in for such callers',
			transcript: `
scope: {"chat": {"list_messages": {"policy": {"headless": "fill"}, "values": {"context_id": "all"}}}}${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'without it the tool looks everywhere, by its words',
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to all chats."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'without it the tool looks everywhere, by its schema',
			transcript: `
describes: chat list_messages {"context_id": {"type": "string", "default": "all"}} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'the answer itself says that it looked everywhere',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"context_id": "all", "messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'only how much of the answer is left out',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "all"}
tool: result t1 {"messages": [{"id": 1}], "cursor": "c2"}
assistant: call t2 mcp__chat__list_messages {"context_id": "all", "cursor": "c2"}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'the cursor of an earlier answer says where it looks',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "all"}
tool: result t1 {"messages": [{"id": 1}], "cursor": "c2"}
assistant: call t2 mcp__chat__list_messages {"cursor": "c2"}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'the call failed: it has looked nowhere',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 error
assistant: done`,
		},
		{
			name: 'a person refused the call',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 denied
assistant: done`,
		},
		{
			name: 'the call is not over',
			transcript: `
assume: live${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}`,
		},
		{
			name: 'it acts on one thing that has an id of its own',
			transcript: `
describes: chat get_message {"message_id": "Which message.", "context_id": "Defaults to the current context."} Gets a message.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__get_message {"message_id": "m-1"}
tool: result t1 {"text": "hi"}
assistant: done`,
		},
		{
			name: 'it asks for what belongs to one thing that is required',
			transcript: `
describes: chat reactions {"message_id!": "Which message.", "context_id": "Defaults to the current context."} Reactions to a message.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__reactions {"message_id": "m-1"}
tool: result t1 {"reactions": []}
assistant: done`,
		},
		{
			name: 'the narrower scope says which is the wider one',
			transcript: `
describes: chat list_messages {"thread_id": "Which thread. Defaults to the current thread.", "account_id": "Defaults to the current account."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"thread_id": "th-1"}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'a switch says that it is to look everywhere',
			transcript: `
describes: ops list_pods {"namespace": {"type": "string", "default": "default"}, "all_namespaces": {"type": "boolean", "default": false}} Lists pods.
user [origin=scheduled]: review the day
assistant: call t1 mcp__ops__list_pods {"all_namespaces": true}
tool: result t1 {"pods": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'another parameter says the same',
			transcript: `
describes: chat list_messages {"channel_id": "Defaults to the current channel.", "channel_name": "Instead of its id."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"channel_name": "general"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'an absolute path needs no working directory',
			transcript: `
describes: files search_files {"query": "Words.", "path": "Where. Defaults to the root.", "cwd": "Defaults to the current working directory."} Searches.
user [origin=scheduled]: review the day
assistant: call t1 mcp__files__search_files {"query": "todo", "path": "/srv/shop"}
tool: result t1 {"files": []}
assistant: done`,
		},
		{
			name: 'there is only one value',
			transcript: `
describes: db query {"sql!": "The statement.", "region": {"enum": ["eu"], "description": "Defaults to the current region."}} Queries.
user [origin=scheduled]: review the day
assistant: call t1 mcp__db__query {"sql": "select 1"}
tool: result t1 [1]
assistant: done`,
		},
		{
			name: 'nothing tells what is taken in its place',
			transcript: `
describes: chat list_messages {"context_id": "Which chat."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'nothing is known of the tool',
			transcript: `
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: "a tool of the agent's own",
			transcript: `
user [origin=scheduled]: review the day
assistant: call t1 Grep {"pattern": "todo"}
tool: result t1 {"files": []}
assistant: done`,
		},
		{
			name: 'nobody knows what it is without a description, though others pass it',
			transcript: `
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ inconclusive
tool: result t2 {"messages": [{"id": 1}]}
assistant: call t3 mcp__chat__list_messages {}
tool: result t3 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the schema says nothing that can be read',
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "context_id!": {"$ref": "#/nowhere"}} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"limit": 5}
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the settings name what the tool does not have',
			transcript: `
scope: {"chat": {"list_messages": {"parameters": ["where.room"]}}}
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"limit": 5}
                                            ^^^^^^^^^^^^ inconclusive
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"limit": 5}
tool: result t2 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'it says how long a time, not which',
			transcript: `
describes: ops list_alerts {"days": {"type": "integer", "default": 7, "description": "Days to look back."}} Lists alerts.
user [origin=scheduled]: review the day
assistant: call t1 mcp__ops__list_alerts {}
tool: result t1 {"alerts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the tool asks when it is left out',
			transcript: `
describes: ops list_alerts {"project": "If not provided, a project selection prompt will be shown."} Lists alerts.
user [origin=scheduled]: review the day
assistant: call t1 mcp__ops__list_alerts {}
tool: result t1 {"alerts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the default is no value',
			transcript: `
describes: ops list_alerts {"project": "The project (optional - defaults to null)."} Lists alerts.
user [origin=scheduled]: review the day
assistant: call t1 mcp__ops__list_alerts {}
tool: result t1 {"alerts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'only the beginning of the arguments is known',
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "filter": {"type": "object"}} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"filter": {"a": {"b": {"c": {"d": 1}}}}}
                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the tool finds the places by itself',
			transcript: `
describes: tests find_tests {"folder_paths": "Folders with tests. If not provided, analyze the codebase for test folders."} Finds tests.
user [origin=scheduled]: which tests are there?
assistant: call t1 mcp__tests__find_tests {}
tool: result t1 {"tests": []}
assistant: none`,
		},
		{
			name: 'the parameter says where the answer is saved',
			transcript: `
describes: ci get_logs {"build!": "Number of the build.", "output_dir": {"type": "string", "default": "./logs"}} Gets the logs of a build.
user [origin=scheduled]: why did it fail?
assistant: call t1 mcp__ci__get_logs {"build": "7"}
tool: result t1 {"saved": "./logs/7.txt"}
assistant: I read it`,
		},
		{
			name: 'what is passed names it in its own words: a manifest, a query, a table with its schema',
			transcript: `
describes: k8s kubectl_apply {"manifest": "YAML.", "namespace": {"type": "string", "default": "default"}} Applies a manifest.
describes: logs query_logs {"query!": "LogQL.", "namespace": "Defaults to the current namespace."} Queries logs.
describes: sql sample_data {"table!": "Table.", "schema": "Schema (default: dbo)."} Samples rows of a table.
describes: sql run_query {"sql!": "SQL.", "database": "Database. Defaults to the current database."} Runs a query.
user [origin=scheduled]: go
assistant: call t1 mcp__k8s__kubectl_apply {"manifest": "kind: Pod\\nmetadata:\\nnamespace: shop\\n  name: web"}
tool: result t1 {"applied": 1}
assistant: call t2 mcp__logs__query_logs {"query": "{namespace=\\"shop\\"} |= error"}
tool: result t2 {"lines": [1]}
assistant: call t3 mcp__sql__sample_data {"table": "sales.orders"}
tool: result t3 {"rows": [1]}
assistant: call t4 mcp__sql__run_query {"sql": "select * from shop.orders where id = 1"}
tool: result t4 {"rows": [1]}
assistant: done`,
		},
		{
			name: 'what is asked for is in no such place, or is the places themselves',
			transcript: `
describes: k8s kubectl_get {"resourceType!": "Kind.", "name": "Name.", "namespace": {"type": "string", "default": "default"}} Gets resources.
user [origin=scheduled]: go
assistant: call t1 mcp__k8s__kubectl_get {"resourceType": "nodes"}
tool: result t1 {"items": [1]}
assistant: call t2 mcp__k8s__kubectl_get {"resourceType": "namespaces"}
tool: result t2 {"items": [1]}
assistant: call t3 mcp__k8s__kubectl_get {"resourceType": "pv"}
tool: result t3 {"items": [1]}
assistant: done`,
		},
		{
			name: 'one thing is read, or made from, the default branch',
			transcript: `
describes: git get_file_contents {"owner!": "Owner.", "repo!": "Repository.", "path!": "Path of the file.", "ref": "Branch. Defaults to the default branch of the repository."} Gets a file.
describes: git create_branch {"owner!": "Owner.", "repo!": "Repository.", "branch!": "Its name.", "from_branch": {"type": "string", "default": "main"}} Creates a branch.
user [origin=scheduled]: go
assistant: call t1 mcp__git__get_file_contents {"owner": "acme", "repo": "web", "path": "README.md"}
tool: result t1 {"text": "x"}
assistant: call t2 mcp__git__create_branch {"owner": "acme", "repo": "web", "branch": "fix"}
tool: result t2 {"done": true}
assistant: done`,
		},
		{
			name: 'a host is said, and what is left out is on that host',
			transcript: `
describes: ssh db_query {"server!": "Name of the server.", "dbHost": "Database host (default: localhost)"} Queries.
user [origin=scheduled]: go
assistant: call t1 mcp__ssh__db_query {"server": "prod"}
tool: result t1 {"rows": [1]}
assistant: done`,
		},
		{
			name: 'a text that is searched for names another container, or an absolute path in a list',
			transcript: `
describes: gh search_issues {"query!": "Words.", "owner": "Defaults to the current owner.", "repo": "Defaults to the current repo."} Searches.
describes: fs grep {"pattern!": "Words.", "cwd": "Defaults to the current working directory.", "files": {"type": "array", "items": {"type": "string"}}} Searches.
user [origin=scheduled]: go
assistant: call t1 mcp__gh__search_issues {"query": "repo:acme/web is:open"}
tool: result t1 {"items": [1]}
assistant: call t2 mcp__fs__grep {"pattern": "x", "files": ["/home/a/b.ts"]}
tool: result t2 {"items": [1]}
assistant: done`,
		},
		{
			name: "the tool's name asks for what is the caller's own",
			transcript: `
describes: nb whoami {"account": "Defaults to the current account."} Who is logged in.
describes: nb get_current_notebook {"workspace": "Defaults to the current workspace."} The notebook that is open.
user [origin=scheduled]: go
assistant: call t1 mcp__nb__whoami {}
tool: result t1 {"name": "mira"}
assistant: call t2 mcp__nb__get_current_notebook {}
tool: result t2 {"name": "notes"}
assistant: done`,
		},
		{
			name: 'the agent has chosen before what is the current one',
			transcript: `
describes: browser navigate {"url!": "URL.", "tabId": "Tab. Defaults to the active tab."} Goes.
describes: browser click {"selector!": "CSS.", "tabId": "Tab. Defaults to the active tab."} Clicks.
describes: code activate_project {"project!": "Name."} Activates.
describes: code find_symbol {"name!": "Name.", "project": "Defaults to the active project."} Finds.
describes: git git_set_working_dir {"path!": "Directory."} Sets the directory of the session.
describes: git git_log {"path": "Path of the repository. Defaults to the directory that \`git_set_working_dir\` has set."} Lists commits.
user [origin=scheduled]: go
assistant: call t5 mcp__git__git_set_working_dir {"path": "/srv/web"}
tool: result t5 {"ok": true}
assistant: call t6 mcp__git__git_log {}
tool: result t6 {"commits": [1]}
assistant: call t1 mcp__browser__navigate {"url": "https://example.org"}
tool: result t1 {"ok": true}
assistant: call t2 mcp__browser__click {"selector": "#a"}
tool: result t2 {"ok": true}
assistant: call t3 mcp__code__activate_project {"project": "web"}
tool: result t3 {"ok": true}
assistant: call t4 mcp__code__find_symbol {"name": "x"}
tool: result t4 {"items": [1]}
assistant: done`,
		},
		{
			name: 'it is the person themselves, by the credentials',
			transcript: `
describes: hub list_gists {"username": "Username (omit for the authenticated user's gists)."} Lists gists.
describes: hub list_starred {"username": "Whose stars. Defaults to the authenticated user."} Lists stars.
describes: hub get_teams {"user": "User to get teams for. If not provided, uses the current user."} Gets teams.
user [origin=scheduled]: go
assistant: call t1 mcp__hub__list_gists {}
tool: result t1 {"gists": [1]}
assistant: call t2 mcp__hub__list_starred {}
tool: result t2 {"repos": [1]}
assistant: call t3 mcp__hub__get_teams {}
tool: result t3 {"teams": [1]}
assistant: done`,
		},
		{
			name: 'it says from which country the web is searched',
			transcript: `
describes: web search {"query!": "Words.", "country": {"type": "string", "default": "US", "description": "Country code."}} Searches the web.
describes: duck search {"query!": "Words.", "region": {"type": "string", "default": "us-en", "description": "Region."}} Searches the web.
user [origin=scheduled]: go
assistant: call t1 mcp__web__search {"query": "vouchers"}
tool: result t1 {"results": [1]}
assistant: call t2 mcp__duck__search {"query": "vouchers"}
tool: result t2 {"results": [1]}
assistant: done`,
		},
		{
			name: 'the words are about another thing that the tool does',
			transcript: `
describes: browser tabs {"action!": "list, new, close or select.", "index": "Index of the tab. If omitted for close, current tab is closed."} Lists, makes, closes or selects tabs.
user [origin=scheduled]: go
assistant: call t1 mcp__browser__tabs {"action": "list"}
tool: result t1 {"tabs": [1]}
assistant: done`,
		},
		{
			name: 'nothing is known of the tool, and what others pass is a number of lines',
			transcript: `
user [origin=scheduled]: go
assistant: call t1 mcp__fs__read_text_file {"path": "/a", "head": 20}
tool: result t1 {"text": "x"}
assistant: call t2 mcp__fs__read_text_file {"path": "/b"}
tool: result t2 {"text": "x"}
assistant: done`,
		},
	],
	invalid: [
		{
			// Looked for from each of its characters, the end of each default would take seconds.
			name: 'the defaults of many tools are as long as a schema may be',
			transcript: `${many
				.map(
					(name) => `
describes: ${name} list_messages {"context_id": {"type": "string", "x-scope": {"default": "${'.'.repeat(60_000)}here"}}} Lists messages.`,
				)
				.join('')}
user [origin=scheduled]: review the day${many
				.map(
					(name) => `
assistant: call ${name} mcp__${name}__list_messages {}
${' '.repeat(`assistant: call ${name} mcp__${name}__list_messages `.length)}^^ schemaDefault
tool: result ${name} {"messages": []}`,
				)
				.join('')}
assistant: done`,
		},
		{
			name: 'a review that a timer began looked in its own context only',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"limit": 50}
                                            ^^^^^^^^^^^^^ callersOwn warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: nothing to write about`,
		},
		{
			name: 'the session was started headless',
			transcript: `
entrypoint: sdk-cli${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn warning
tool: result t1 {"context_id": "tab-9", "messages": [{"id": 1}]}
assistant: nothing to write about`,
		},
		{
			name: 'a person sits before it: a note',
			transcript: `
entrypoint: cli${listMessages}
user [origin=typed]: what is new?
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn note
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'nobody knows who calls: a note',
			transcript: `${listMessages}
user: what is new?
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn note
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'a program began the turn in a session that a person has open',
			transcript: `
entrypoint: cli${listMessages}
user [origin=program]: what is new?
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the schema has a default',
			transcript: `
describes: git log {"branch": {"type": "string", "default": "main"}, "author": {"type": "string"}} Lists commits.
user [origin=scheduled]: what was done today?
assistant: call t1 mcp__git__log {"author": "mira"}
                                 ^^^^^^^^^^^^^^^^^^ schemaDefault warning
tool: result t1 {"commits": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'most tools of the server take it, under a name of its own',
			transcript: `
describes: store list_parts {"silo": {"type": "string", "default": "north"}} Lists parts.
describes: store list_nails {"silo!": {"type": "string"}} Lists nails.
describes: store count_nails {"silo!": {"type": "string"}} Counts nails.
describes: store count_parts {"silo!": {"type": "string"}} Counts parts.
user [origin=scheduled]: what is there?
assistant: call t1 mcp__store__list_parts {}
                                          ^^ schemaDefault warning
tool: result t1 {"parts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the description names the default',
			transcript: `
describes: ops list_alerts {"environment": "If omitted, the staging environment is used."} Lists alerts.
user [origin=scheduled]: what was done today?
assistant: call t1 mcp__ops__list_alerts {}
                                         ^^ described warning
tool: result t1 {"alerts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'a stretch of time by the words of the description',
			transcript: `
describes: ops list_alerts {"since": "If omitted, the last 24 hours are searched."} Lists alerts.
user [origin=scheduled]: what was done this week?
assistant: call t1 mcp__ops__list_alerts {}
                                         ^^ described warning
tool: result t1 {"alerts": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the settings say that it is a scope',
			transcript: `
scope: {"chat": {"*": {"parameters": ["where"]}}}
user [origin=scheduled]: what was done today?
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ declared warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'a subagent acts for the timer that began the turn, and others have passed it',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 Agent "look at the chats"
tool: result t1 agent scout
user [agent=scout]: look at the chats
assistant [agent=scout]: call s1 mcp__chat__list_messages {}
                                                          ^^ callersOwn warning
tool [agent=scout]: result s1 {"messages": [{"id": 1}]}
assistant [agent=scout]: done
assistant: call t2 mcp__chat__list_messages {"context_id": "tab-2"}
                                            ~~~~~~~~~~~~~~~~~~~~~~~ passed
tool: result t2 {"messages": [{"id": 1}]}
assistant: call t3 mcp__chat__list_messages {"context_id": "all"}
                                            ~~~~~~~~~~~~~~~~~~~~~ passed
tool: result t3 {"messages": [{"id": 1}]}
assistant: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'an agent in the background, whom nobody waits for',
			transcript: `
entrypoint: cli${listMessages}
user [origin=typed]: review the day
assistant: call t1 Agent "look at the chats"
tool: result t1 async scout
assistant: I go on
user [agent=scout]: look at the chats
assistant [agent=scout]: call s1 mcp__chat__list_messages {}
                                                          ^^ callersOwn warning
tool [agent=scout]: result s1 {"messages": [{"id": 1}]}
assistant [agent=scout]: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'a hook made the agent go on',
			transcript: `
entrypoint: cli${listMessages}
user [origin=typed]: review the day
assistant: done
hook: look at the chats too
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'one agent leaves it out again and again: told once',
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ callersOwn warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"limit": 10}
                                            ~~~~~~~~~~~~~ again
tool: result t2 {"messages": [{"id": 1}]}
assistant: call t3 mcp__chat__list_messages {} | call t4 mcp__chat__list_messages {}
                                            ~~ again
                                                                                  ~~ again
tool: result t3 {"messages": [{"id": 1}]} | result t4 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'what is passed is no value by the words of the schema',
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context, as does null."} Lists messages.
user [origin=scheduled]: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": null}
                                            ^^^^^^^^^^^^^^^^^^^^ callersOwn warning
tool: result t1 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'commits of the default branch, and pods of the default namespace',
			transcript: `
describes: git list_commits {"owner!": "Owner.", "repo!": "Repository.", "branch": "Branch. Defaults to the default branch of the repository."} Lists commits.
describes: k8s kubectl_get {"resourceType!": "Kind.", "namespace": {"type": "string", "default": "default"}} Gets resources.
user [origin=scheduled]: what was done, and does all run?
assistant: call t1 mcp__git__list_commits {"owner": "acme", "repo": "web"}
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ described warning
tool: result t1 {"commits": [1]}
assistant: call t2 mcp__k8s__kubectl_get {"resourceType": "pods"}
                                         ^^^^^^^^^^^^^^^^^^^^^^^^ schemaDefault warning
tool: result t2 {"items": [1]}
assistant: done`,
		},
		{
			name: 'another agent has chosen since what is the current one',
			transcript: `
describes: code activate_project {"project!": "Name."} Activates.
describes: code find_symbol {"name!": "Name.", "project": "Defaults to the active project."} Finds.
user [origin=scheduled]: go
assistant: call t1 mcp__code__activate_project {"project": "web"}
tool: result t1 {"ok": true}
assistant: call t2 Agent "look into the other one"
tool: result t2 agent scout
user [agent=scout]: look into the other one
assistant [agent=scout]: call s1 mcp__code__activate_project {"project": "api"}
tool [agent=scout]: result s1 {"ok": true}
assistant [agent=scout]: done
assistant: call t3 mcp__code__find_symbol {"name": "x"}
                                          ^^^^^^^^^^^^^ callersOwn warning
tool: result t3 {"items": [1]}
assistant: done
sidecar: scout toolUseId=t2`,
		},
		{
			name: 'an organisation by the credentials, and a region of a cloud',
			transcript: `
describes: hub list_repos {"org": "Organisation. Defaults to the authenticated organisation."} Lists repositories.
describes: cloud list_machines {"region": {"type": "string", "default": "us-east-1"}} Lists machines.
describes: logs query_logs {"region": {"type": "string", "default": "eu"}} Queries logs.
user [origin=scheduled]: go
assistant: call t1 mcp__hub__list_repos {}
                                        ^^ callersOwn warning
tool: result t1 {"repos": [1]}
assistant: call t2 mcp__cloud__list_machines {}
                                             ^^ schemaDefault warning
tool: result t2 {"machines": [1]}
assistant: call t3 mcp__logs__query_logs {}
                                         ^^ schemaDefault warning
tool: result t3 {"logs": [1]}
assistant: done`,
		},
		{
			name: 'the words are about what the call does',
			transcript: `
describes: browser tabs {"action!": "list, new, close or select.", "index": "Index of the tab. If omitted for close, current tab is closed."} Lists, makes, closes or selects tabs.
user [origin=scheduled]: go
assistant: call t1 mcp__browser__tabs {"action": "close"}
                                      ^^^^^^^^^^^^^^^^^^^ callersOwn warning
tool: result t1 {"tabs": [1]}
assistant: done`,
		},
		{
			name: 'a search in the working directory, which whoever started the agent has chosen: a note',
			transcript: `
describes: rg search {"pattern!": "Expression.", "path": "Directory to search in. Defaults to the current working directory."} Searches files.
user [origin=scheduled]: go
assistant: call t1 mcp__rg__search {"pattern": "TODO"}
                                   ^^^^^^^^^^^^^^^^^^^ callersOwn note
tool: result t1 {"matches": [1]}
assistant: done`,
		},
	],
});
