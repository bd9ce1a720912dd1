import { mainAgentId } from '../core/base/ids.ts';
import { counted } from '../core/base/text.ts';
import { agentName, agentsInOrder, callsOf } from '../core/conversation/index.ts';
import { filePlace } from './convert.ts';
import { commandIds } from './ids.ts';
import type { SessionInView } from './sessionInView.ts';
import { formatNames } from './words.ts';

/** As many are listed. */
const mostFindings = 100;

/**
 * What a session file is, as a page without scripts.
 * @param text Of one that could not be read, why; else the session's key.
 */
export function savedSessionPage(session: SessionInView | undefined, text: string): string {
	if (session === undefined) return page('Session file', `<p class="problem">${escaped(text)}</p>`);
	const { conversation, diagnostics, files } = session;
	const { saved } = files;
	const title = conversation.title ?? conversation.nativeId;
	const agents = agentsInOrder(conversation);
	const calls = agents.reduce((sum, agent) => sum + callsOf(agent).length, 0);
	const facts: readonly (readonly [string, string])[] = [
		['Agent', formatNames[files.format] ?? files.format],
		['Session', conversation.nativeId],
		['Saved', saved?.savedAt ?? ''],
		['State', conversation.liveness.state === 'live' ? 'It was running when it was saved.' : 'It had ended.'],
		[
			'What was said',
			saved?.bodies === 'replaced' ? 'Replaced by letters of the same length.' : 'Is in the file as it was.',
		],
		[
			'Holds',
			`${counted(agents.length, 'agent')}, ${counted(calls, 'call')}, ${counted(diagnostics.length, 'finding')}`,
		],
	];
	const rows = facts.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`);
	const listed = agents.map((agent) => {
		const link = commandLink(commandIds.revealInAgents, [text, agent.id], agentName(agent));
		return `<li class="${agent.id === mainAgentId ? 'main' : 'agent'}">${link} · ${counted(callsOf(agent).length, 'call')}</li>`;
	});
	const findings = diagnostics.slice(0, mostFindings).map(({ message, ruleId, severity, place }) => {
		const at = filePlace(place);
		const values = at === undefined ? [] : [at.path, at.range.start.line, at.range.start.character];
		const link = at === undefined ? escaped(message) : commandLink(commandIds.revealPlace, values, message);
		return `<li>${severity}: ${link} <span class="rule">${escaped(ruleId)}</span></li>`;
	});
	return page(
		title,
		`<table>${rows.join('')}</table>
<p>${commandLink(commandIds.revealInAgents, [text, mainAgentId], 'Show it in the Crosstalk view')}</p>
<h2>Agents</h2><ul>${listed.join('')}</ul>
${findings.length === 0 ? '<p>Nothing was found wrong in it.</p>' : `<h2>Findings</h2><ul>${findings.join('')}</ul>`}`,
	);
}

function commandLink(command: string, values: readonly unknown[], text: string): string {
	return `<a href="command:${command}?${encodeURIComponent(JSON.stringify(values))}">${escaped(text)}</a>`;
}

function page(title: string, body: string): string {
	return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>
body { padding: 0 2em 2em; line-height: 1.5; }
h1 { font-weight: 400; font-size: 1.6em; overflow-wrap: anywhere; }
h2 { font-weight: 400; font-size: 1.2em; margin-top: 1.6em; }
th { text-align: left; font-weight: 400; padding-right: 2em; color: var(--vscode-descriptionForeground); vertical-align: top; }
td { overflow-wrap: anywhere; }
a { color: var(--vscode-textLink-foreground); }
.rule { color: var(--vscode-descriptionForeground); }
.problem { color: var(--vscode-errorForeground); }
</style></head>
<body><h1>${escaped(title)}</h1>${body}</body></html>`;
}

function escaped(text: string): string {
	return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
