// A transcript replayed in VS Code's own debug views: breakpoints on its lines, the way back, findings.

import assert from 'node:assert/strict';
import { Position, Range, SourceBreakpoint, Location, Uri, commands, debug, window } from 'vscode';
import type { DebugConfiguration } from 'vscode';
import { eventually, screenshot } from '../runner.ts';
import { claudePath, killedId, openTranscript, rangeOf, subagentPaths } from '../tested.ts';

interface Stop {
	readonly reason: string;
	readonly description: string;
	readonly threadId: number;
}

describe('a transcript under the debugger', () => {
	const stops: Stop[] = [];
	const outputs: string[] = [];
	const tracking = debug.registerDebugAdapterTrackerFactory('crosstalk', {
		createDebugAdapterTracker: () => ({
			onDidSendMessage(message: { readonly event?: string; readonly body?: unknown }) {
				if (message.event === 'stopped') stops.push(message.body as Stop); // as the protocol has it
				if (message.event === 'output') outputs.push((message.body as { output: string }).output); // likewise
			},
		}),
	});
	const replay: DebugConfiguration = {
		type: 'crosstalk',
		request: 'launch',
		name: 'Replay',
		transcript: claudePath(killedId),
		stopOnEntry: true,
	};

	beforeEach(() => {
		stops.length = 0;
		outputs.length = 0;
	});

	afterEach(async () => {
		if (debug.activeDebugSession !== undefined) await debug.stopDebugging();
		debug.removeBreakpoints(debug.breakpoints);
		await commands.executeCommand('workbench.action.closeAllEditors');
	});

	after(async () => {
		tracking.dispose();
		await commands.executeCommand('workbench.action.closePanel');
		await commands.executeCommand('workbench.view.extension.crosstalk');
	});

	async function stopped(count: number): Promise<Stop> {
		await eventually(
			`stop ${count}`,
			() => stops.length,
			(length) => length >= count,
		);
		const stop = stops[count - 1];
		assert.ok(stop !== undefined);
		return stop;
	}

	/** Where VS Code itself stands: its editor, at the line of the selected frame. */
	async function shownAt(path: string, line: number): Promise<void> {
		await eventually(
			`the editor at ${path}:${line}`,
			() => [
				window.activeTextEditor?.document.uri.fsPath,
				(window.activeTextEditor?.selection.active.line ?? -1) + 1,
			],
			([shownPath, shownLine]) => shownPath === path && shownLine === line,
		);
	}

	it('stops on a block in a line of a subagent, and goes back from there', async () => {
		const [path = ''] = subagentPaths(killedId);
		const document = await openTranscript(path);
		const call = rangeOf(document, '"type":"tool_use"').start;
		const at = (line: number, column: number) =>
			new Location(Uri.file(path), new Range(new Position(line, column), new Position(line, column)));
		debug.addBreakpoints([
			new SourceBreakpoint(at(call.line, call.character), true, 'arguments.steps == 2'),
			new SourceBreakpoint(at(0, 0), true, undefined, undefined, 'it begins in {session}'),
		]);
		assert.equal(await debug.startDebugging(undefined, replay), true);
		assert.equal((await stopped(1)).reason, 'entry');
		await shownAt(claudePath(killedId), 3);
		await commands.executeCommand('workbench.view.debug');
		await commands.executeCommand('workbench.action.debug.continue');
		assert.deepEqual([(await stopped(2)).reason, stops[1]?.description], ['breakpoint', 'Paused on a breakpoint']);
		await shownAt(path, call.line + 1);
		assert.ok(
			outputs.some((output) => output === `it begins in claude-code:${killedId}\n`),
			outputs.join(''),
		);
		const session = debug.activeDebugSession;
		assert.ok(session !== undefined);
		const frames = (await session.customRequest('stackTrace', { threadId: stops[1]?.threadId })) as {
			readonly stackFrames: readonly { readonly name: string }[];
		}; // as the protocol has it
		assert.match(
			frames.stackFrames.map(({ name }) => name).join(' < '),
			/^trigger-long-running-operation\(.*\) < Agent\(worker \d\) < main$/,
		);
		await commands.executeCommand('workbench.debug.action.focusCallStackView');
		await screenshot('debug-replay');
		await commands.executeCommand('workbench.action.debug.stepBack');
		assert.equal((await stopped(3)).description, 'Back: at a message of the agent');
		await shownAt(path, call.line);
		await commands.executeCommand('workbench.action.debug.reverseContinue');
		assert.equal((await stopped(4)).description, 'Paused at the beginning of the session');
		await shownAt(claudePath(killedId), 3);
	});
});
