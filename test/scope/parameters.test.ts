import assert from 'node:assert/strict';
import { scopeParametersOf } from '../../src/core/scope/index.ts';
import { vocabulary } from './vocabulary.ts';

// One line per parameter: the tool, its schema in short (name: type, `?` for what may be left out, = its default), its words, and what it is.
// Types: s string, n number, i integer, b boolean, s[] a list of strings. A path with dots is nested; "-" is no scope.

const cases: readonly (readonly [tool: string, parameter: string, words: string, kind: string])[] = [
	// Sessions, chats, channels, threads, tabs.
	['chat_list_messages', 'context_id: s?', "Defaults to the caller's context.", 'context'],
	['list_messages', 'chatId: s', '', 'context'],
	['list_messages', 'chat-id: s', '', 'context'],
	['list_messages', 'CHAT_ID: s', '', 'context'],
	['list_messages', 'chatid: s', '', 'context'],
	['list_messages', 'chatIDs: s[]?', '', 'context'],
	['get_session', 'session_id: s', '', 'context'],
	['send_message', 'channel: s', 'Channel to post to', 'context'],
	['read_thread', 'thread_ts: s', '', 'context'],
	['click', 'tabId: i?', 'Defaults to the active tab', 'context'],
	['search_messages', 'filter.conversation: s?', '', 'context'],
	['summarize', 'context: s?', 'Additional context for the summary', '-'],
	['format_code', 'tab_width: i?', '', '-'],
	['create_channel', 'channel_name: s', 'Name of the new channel', '-'],
	// Projects, repositories, teams, boards.
	['list_issues', 'owner: s', 'Repository owner', 'project|tenant'],
	['list_issues', 'repo: s', '', 'project'],
	['list_issues', 'repository_name: s', '', 'project'],
	['get_project', 'project_id: s', '', 'project'],
	['get_project', 'id: s', '', 'project'],
	['get_issue', 'id: s', '', '-'],
	['get_item', 'id: s', 'The ID of the board', 'project'],
	['get_board', 'id: s', 'ID of the task', '-'],
	['delete_branch', 'branch: s', '', 'project'],
	['create_branch', 'branch: s', 'Name for the new branch', '-'],
	['create_branch', 'from_branch: s?', 'Branch to start from', 'project'],
	['create_issue', 'team_id: s', '', 'project'],
	['create_issue', 'cycleId: s?', '', '-'],
	['update_issue', 'projectId: s?', 'The project to move the issue to', '-'],
	['update_issue', 'project: s', 'Project that the issue is in', 'project'],
	['list_pull_requests', 'head: s?', 'Filter by head user or branch', 'project'],
	['list_pull_requests', 'base: s?', 'Filter by base branch', 'project'],
	['create_pull_request', 'base: s', 'Branch to merge into', '-'],
	['create_pull_request', 'head: s', 'Branch with the changes', '-'],
	['get_tasks', 'list_id: s', '', 'project'],
	['get_file_contents', 'ref: s?', 'Git reference, default: the default branch', 'project'],
	['browser_click', 'ref: s', 'Exact target element reference from the page snapshot', '-'],
	['list_events', 'calendar_id: s?', 'Defaults to your primary calendar', 'project'],
	['search_repos', 'project_description: s?', '', '-'],
	['list_files', 'repo_type: s?', '', '-'],
	['search_issues', 'exclude_projects: s[]?', '', '-'],
	['list_runs', 'all_projects: b?', '', 'project'],
	['list_projects', 'include_archived: b?', '', '-'],
	['list_projects', 'name: s?', 'Only projects whose name contains this', '-'],
	// Directories and places.
	['run_command', 'cwd: s?', 'Working directory', 'place'],
	['list_directory', 'path: s', '', 'place'],
	['search_files', 'path: s', '', 'place'],
	['grep', 'path: s?', 'File or directory to search in. Defaults to the current working directory.', 'place'],
	['read_file', 'path: s', 'Path of the file', '-'],
	['write_file', 'path: s', '', '-'],
	['write_file', 'file_path: s', '', '-'],
	['create_directory', 'path: s', 'Directory to create', '-'],
	['analyze', 'projectRoot: s', '', 'place'],
	['git_log', 'repo_path: s', '', 'place'],
	['list_files', 'folderId: s?', '', 'place'],
	['list_files', 'dirpath: s?', '', 'place'],
	['web_search', 'include_domains: s[]?', '', 'place'],
	['web_search', 'exclude_domains: s[]?', '', '-'],
	['search_places', 'radius: n?', '', 'place'],
	['search_places', 'location.latitude: n?', '', 'place'],
	['create_event', 'location: s?', '', '-'],
	['crawl', 'includePaths: s[]?', '', 'place'],
	// Tenants.
	['list_projects', 'organizationSlug: s', '', 'tenant'],
	['list_projects', 'org: s', '', 'tenant'],
	['list_workers', 'account_id: s?', '', 'tenant'],
	['list_repos', 'username: s', '', 'tenant'],
	['get_user', 'username: s', '', '-'],
	['send_message', 'user_id: s', '', '-'],
	['invite_member', 'user_id: s', '', '-'],
	['search_issues', 'author: s?', '', '-'],
	['search_issues', 'assignee: s?', '', '-'],
	['list_channels', 'guild_id: s', '', 'tenant'],
	['list_invoices', 'customer: s?', '', 'tenant'],
	// Environments.
	['list_instances', 'region: s?', 'AWS region', 'environment'],
	['kubectl_get', 'namespace: s? = "default"', '', 'environment'],
	['kubectl_get', 'context: s?', 'Kubeconfig context', 'environment'],
	['kubectl_get', 'allNamespaces: b?', '', 'environment'],
	['get_flags', 'environment: s', '', 'environment'],
	['tap', 'device_id: s?', '', 'environment'],
	['search_issues', 'regionUrl: s?', '', 'environment'],
	['get_logs', 'time_zone: s?', '', '-'],
	['list_deals', 'stage: s?', 'Deal stage', '-'],
	['start_server', 'port: i?', '', '-'],
	// Databases.
	['query', 'database: s?', '', 'database'],
	['describe_table', 'table_name: s', '', 'database'],
	['describe_table', 'schema: s? = "public"', '', 'database'],
	['create_table', 'table_name: s', '', '-'],
	['query', 'sql: s', '', '-'],
	['insert_row', 'table: s', '', 'database'],
	['list_objects', 'bucket: s', '', 'database'],
	['query_logs', 'log_group_names: s[]', '', 'database'],
	['search', 'index: s', '', 'database'],
	['select_option', 'index: i', 'Zero-based position', '-'],
	['describe_index', 'name: s', '', 'database'],
	['list_records', 'baseId: s', '', 'database'],
	['generate_object', 'schema: s', 'JSON schema of the output', '-'],
	// Time.
	['list_commits', 'since: s?', '', 'time'],
	['search_logs', 'start_time: s?', '', 'time'],
	['search_logs', 'endTime: s?', '', 'time'],
	['search_logs', 'from: s?', 'ISO 8601 start', 'time'],
	['get_logs', 'days: i? = 7', 'How many days back', 'time'],
	['search_issues', 'created_after: s?', '', 'time'],
	['search_issues', 'statsPeriod: s?', 'Such as 24h', 'time'],
	['search_news', 'time_range: s?', '', 'time'],
	['search_news', 'freshness: s?', '', 'time'],
	['search_news', 'startPublishedDate: s?', '', 'time'],
	['get_metrics', 'timeRange.start: s?', '', 'time'],
	['list_events', 'startdate: s?', '', 'time'],
	['create_event', 'start_time: s', '', '-'],
	['update_event', 'end: s?', 'ISO date', '-'],
	['send_email', 'to: s[]', 'Recipients', '-'],
	['list_events', 'timezone: s?', '', '-'],
	['get_balance', 'timeout_seconds: n?', '', '-'],
	// Pages.
	['list_issues', 'limit: i? = 20', '', 'page'],
	['list_issues', 'per_page: i?', '', 'page'],
	['list_issues', 'perPage: i?', '', 'page'],
	['list_issues', 'pagesize: i?', '', 'page'],
	['list_issues', 'page: i?', '', 'page'],
	['list_issues', 'after: s?', 'Cursor for the next page', 'page'],
	['list_issues', 'startAt: i?', '', 'page'],
	['list_issues', 'start: i?', 'Index of the first result', 'page'],
	['list_issues', '$top: i?', '', 'page'],
	['search', 'maxResults: i?', '', 'page'],
	['search', 'num_results: i?', '', 'page'],
	['query_vectors', 'topK: i?', '', 'page'],
	['fetch_page', 'max_length: i?', '', 'page'],
	['read_file', 'offset: i?', '', 'page'],
	['read_file', 'start_line: i?', '', 'page'],
	['read_file', 'head: n?', 'Only the first lines', 'page'],
	['logs', 'tail: n?', '', 'page'],
	['get_page', 'page_id: s', '', '-'],
	['crawl', 'max_depth: i?', '', '-'],
	['ask', 'max_tokens: i?', '', '-'],
	['create_coupon', 'limit: i?', '', '-'],
	['run', 'rate_limit: i?', '', '-'],
	['run', 'max_retries: i?', '', '-'],
	['search_products', 'max_price: n?', '', '-'],
	// What is none of these.
	['search', 'query: s', '', '-'],
	['search_issues', 'status: s?', '', '-'],
	['search_issues', 'labels: s[]?', '', '-'],
	['search_issues', 'sort: s?', '', '-'],
	['get_page', 'format: s?', '', '-'],
	['get_page', 'url: s', '', '-'],
	['update_page', 'title: s', '', '-'],
	['create_issue', 'body: s?', '', '-'],
	['get_run', 'run_id: s', '', '-'],
	['list_comments', 'issue_number: i', '', '-'],
	['list_comments', 'verbose: b?', '', '-'],
	// Less common ones.
	['query_loki_logs', 'datasourceUid: s', '', 'database'],
	['query_loki_logs', 'startRfc3339: s?', '', 'time'],
	['query_loki_logs', 'logql: s', '', '-'],
	['find_issues', 'projectSlugOrId: s?', '', 'project'],
	['list_notifications', 'before: s?', 'Only those updated before this ISO 8601 time', 'time'],
	['get_job_logs', 'tail_lines: i?', '', 'page'],
	['post-database-query', 'database_id: s', '', 'database'],
	['post-database-query', 'page_size: i?', '', 'page'],
	['post-search', 'start_cursor: s?', '', 'page'],
	['create_page', 'parent.database_id: s?', '', 'database'],
	['create_page', 'parent.page_id: s?', '', '-'],
	['start_search', 'path: s', '', 'place'],
	['get_search_results', 'sessionId: s', '', 'context'],
	['list_tables', 'schemas: s[]? = ["public"]', '', 'database'],
	['create_project', 'organization_id: s', '', 'tenant'],
	['create_project', 'name: s', '', '-'],
	['find_tasks_by_date', 'daysCount: i?', '', 'time'],
	['find_sections', 'parentId: s?', '', '-'],
	['find_tasks', 'parentId: s?', '', '-'],
	['update_tasks', 'tasks.projectId: s?', '', '-'],
	['get_document', 'tabId: s?', 'The tab of the document to read', '-'],
	['read_sheet', 'sheetName: s', '', '-'],
	['read_sheet', 'range: s?', 'Cells, such as A1:C10', '-'],
	['read_sheet', 'fileAbsolutePath: s', '', '-'],
	['list_mail_messages', 'mailFolderId: s', '', 'place'],
	['get_calendar_view', 'startDateTime: s', '', 'time'],
	['get_todo_tasks', 'todoTaskListId: s', '', 'project'],
	['get_comments', 'subreddit: s', '', 'context'],
	['get_top_posts', 'time_filter: s?', '', 'time'],
	['crawl', 'select_paths: s[]?', '', 'place'],
	['list_repos_by_project', 'repoNameFilter: s?', 'Only repositories whose name has this', '-'],
	['list_repos_by_project', 'project: s', '', 'project'],
	['list_builds', 'minTime: s?', '', 'time'],
	[
		'git_status',
		'path: s?',
		'Path to the Git repository. Defaults to the working directory of the session.',
		'place',
	],
	['list_problems', 'maxProblemsToDisplay: i?', '', 'page'],
	['run_soql_query', 'usernameOrAlias: s', 'The username or alias for the org', 'tenant'],
	['list_objects', 'after: s?', 'The paging cursor of the last object that was read', 'page'],
	['get_service_log', 'service: s', 'Name of the service', 'project'],
	['list_traces', 'service: s?', 'Filter by service name', '-'],
	['search_nodes', 'numCandidates: i?', '', '-'],
	['get_form', 'formToken: s', '', '-'],
	['move_card', 'idList: s', 'List to move the card to', '-'],
	['list_cards', 'idBoard: s', '', 'project'],
	['list_cards', 'boards: s[]?', '', 'project'],
	['list_rows', 'dbName: s?', '', 'database'],
	['list_rows', 'tablename: s', '', 'database'],
	['get_messages', 'hours_ago: i?', '', 'time'],
	['search_flights', 'date: s', 'Date of departure', 'time'],
];

describe('what a parameter is', () => {
	for (const [tool, parameter, words, kind] of cases) {
		it(`${tool} ${parameter}${words === '' ? '' : ` "${words}"`}: ${kind === '-' ? 'no scope' : kind}`, () => {
			const { path, schema } = schemaOf(parameter, words);
			const found = scopeParametersOf({
				server: 'any',
				name: tool,
				description: undefined,
				inputSchema: JSON.stringify(schema),
			});
			assert.ok(!('reason' in found));
			const one = found.find((candidate) => candidate.path === path);
			assert.equal(found.length, one === undefined ? 0 : 1);
			assert.ok(
				kind.split('|').includes(one?.kind ?? '-'),
				`${one?.kind ?? 'none'}: ${one?.evidence[0]?.sentence ?? ''}`,
			);
			assert.equal(one?.isRequired ?? !parameter.includes('?'), !parameter.includes('?'));
		});
	}
});

describe('the vocabulary of parameters', () => {
	for (const [tool, parameters] of Object.entries(vocabulary)) {
		it(`is understood with ${tool}`, () => {
			const wrong: string[] = [];
			for (const [parameter, kind, words = ''] of parameters) {
				const { schema } = schemaOf(parameter, words);
				const found = scopeParametersOf({
					server: 'any',
					name: tool,
					description: undefined,
					inputSchema: JSON.stringify(schema),
				});
				assert.ok(!('reason' in found));
				const own = found[0]?.kind ?? '-';
				if (!kind.split('|').includes(own)) wrong.push(`${parameter} "${words}" is ${kind}, not ${own}`);
			}
			assert.deepEqual(wrong, []);
		});
	}
});

const types: Readonly<Record<string, object>> = {
	s: { type: 'string' },
	n: { type: 'number' },
	i: { type: 'integer' },
	b: { type: 'boolean' },
	's[]': { type: 'array', items: { type: 'string' } },
};

function schemaOf(parameter: string, words: string): { readonly path: string; readonly schema: object } {
	const match = /^(.+): ([a-z[\]]+)(\?)?(?: = (.*))?$/.exec(parameter);
	assert.ok(match?.[1] !== undefined && match[2] !== undefined);
	const [, path, type, optional, value] = match;
	const schema = path.split('.').reduceRight<object>(
		(inner, name) => ({
			type: 'object',
			properties: { [name]: inner },
			required: optional === undefined ? [name] : [],
		}),
		{
			...types[type],
			...(words === '' ? {} : { description: words }),
			...(value === undefined ? {} : { default: JSON.parse(value) as unknown }),
		},
	);
	return { path, schema };
}
