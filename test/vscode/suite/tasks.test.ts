import assert from 'node:assert/strict';
import { DiagnosticSeverity, ProcessExecution, Task, TaskScope, Uri, languages, tasks } from 'vscode';
import { eventually } from '../runner.ts';
import { api, claudePath, home, killedId, subagentPaths } from '../tested.ts';

describe('the lint task', () => {
	before(api);

	it('is offered once and to be kept running', async () => {
		const offered = await tasks.fetchTasks({ type: 'crosstalk' });
		assert.deepEqual(offered.map(({ name }) => name).sort(), ['lint', 'lint --watch']);
		assert.deepEqual(
			offered.map(({ isBackground }) => isBackground),
			offered.map(({ name }) => name === 'lint --watch'),
		);
	});

	it('runs the command line that comes with the extension, and its output becomes problems', async () => {
		const code = await run(await lintTask([claudePath(killedId)]));
		assert.equal(code, 1, 'there are findings');
		const paths = subagentPaths(killedId);
		const found = await eventually(
			'Its lines are problems',
			() =>
				paths.flatMap((path) =>
					languages.getDiagnostics(Uri.file(path)).filter(({ code: rule }) => rule === 'orphaned-tool-use'),
				),
			(problems) => problems.length === 3,
		);
		for (const problem of found) {
			assert.equal(problem.severity, DiagnosticSeverity.Error);
			assert.match(problem.message, /has no result/);
			assert.ok(problem.range.start.character > 0, JSON.stringify(problem.range));
		}
	});

	it('ends with 0 where nothing is wrong', async () => {
		assert.equal(await run(await lintTask([`${home()}/.codex/sessions`])), 0);
	});
});

/** The offered task, with paths of its own as a person writes them into tasks.json. */
async function lintTask(paths: readonly string[]): Promise<Task> {
	const offered = await tasks.fetchTasks({ type: 'crosstalk' });
	const lint = offered.find(({ name }) => name === 'lint');
	assert.ok(lint);
	const { execution } = lint;
	assert.ok(execution instanceof ProcessExecution);
	return new Task(
		{ ...lint.definition, paths },
		lint.scope ?? TaskScope.Workspace,
		'lint here',
		'crosstalk',
		new ProcessExecution(execution.process, [...execution.args, ...paths], execution.options ?? {}),
		lint.problemMatchers,
	);
}

async function run(task: Task): Promise<number | undefined> {
	const ended = new Promise<number | undefined>((resolve) => {
		const listening = tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
			if (execution.task.name !== task.name) return;
			listening.dispose();
			resolve(exitCode);
		});
	});
	await tasks.executeTask(task);
	return ended;
}
