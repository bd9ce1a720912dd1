import { ProcessExecution, Task, TaskGroup, TaskScope, Uri, tasks, workspace } from 'vscode';
import type { Disposable, TaskDefinition, TaskProvider, WorkspaceFolder } from 'vscode';
import { taskType } from './ids.ts';

/** As in tasks.json; the manifest describes it. */
interface LintTaskDefinition extends TaskDefinition {
	readonly type: typeof taskType;
	readonly command: 'lint';
	readonly paths?: readonly string[];
	readonly watch?: boolean;
	readonly arguments?: readonly string[];
}

export function registerTasks(extension: Uri): Disposable {
	return tasks.registerTaskProvider(taskType, new LintTasks(extension));
}

// `$crosstalk` asks the file system which kind of path it has. Of a command that ends at once VS Code drops what it still asks about,
// so here each kind has a matcher that knows.
const matchers = ['$crosstalk-absolute', '$crosstalk-relative'];

/** Runs the command line that comes with the extension, on the Node that runs the extension. */
class LintTasks implements TaskProvider {
	private readonly extension: Uri;

	constructor(extension: Uri) {
		this.extension = extension;
	}

	provideTasks(): Task[] {
		const scopes: readonly (WorkspaceFolder | TaskScope.Workspace)[] = workspace.workspaceFolders ?? [];
		return scopes.flatMap((scope) => [
			this.task({ type: taskType, command: 'lint' }, scope),
			this.task({ type: taskType, command: 'lint', watch: true }, scope),
		]);
	}

	resolveTask(task: Task): Task | undefined {
		const { definition } = task;
		// VS Code wants the very definition back.
		return isLint(definition) ? this.task(definition, task.scope ?? TaskScope.Workspace) : undefined;
	}

	private task(definition: LintTaskDefinition, scope: WorkspaceFolder | TaskScope): Task {
		const { paths = [], watch = false, arguments: further = [] } = definition;
		const command = Uri.joinPath(this.extension, 'dist', 'cli.js').fsPath;
		const folder = typeof scope === 'object' ? scope.uri.fsPath : workspace.workspaceFolders?.[0]?.uri.fsPath;
		const execution = new ProcessExecution(
			process.execPath,
			[command, 'lint', ...(watch ? ['--watch'] : []), ...further, ...paths],
			{
				// The editor's own executable is Electron, which is Node when it is told so.
				env: { ELECTRON_RUN_AS_NODE: '1' },
				...(folder === undefined ? {} : { cwd: folder }),
			},
		);
		const task = new Task(
			definition,
			scope,
			watch ? 'lint --watch' : 'lint',
			'crosstalk',
			execution,
			watch ? '$crosstalk-watch' : matchers,
		);
		task.group = TaskGroup.Test;
		task.isBackground = watch;
		task.detail = watch
			? "Looks at the project's sessions again whenever something was written"
			: "Looks for what is wrong with the project's sessions";
		return task;
	}
}

function isLint(definition: TaskDefinition): definition is LintTaskDefinition {
	return definition.type === taskType && definition['command'] === 'lint';
}
